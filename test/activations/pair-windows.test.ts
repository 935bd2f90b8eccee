import { describe, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { joinWindows, pairWindows } from "../../src/activations/pair-windows.ts";
import type { ReadPosition } from "../../src/activations/read-position.ts";
import { type TokenWindow, toWindows, unitTokens } from "../../src/activations/windows.ts";
import { bos, plantedModel } from "./planted-model.ts";

const model = { ...plantedModel(), tokenize: async (text: string) => Int32Array.from([bos, ...Buffer.from(text)]) };
const pairs = [
  { prompt: "ab", positive: "cd.", negative: "ef", where: "set:1" },
  { prompt: "", positive: "xyz!", negative: "xy" },
];

async function all(windows: AsyncIterable<TokenWindow>): Promise<TokenWindow[]> {
  const list: TokenWindow[] = [];
  for await (const window of windows) list.push(window);
  return list;
}

describe("pairWindows(model, pairs, readAt)", () => {
  test("gives a window for each text, both texts of a pair in one group, with document and source", async () => {
    const windows = await all(pairWindows(model, pairs, "last"));
    expect(windows.map(({ tokens }) => String.fromCharCode(...tokens.subarray(1)))).toEqual([
      "abcd.",
      "abef",
      "xyz!",
      "xy",
    ]);
    expect(windows.every(({ tokens, endsDocument }) => tokens[0] === bos && endsDocument)).toBe(true);
    expect(windows.map(({ index, unit, group }) => [index, unit, group])).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [2, 0, 1],
      [3, 0, 1],
    ]);
    expect(windows.map(({ document }) => document)).toEqual([
      { index: 0, text: "abcd.", source: "set:1", fraction: 0.25 },
      { index: 1, text: "abef", source: "set:1", fraction: 0.5 },
      { index: 2, text: "xyz!", source: "pair 2", fraction: 0.75 },
      { index: 3, text: "xy", source: "pair 2", fraction: 1 },
    ]);
  });

  // Position 0 is BOS.
  test.each<[ReadPosition, number[][]]>([
    ["last", [[5], [4], [4], [2]]],
    ["last-content", [[4], [4], [3], [2]]],
    ["difference-mean", [[3, 4, 5], [3, 4], [3, 4], [2]]],
    [
      "all-mean",
      [
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2],
      ],
    ],
    [{ fromEnd: 2 }, [[4], [3], [3], [1]]],
  ])("says where a vector read at %j is read from", async (readAt, positions) => {
    expect((await all(pairWindows(model, pairs, readAt))).map(({ readPositions }) => readPositions)).toEqual(positions);
  });

  test("refuses texts that do not fit or do not differ, naming the pair", async () => {
    const refused = (positive: string, negative: string) =>
      expect(all(pairWindows(model, [...pairs, { prompt: "", positive, negative }], "last"))).rejects;
    await refused("x".repeat(64), "y").toThrow("pair 3: expected at most 64 tokens");
    await refused("x", "x").toThrow("pair 3: expected two texts that differ in their tokens");
    const signal = AbortSignal.abort();
    await expect(all(pairWindows(model, pairs, "last", { signal }))).rejects.toMatchObject({ code: "aborted" });
  });
});

test("joinWindows(…streams) numbers windows, units, groups and documents through, and no unit or group spans two streams", async () => {
  const corpus = (text: string) => toWindows(plantedModel(), toCorpus("c", [text, text]).documents(), { context: 64 });
  const text = "abcdefgh".repeat(1000);
  const parts = [corpus(text), pairWindows(model, pairs, "last"), corpus("abc")];
  const apart = [await all(corpus(text)), await all(pairWindows(model, pairs, "last")), await all(corpus("abc"))];
  const joined = await all(joinWindows(...parts));
  expect(joined.map(({ tokens }) => tokens)).toEqual(apart.flat().map(({ tokens }) => tokens));
  expect(joined.map(({ index }) => index)).toEqual(joined.map((_, i) => i));
  let at = 0;
  let [unit, group, document] = [0, 0, 0];
  for (const stream of apart) {
    const own = joined.slice(at, at + stream.length);
    own.forEach((window, i) => {
      expect([window.unit - unit, window.group - group, window.document.index - document]).toEqual([
        stream[i]!.unit,
        stream[i]!.group,
        stream[i]!.document.index,
      ]);
    });
    const last = own.at(-1)!;
    [unit, group, document] = [last.unit + 1, last.group + 1, last.document.index + 1];
    at += stream.length;
  }
  const fractions = joined.map((window) => window.document.fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(fractions.at(-1)).toBe(1);
  const sizes = new Map<number, number>();
  for (const window of joined) sizes.set(window.unit, (sizes.get(window.unit) ?? 0) + window.tokens.length);
  expect(Math.max(...sizes.values())).toBeLessThanOrEqual(unitTokens);
});
