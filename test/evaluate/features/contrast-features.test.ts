import fc from "fast-check";
import { expect, test } from "vitest";
import { contrastFeatures } from "../../../src/evaluate/features/contrast-features.ts";
import { contrastColumn, rankColumns } from "../../../src/evaluate/features/rank-columns.ts";
import type { SparseRows } from "../../../src/features/sparse-rows.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { areaUnderCurve } from "../../../src/vectors/area-under-curve.ts";

/** The sparse form of dense rows. */
function toSparse(dense: readonly (readonly number[])[], cols: number): SparseRows {
  const offsets = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const row of dense) {
    row.forEach((value, j) => {
      if (value === 0) return;
      indices.push(j);
      values.push(value);
    });
    offsets.push(indices.length);
  }
  return {
    rows: dense.length,
    cols,
    offsets: Int32Array.from(offsets),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  };
}

/** Noise in all features, and feature 7 stronger on the positive side, 11 on the negative one, in most of the pairs. */
function plant(pairs: number, seed: number): SparseRows {
  const random = seededRandom(seed);
  const rows = Array.from({ length: 2 * pairs }, (_, i) =>
    Array.from({ length: 300 }, (_, j) => {
      const noise = random.uniform() < 0.2 ? random.uniform() : 0;
      if (j === 7 && i % 2 === 0 && random.uniform() < 0.9) return 1.5 + noise;
      if (j === 11 && i % 2 === 1 && random.uniform() < 0.8) return 1.2 + noise;
      return noise;
    }),
  );
  return toSparse(rows, 300);
}

test("contrastFeatures() finds the planted features with their sides, and they hold on the pairs left out", () => {
  const { features, pairs, shuffled } = contrastFeatures(plant(60, 3), { top: 3, seed: 1 });
  expect(pairs).toEqual({ chosen: 30, heldOut: 30 });
  expect(features.slice(0, 2).map(({ feature, side }) => [feature, side])).toEqual([
    [7, "positive"],
    [11, "negative"],
  ]);
  // Nine in ten against none: 0.95 expected, and 0.9 for eight in ten; 30 pairs put them within 0.1.
  expect(features[0]?.heldOut.auroc).toBeGreaterThan(0.85);
  expect(features[1]?.heldOut.auroc).toBeGreaterThan(0.8);
  expect(features[0]?.heldOut.interval?.low).toBeGreaterThan(shuffled.p95);
  expect(features[0]?.heldOut.difference).toBeGreaterThan(0.8);
  // None of 200 shuffles came near; the smallest p that they can show.
  expect(features[0]?.p).toBe(1 / 201);
  // The third was chosen from noise.
  expect(features[2]?.heldOut.auroc).toBeLessThan(0.75);
  expect(features[2]?.p).toBeGreaterThan(0.02);
});

test("contrastFeatures() of noise finds nothing: held-out scores lie within those of shuffled sides", () => {
  const random = seededRandom(9);
  const rows = Array.from({ length: 80 }, () =>
    Array.from({ length: 400 }, () => (random.uniform() < 0.3 ? random.uniform() : 0)),
  );
  const { features, shuffled } = contrastFeatures(toSparse(rows, 400), { top: 10 });
  // What was chosen looks good where it was chosen …
  expect(features[0]?.chosen.auroc).toBeGreaterThan(0.65);
  // … and shuffled sides are centred on one half: 200 draws put their median within 0.03.
  expect(Math.abs(shuffled.median - 0.5)).toBeLessThan(0.03);
  expect(Math.min(...features.map(({ p }) => p))).toBeGreaterThan(0.004);
  expect(features.filter(({ heldOut }) => heldOut.auroc > shuffled.p95).length).toBeLessThan(3);
});

test("contrastFeatures() depends on the seed alone, and on no order within a tie", () => {
  const F = plant(20, 5);
  expect(contrastFeatures(F, { seed: 4, shuffles: 20 })).toEqual(contrastFeatures(F, { seed: 4, shuffles: 20 }));
});

test("contrastColumn(rankColumns(F)) is the area under the curve and the mean difference, for any labels and ties", () => {
  // Few different values, so that ties are common.
  const row = fc.array(fc.constantFrom(0, 0, 0, 0.5, 1, 2), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 4, maxLength: 14 }), fc.integer({ min: 0, max: 1 << 14 }), (dense, bits) => {
      const labels = Uint8Array.from(dense, (_, i) => (bits >> i) & 1);
      const positives = labels.reduce((a, b) => a + b, 0);
      fc.pre(positives > 0 && positives < labels.length);
      const columns = rankColumns(
        toSparse(dense, 3),
        Int32Array.from(dense, (_, i) => i),
      );
      for (let j = 0; j < 3; j++) {
        const of = (label: number): number[] => dense.filter((_, i) => labels[i] === label).map((values) => values[j]!);
        const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
        const found = contrastColumn(columns, j, labels, positives);
        // Sums of a few halves: exact but for the last division.
        expect(found.auroc).toBeCloseTo(areaUnderCurve(of(1), of(0)), 12);
        expect(found.difference).toBeCloseTo(mean(of(1)) - mean(of(0)), 12);
      }
    }),
    { seed: 7 },
  );
});

test("contrastFeatures() refuses too few pairs and shares out of range", () => {
  expect(() => contrastFeatures(toSparse([[1], [0], [1], [0]], 1))).toThrow("expected at least 4 pairs");
  expect(() => contrastFeatures(plant(10, 1), { heldOut: 1 })).toThrow("share held out: expected between 0 and 1");
});
