import fc from "fast-check";
import { expect, test } from "vitest";
import { addTokenSums, createTokenSums, type TokenSums, tokenMean } from "../../src/maps/collect/token-sums.ts";

const widths = [2, 1];
const roomy = 1 << 20;

/** Rows whose states say which token they are of. */
function sumsOf(tokens: readonly number[], weights?: readonly number[], maxBytes = roomy): TokenSums {
  const growing = createTokenSums(widths, maxBytes);
  const states = [
    Float32Array.from(tokens.flatMap((token, row) => [token, row])),
    Float32Array.from(tokens, (token) => -token),
  ];
  growing.add(Int32Array.from(tokens), states, weights && Float64Array.from(weights));
  return growing.view();
}

test("tokenMean(sums, token, site) is the weighted mean of the token's rows", () => {
  const sums = sumsOf([7, 9, 7, 7], [1, 5, 1, 2]);
  expect([...tokenMean(sums, 7, 0)!]).toEqual([7, (0 + 2 + 3 * 2) / 4]);
  expect([...tokenMean(sums, 7, 1)!]).toEqual([-7]);
  expect([...tokenMean(sums, 9, 0)!]).toEqual([9, 1]);
  expect(tokenMean(sums, 8, 0)).toBeUndefined();
});

test("createTokenSums(widths, maxBytes) counts tokens first seen after the room is used like unseen ones", () => {
  // 24 bytes a token: room for two.
  const sums = sumsOf([1, 2, 3, 1, 3, 2], undefined, 2 * 24 + 23);
  expect([...sums.byToken.keys()]).toEqual([1, 2]);
  expect([...sums.byToken.values()].map(({ n }) => n)).toEqual([2, 2]);
  expect(tokenMean(sums, 3, 0)).toBeUndefined();
});

test("createTokenSums(widths, maxBytes, start) goes on from a copy", () => {
  const start = sumsOf([1, 2]);
  const growing = createTokenSums(widths, roomy, start);
  growing.add(Int32Array.of(2), [Float32Array.of(2, 1), Float32Array.of(-2)], undefined);
  expect(growing.view().byToken.get(2)!.n).toBe(2);
  expect(start.byToken.get(2)!.n).toBe(1);
  expect([...start.byToken.get(2)!.sums]).toEqual([2, 1, -2]);
});

test("addTokenSums(a, b, maxBytes) gives the sums of all rows in either order, and changes neither", () => {
  const tokens = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 });
  fc.assert(
    fc.property(tokens, tokens, (left, right) => {
      const [a, b] = [sumsOf(left), sumsOf(right)];
      const plain = (sums: TokenSums) =>
        [...sums.byToken].map(([token, { n, sums: of }]) => [token, n, ...of]).sort((x, y) => x[0]! - y[0]!);
      const before = [plain(a), plain(b)];
      const added = plain(addTokenSums(a, b, roomy));
      expect(plain(addTokenSums(b, a, roomy))).toEqual(added);
      expect(added.map(([token, n]) => [token, n])).toEqual(
        [...new Set([...left, ...right])]
          .sort((x, y) => x - y)
          .map((token) => [token, [...left, ...right].filter((each) => each === token).length]),
      );
      for (const [token, n, first, , third] of added) expect([first, third]).toEqual([token! * n!, -token! * n!]);
      expect([plain(a), plain(b)]).toEqual(before);
    }),
  );
});
