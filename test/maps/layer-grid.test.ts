import { expect, test } from "vitest";
import { parseLayerGrid, resolveLayerGrid } from "../../src/maps/layer-grid.ts";

const resolved = (text: string): string => {
  const { sources, targets } = resolveLayerGrid(parseLayerGrid(text), 26, 42);
  return `${sources.join(",")}:${targets.join(",")}`;
};

test.each([
  ["4-6:8-10", "4,5,6:8,9,10"],
  ["4:8", "4:8"],
  ["0,2,5-6:41", "0,2,5,6:41"],
  ["6+5,5-6:1", "5,6:1"], // each layer once, ascending
])("parseLayerGrid(%s) names each layer once, ascending", (text, expected) => {
  expect(resolved(text)).toBe(expected);
});

test("parseLayerGrid(all:all) is every layer of both models", () => {
  const { sources, targets } = resolveLayerGrid(parseLayerGrid("all:all"), 4, 6);
  expect([sources, targets]).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2, 3, 4, 5],
  ]);
});

test.each(["", "4", "4:", ":4", "4:8:2", "4-:8", "a:b", "auto", "1,,2:3", "4 : 8", "all,1:2", "8:12,10:15"])(
  "parseLayerGrid(%j) is refused",
  (text) => {
    expect(() => parseLayerGrid(text)).toThrow(/^layers: expected SOURCES:TARGETS such as all:all/);
  },
);

test("parseLayerGrid(…) refuses ranges that fall, resolveLayerGrid(…) layers that are not there", () => {
  expect(() => parseLayerGrid("6-4:8")).toThrow("ranges that rise, such as 4-6");
  expect(() => resolved("26:0")).toThrow("source layer: expected a layer from 0 to 25, got 26");
  expect(() => resolved("0:40-99999")).toThrow("target layer: expected a layer from 0 to 41, got 99999");
});
