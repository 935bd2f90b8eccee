import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEntries, type Entries } from "../../src/features/train/entries.ts";
import { selectAbove, selectBatchTopK, selectTopK } from "../../src/features/train/select.ts";

const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), features: fc.integer({ min: 1, max: 40 }) })
  .chain(({ rows, features }) =>
    fc.record({
      rows: fc.constant(rows),
      features: fc.constant(features),
      // Few different values: ties are the rule.
      data: fc.array(fc.integer({ min: -4, max: 12 }), { minLength: rows * features, maxLength: rows * features }),
    }),
  );

/** Places as `[row, feature, value]`, in the order of row and feature. */
function listed({ count, row, feature, value }: Entries): number[][] {
  return Array.from({ length: count }, (_, at) => [row[at] as number, feature[at] as number, value[at] as number]).sort(
    ([a, b], [c, d]) => (a as number) - (c as number) || (b as number) - (d as number),
  );
}

function sorted(data: readonly number[], features: number): number[][] {
  return data
    .map((value, at) => [Math.floor(at / features), at % features, value])
    .filter(([, , value]) => (value as number) > 0)
    .sort(
      ([r, f, v], [s, g, w]) =>
        (w as number) - (v as number) || (r as number) - (s as number) || (f as number) - (g as number),
    );
}

const inOrder = (places: number[][]): number[][] =>
  places.sort(([a, b], [c, d]) => (a as number) - (c as number) || (b as number) - (d as number));

describe("selection agrees with sorting, ties and all", () => {
  test("selectTopK(z, k) of every row, of all features and among some", () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: 1, max: 45 }), ({ rows, features, data }, k) => {
        const z = { data: Float64Array.from(data), rows, features };
        for (const among of [undefined, Int32Array.from({ length: features >> 1 }, (_, i) => 2 * i)]) {
          const into = createEntries(0);
          selectTopK(z, k, into, among);
          const expected = Array.from({ length: rows }, (_, row) =>
            sorted(data, features)
              .filter(([r, f]) => r === row && (!among || among.includes(f as number)))
              .slice(0, k),
          );
          expect(listed(into)).toEqual(inOrder(expected.flat()));
        }
      }),
    );
  });

  test("selectBatchTopK(z, count) of the whole batch", () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: 1, max: 250 }), ({ rows, features, data }, count) => {
        const into = createEntries(0);
        selectBatchTopK({ data: Float64Array.from(data), rows, features }, count, into);
        expect(listed(into)).toEqual(inOrder(sorted(data, features).slice(0, count)));
      }),
    );
  });

  test("selectAbove(z, threshold, margin): coefficients above, zeros just below", () => {
    const z = { data: Float64Array.of(1, 0.45, 0.3, -1, 0.5, 2.1), rows: 2, features: 3 };
    const into = createEntries(0);
    selectAbove(z, Float64Array.of(0.5, 0.5, 2), 0.1, into);
    // A value at its threshold is not above it.
    expect(listed(into)).toEqual([
      [0, 0, 1],
      [0, 1, 0],
      [1, 1, 0],
      [1, 2, 2.1],
    ]);
  });
});
