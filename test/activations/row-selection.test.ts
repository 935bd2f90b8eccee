import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import type { ReadPosition } from "../../src/activations/read-position.ts";
import {
  checkRowSelection,
  coversReadPosition,
  formatRowSelection,
  isReadFrom,
  parseRowSelection,
  type RowRule,
  type RowSelection,
} from "../../src/activations/row-selection.ts";
import { createRowSelector, limitRows } from "../../src/activations/select-rows.ts";
import { toWindows } from "../../src/activations/windows.ts";
import { bos, plantedModel } from "./planted-model.ts";

const weight = fc.oneof(fc.constant(1), fc.double({ min: 1e-9, max: 1e6, noNaN: true }));
const position: fc.Arbitrary<ReadPosition> = fc.oneof(
  fc.constantFrom<ReadPosition>("last", "last-content", "difference-mean", "all-mean"),
  fc.record({ fromEnd: fc.integer({ min: 1, max: 999 }) }),
);
const anyRule: fc.Arbitrary<RowRule> = fc.oneof(
  fc.record({ kind: fc.constantFrom("all", "last"), weight }),
  fc.record({
    kind: fc.constant("pattern"),
    weight,
    pattern: fc.constantFrom("[.!?]", "a,b*2", "\\/", "[/\\]]+", "^ ?the$", "(a|b)\\["),
    flags: fc.constantFrom("", "i", "u"),
  }),
  fc.record({ kind: fc.constant("pairs"), weight, readAt: position }),
);
const selections = fc.uniqueArray(anyRule, {
  minLength: 1,
  maxLength: 5,
  selector: (rule) => (rule.kind === "pattern" ? `${rule.pattern}/${rule.flags}` : rule.kind),
});

test("parseRowSelection reads what formatRowSelection writes", () => {
  fc.assert(
    fc.property(selections, (selection) => {
      expect(parseRowSelection(formatRowSelection(selection))).toEqual(selection);
    }),
  );
  expect(formatRowSelection(parseRowSelection("all,pairs*4", { readAt: "last" }))).toBe("all,pairs@last*4");
  expect(formatRowSelection(parseRowSelection("pairs"))).toBe("pairs@difference-mean");
  expect(parseRowSelection("pairs@end-2*0.5,last")).toEqual([
    { kind: "pairs", weight: 0.5, readAt: { fromEnd: 2 } },
    { kind: "last", weight: 1 },
  ]);
});

test.each([
  ["", /^rows: expected all, last, pattern:\/…\/ or pairs, joined by commas, got ""/],
  ["al", /got "al"/],
  ["all,", /a rule after each comma/],
  [",all", /joined by commas/],
  ["all last", /joined by commas/],
  ["all,all*2", /^rows: expected each rule once, got all twice/],
  ["pairs@last,pairs@end-2", /pairs twice/],
  ["all*0", /^rows all: expected a weight above 0, at most 1000000, got 0/],
  ["all*-1", /a weight above 0/],
  ["last*1e9", /a weight above 0/],
  ["all*1.2.3", /a weight above 0.*got NaN/],
  ["all*", /joined by commas/],
  ["pattern:/(/", /^rows: expected a regular expression, got \/\(\//],
  ["pattern://", /joined by commas/],
  ["pattern:/a", /joined by commas/],
  ["pattern:/a/g", /flags of i, m, s and u, got g/],
  ["pairs@first", /^read position: expected/],
  [`all,${"pattern:/a/,".repeat(40)}last`, /expected/],
])("parseRowSelection(%j) is refused", (text, message) => {
  expect(() => parseRowSelection(text)).toThrow(expect.objectContaining({ code: "bad-input" }));
  expect(() => parseRowSelection(text)).toThrow(message);
});

test("parseRowSelection says bad-input or returns a selection that can be written, for any text", () => {
  const parts = fc.constantFrom("all", "last", "pairs", "pattern:", "/", "[", "]", "\\", "*", "2", ",", "@", "(", "e");
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (text) => {
      let selection: RowSelection;
      try {
        selection = parseRowSelection(text.join(""));
      } catch (error) {
        expect(error).toMatchObject({ code: "bad-input" });
        return;
      }
      expect(parseRowSelection(formatRowSelection(selection))).toEqual(selection);
    }),
    { numRuns: 500 },
  );
  // Every bracket opens a class that never closes: time must grow with the length, not with its square or worse.
  expect(() => parseRowSelection(`pattern:/${"[a\\".repeat(50_000)}`)).toThrow("joined by commas");
});

