import fc from "fast-check";
import { expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import {
  formatLayerPlan,
  formatLayers,
  type LayerPlan,
  parseLayerPlan,
  resolveLayerPlan,
} from "../../src/maps/layer-plan.ts";

const resolve = (text: string, sourceBlocks: number, targetBlocks: number) => {
  const plan = resolveLayerPlan(parseLayerPlan(text), sourceBlocks, targetBlocks);
  return plan.kind === "auto" ? plan.kind : plan.maps.map(({ sources, target }) => `${sources.join(" ")} > ${target}`);
};

test.each([
  ["8:12", ["8 > 12"]],
  ["8:12,10:15", ["8 > 12", "10 > 15"]],
  ["10:15,8:12", ["10 > 15", "8 > 12"]],
  ["0+1+2:3", ["0 1 2 > 3"]],
  ["2+0:3", ["2 0 > 3"]],
  ["4-6:12", ["4 5 6 > 12"]],
  ["1+9-11:0", ["1 9 10 11 > 0"]],
  ["8:13-15", ["8 > 13", "8 > 14", "8 > 15"]],
  ["all:3", ["0 1 2 3 4 5 6 7 8 9 10 11 > 3"]],
  ["8:all", Array.from({ length: 16 }, (_, l) => `8 > ${l}`)],
  ["all:all", Array.from({ length: 16 }, (_, l) => `0 1 2 3 4 5 6 7 8 9 10 11 > ${l}`)],
  ["auto", "auto"],
] as const)("resolveLayerPlan(parseLayerPlan(%j), 12, 16) names the maps", (text, maps) => {
  expect(resolve(text, 12, 16)).toEqual(maps);
});

test.each([
  "",
  ":",
  "8",
  "8:",
  ":8",
  "8:12:3",
  "8:12,",
  ",8:12",
  "8 :12",
  "-1:2",
  "1.5:2",
  "+1:2",
  "1+:2",
  "1:2+3",
  "6-4:2",
  "1-2-3:4",
  "123456:1",
  "auto,8:12",
  "AUTO",
  "all",
  "8:１２",
])("parseLayerPlan(%j) refuses it as a mistake of use", (text) => {
  expect(() => parseLayerPlan(text)).toThrow(expect.objectContaining({ code: "usage" }));
});

test("parseLayerPlan(text) does not read texts of absurd length", () => {
  expect(() => parseLayerPlan(Array(5000).fill("1:2").join(","))).toThrow("at most 10000 characters");
});

test.each([
  ["12:3", "source layer: expected a layer from 0 to 11, got 12"],
  ["3:16", "target layer: expected a layer from 0 to 15, got 16"],
  ["0-99999:3", "source layer: expected a layer from 0 to 11, got 99999"],
  ["1:2,3:2", "expected each target layer once, got 2 again"],
  ["8:all,9:3", "expected each target layer once, got 3 again"],
  ["1+1:2", "source layer 1 again"],
  ["1-5+3:2", "source layer 3 again"],
  [Array(1000).fill("0-11").join("+").concat(":2"), "12000 source layers"],
])("resolveLayerPlan(plan, 12, 16) refuses %j", (text, message) => {
  const plan = parseLayerPlan(text);
  expect(() => resolveLayerPlan(plan, 12, 16)).toThrow(message);
  expect(() => resolveLayerPlan(plan, 12, 16)).toThrow(expect.objectContaining({ code: "usage" }));
});

const range = fc.tuple(fc.nat(40), fc.nat(5)).map(([first, more]) => ({ first, last: first + more }));
const plan: fc.Arbitrary<LayerPlan> = fc.oneof(
  fc.constant({ kind: "auto" } as const),
  fc.record({
    kind: fc.constant("pairs" as const),
    pairs: fc.array(
      fc.record({
        sources: fc.oneof(fc.constant("all" as const), fc.array(range, { minLength: 1, maxLength: 4 })),
        targets: fc.oneof(fc.constant("all" as const), range),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
);

test("parseLayerPlan(formatLayerPlan(plan)) is the plan", () => {
  fc.assert(
    fc.property(plan, (value) => {
      expect(parseLayerPlan(formatLayerPlan(value))).toEqual(value);
    }),
  );
});

test("formatLayers(layers) is short and resolves to the same layers", () => {
  expect(formatLayers({ sources: [8], target: 12 })).toBe("8:12");
  expect(formatLayers({ sources: [0, 1, 2, 5, 7, 8], target: 3 })).toBe("0-2+5+7+8:3");
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(30), { minLength: 1 }), fc.nat(30), (sources, target) => {
      expect(resolveLayerPlan(parseLayerPlan(formatLayers({ sources, target })), 31, 31)).toEqual({
        kind: "pairs",
        maps: [{ sources, target }],
      });
    }),
  );
});

test("parseLayerPlan(text) answers any text with a plan or a TrimtabError", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-lu:,+-]{0,24}$/), (text) => {
      try {
        formatLayerPlan(parseLayerPlan(text));
      } catch (error) {
        expect(error).toBeInstanceOf(TrimtabError);
        expect((error as TrimtabError).code).toBe("usage");
      }
    }),
    { numRuns: 500 },
  );
});
