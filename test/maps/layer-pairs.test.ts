import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultLayerPair, equalRelativeDepth, formatLayerPair, parseLayerPair } from "../../src/maps/layer-pairs.ts";

test("equalRelativeDepth(layer, sourceBlocks, targetBlocks) keeps the share of blocks passed", () => {
  expect(equalRelativeDepth(12, 26, 42)).toBe(20); // 13/26 = 21/42
  expect(equalRelativeDepth(1, 3, 6)).toBe(3);
  expect(equalRelativeDepth(1, 4, 6)).toBe(2);
  expect(equalRelativeDepth(5, 12, 12)).toBe(5);
});

test("equalRelativeDepth is monotonic, in range, never the last block, and the identity between equal depths", () => {
  const blocks = fc.integer({ min: 2, max: 120 });
  fc.assert(
    fc.property(blocks, blocks, (source, target) => {
      let before = 0;
      for (let layer = 0; layer < source; layer++) {
        const at = equalRelativeDepth(layer, source, target);
        expect(at).toBeGreaterThanOrEqual(before);
        expect(at).toBeLessThan(target - 1 || 1);
        if (layer < source - 1) expect(equalRelativeDepth(layer, source, source)).toBe(layer);
        before = at;
      }
    }),
  );
});

test("defaultLayerPair(sourceBlocks, targetBlocks) is the middle and its counterpart", () => {
  expect(defaultLayerPair(26, 42)).toEqual({ source: 12, target: 20 });
  expect(defaultLayerPair(3, 6)).toEqual({ source: 1, target: 3 });
  expect(defaultLayerPair(4, 6)).toEqual({ source: 1, target: 2 });
  expect(defaultLayerPair(1, 1)).toEqual({ source: 0, target: 0 });
});

test("parseLayerPair(text) reads SOURCE:TARGET and refuses everything else", () => {
  expect(parseLayerPair("12:20")).toEqual({ source: 12, target: 20 });
  expect(parseLayerPair(formatLayerPair({ source: 0, target: 7 }))).toEqual({ source: 0, target: 7 });
  for (const text of ["", "12", "12:", ":3", "-1:3", "1.5:3", "1:2:3", " 1:2", "1:999999", "a:b"])
    expect(() => parseLayerPair(text)).toThrow(
      `layers: expected SOURCE:TARGET such as 12:20, got ${JSON.stringify(text)}`,
    );
});

test("equalRelativeDepth refuses a layer the source does not have and a model without blocks", () => {
  expect(() => equalRelativeDepth(4, 4, 6)).toThrow("source layer: expected a layer from 0 to 3, got 4");
  expect(() => equalRelativeDepth(0, 4, 0)).toThrow("blocks: expected at least one, got 0");
});