test("checkRowSelection returns a sound selection and refuses an empty one; isReadFrom says what must be read", () => {
  const selection = parseRowSelection("all,pairs");
  expect(checkRowSelection(selection)).toBe(selection);
  expect(() => checkRowSelection([])).toThrow("rows: expected at least one rule, got none");
  const reads = (text: string) => [
    isReadFrom(parseRowSelection(text), "corpus"),
    isReadFrom(parseRowSelection(text), "pairs"),
  ];
  expect([reads("all,pairs"), reads("pairs"), reads("last,pattern:/a/")]).toEqual([
    [true, true],
    [false, true],
    [true, false],
  ]);
});

test.each<[string, ReadPosition, boolean]>([
  ["all", "difference-mean", true],
  ["all", "all-mean", true],
  ["all", "last", false],
  ["all", "last-content", false],
  ["all", { fromEnd: 2 }, false],
  ["last", "last", true],
  ["last", "difference-mean", false],
  ["last", { fromEnd: 2 }, false],
  ["all,last*9", "last", true],
  ["pairs@last", "last", true],
  ["pairs@last", "last-content", false],
  ["pairs@last-content", "last-content", true],
  ["pairs@end-2", { fromEnd: 2 }, true],
  ["pairs@end-2", { fromEnd: 3 }, false],
  ["pairs@all-mean", "difference-mean", true],
  ["pairs@difference-mean", "all-mean", true],
  ["pairs@last", "difference-mean", false],
  ["pattern:/[.!?]/", "last", false],
  ["all,pairs@last*0.1", "last", true],
])("coversReadPosition(%s, %j) is %s", (text, readAt, covered) => {
  expect(coversReadPosition(parseRowSelection(text), readAt)).toBe(covered);
});

describe("createRowSelector(model, special, selection)", () => {
  const weigh = async (select: string, text: string) => {
    const model = plantedModel();
    const selector = createRowSelector(model, new Set([bos, "~".charCodeAt(0)]), parseRowSelection(select));
    const weights: number[][] = [];
    for await (const window of toWindows(model, toCorpus("c", [text]).documents(), { context: 4 }))
      weights.push([...(await selector.weigh(window)).weights]);
    return weights;
  };

  test("gives the first position no weight whatever the rules, and special tokens only by pattern", async () => {
    expect(await weigh("all", "ab~")).toEqual([[0, 1, 1, 0]]);
    expect(await weigh("last", "ab~")).toEqual([[0, 0, 0, 0]]);
    expect(await weigh("all,pattern:/[~b]/*3", "ab~")).toEqual([[0, 1, 4, 3]]);
    expect(await weigh("last", "abcd")).toEqual([
      [0, 0, 0, 0],
      [0, 1],
    ]);
    expect(await weigh("pattern:/./su", "ab")).toEqual([[0, 1, 1]]);
  });

  test("limitRows(windows, selector, n) ends with the window in which the rows selected reach n", async () => {
    const model = plantedModel();
    const count = async (select: string, rows: number): Promise<number> => {
      const selector = createRowSelector(model, new Set([bos]), parseRowSelection(select));
      const windows = toWindows(model, toCorpus("c", ["abcabc", "abc", "abc"]).documents(), { context: 4 });
      let seen = 0;
      for await (const _ of limitRows(windows, selector, rows)) seen++;
      return seen;
    };
    expect([await count("all", 1), await count("all", 3), await count("all", 4), await count("all", 99)]).toEqual([
      1, 1, 2, 4,
    ]);
    expect(await count("pattern:/c/", 2)).toBe(2);
    expect(await count("last", 2)).toBe(3);
  });
});
