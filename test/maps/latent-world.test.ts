import { describe, expect, test } from "vitest";
import { factorCholesky, solveCholesky } from "../../src/linalg/cholesky.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { multiply, transposedMultiply } from "../../src/linalg/multiply.ts";
import { fitOls } from "../../src/maps/fit/fit-ols.ts";
import { fitRidge } from "../../src/maps/fit/fit-ridge.ts";
import { bestMap, latentMoments, plantedMap } from "../../src/maps/latent-truth.ts";
import { createLatentWorld, type LatentModelOptions, type LatentWorldOptions } from "../../src/maps/latent-world.ts";
import { momentsOfRows } from "../../src/maps/moments-of-rows.ts";

const common = { features: 60, universalWidth: 20, active: 6, seed: 3 } satisfies Partial<LatentWorldOptions>;

function worldOf(source: Partial<LatentModelOptions>, target: Partial<LatentModelOptions> = {}, more = {}) {
  return createLatentWorld({
    ...common,
    ...more,
    models: [
      { width: 32, ...source },
      { width: 28, ...target },
    ],
  });
}

/** The largest difference of two matrices, over the largest value of the second. */
function gap(A: Matrix, B: Matrix): number {
  const size = B.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return A.data.reduce((max, value, k) => Math.max(max, Math.abs(value - B.data[k]!)), 0) / size;
}

/** R² of the map A, p on rows, over all dimensions. */
function r2Of({ A, p }: { A: Matrix; p: Float64Array }, X: Matrix, Y: Matrix): number {
  let [error, total] = [0, 0];
  const mean = new Float64Array(Y.cols);
  for (let k = 0; k < Y.data.length; k++) mean[k % Y.cols]! += Y.data[k]! / Y.rows;
  for (let row = 0; row < Y.rows; row++)
    for (let i = 0; i < Y.cols; i++) {
      let sum = p[i]!;
      for (let j = 0; j < X.cols; j++) sum += A.data[i * X.cols + j]! * X.data[row * X.cols + j]!;
      error += (Y.data[row * Y.cols + i]! - sum) ** 2;
      total += (Y.data[row * Y.cols + i]! - mean[i]!) ** 2;
    }
  return 1 - error / total;
}

describe("plantedMap(world, source, target)", () => {
  test("is exact on every row, and A P_Sᵀ = P_Tᵀ, where the source spans the universal space", () => {
    for (const more of [
      {},
      { exponent: 1 },
      { topics: { count: 4, strength: 0.8 } },
      { tokens: { vocabulary: 9, amplitude: 2 } },
    ]) {
      const world = worldOf({ rotated: true, loud: { dimensions: 2, factor: 30 } }, { projection: "orthogonal" }, more);
      const map = plantedMap(world, 0, 1);
      const { states } = world.draw(200, { seed: 1 });
      expect(map.isExact).toBe(true);
      // 1e-20 is (1e-10)²: errors of the pseudoinverse, condition · 2⁻⁵² with a condition of some 1e3.
      expect(1 - r2Of(map, states[0]!, states[1]!)).toBeLessThan(1e-18);
    }
  });

  test("says that it is not exact: source too narrow, features missing or private on one side", () => {
    expect(plantedMap(worldOf({ width: 19 }), 0, 1).isExact).toBe(false);
    expect(plantedMap(worldOf({ missing: 0.1 }), 0, 1).isExact).toBe(false);
    expect(plantedMap(worldOf({}, { private: 0.1 }), 0, 1).isExact).toBe(false);
    expect(plantedMap(worldOf({ width: 20 }), 0, 1).isExact).toBe(true);
  });
});

describe("fitRidge and fitOls on a latent world", () => {
  test("recover the planted map from 600 rows to 1e-8 of what the states tell of it", () => {
    const world = worldOf({}, {});
    const truth = plantedMap(world, 0, 1);
    const { states } = world.draw(600, { seed: 2 });
    const [X, Y] = [states[0]!, states[1]!];
    for (const fitted of [fitOls(momentsOfRows(X, Y)), fitRidge(momentsOfRows(X, Y), { lambda: 1e-12 })]) {
      // 32 source dimensions hold 20 that vary: coefficients differ outside them, so they are compared by what they do to features.
      for (let f = 0; f < common.features; f++) {
        const v = world.models[0]!.decoder.data.subarray(f * 32, (f + 1) * 32);
        const w = world.models[1]!.decoder.data.subarray(f * 28, (f + 1) * 28);
        for (const map of [fitted, truth])
          for (let i = 0; i < 28; i++) {
            let sum = 0;
            for (let j = 0; j < 32; j++) sum += map.A.data[i * 32 + j]! * v[j]!;
            // Moments square the condition number of the source, some 1e2 here: 1e4 · 2⁻⁵² · a few; the penalty adds 1e-12 · 1e4.
            expect(Math.abs(sum - w[i]!)).toBeLessThan(1e-8);
          }
      }
      expect(Math.abs(r2Of(fitted, X, Y) - 1)).toBeLessThan(1e-12);
    }
  });

  test("recover A itself, coefficient by coefficient, where the source is as wide as the universal space", () => {
    const world = worldOf({ width: 20, projection: "orthogonal" });
    const { A, p } = fitOls(latentMoments(world, 0, 1));
    const truth = plantedMap(world, 0, 1);
    expect(gap(A, truth.A)).toBeLessThan(1e-10);
    p.forEach((value, i) => {
      expect(Math.abs(value - truth.p[i]!)).toBeLessThan(1e-9);
    });
  });
});

describe("bestMap(world, source, target)", () => {
  const cases: readonly [
    string,
    Partial<LatentModelOptions>,
    Partial<LatentModelOptions>,
    Partial<LatentWorldOptions>,
  ][] = [
    ["a source narrower than the universal space", { width: 8 }, {}, {}],
    ["noise on both sides", { noise: 0.5 }, { noise: 0.3 }, {}],
    ["features that either lacks", { missing: 0.3 }, { missing: 0.2 }, {}],
    ["features private to either", { private: 0.3 }, { private: 0.2 }, {}],
    [
      "topics, a power law, tokens",
      { width: 10 },
      {},
      { exponent: 1, topics: { count: 5, strength: 0.7 }, tokens: { vocabulary: 7, amplitude: 1.5 } },
    ],
  ];
  for (const [name, source, target, more] of cases)
    test(`is what 20,000 rows teach, held out, and no map beats it: ${name}`, () => {
      const world = worldOf(source, target, more);
      const { states } = world.draw(20_000, { seed: 5 });
      const fresh = world.draw(10_000, { seed: 6 }).states;
      const best = bestMap(world, 0, 1);
      const fitted = fitOls(momentsOfRows(states[0]!, states[1]!));
      const held = r2Of(fitted, fresh[0]!, fresh[1]!);
      // Of 10,000 rows an R² is known to about 1/√10,000 of its size: 0.01, and two of those.
      expect(Math.abs(held - best.r2)).toBeLessThan(0.02);
      // On the very rows, what fitting took from chance (32 of 20,000 a dimension) is all a fit can be better by.
      expect(held).toBeLessThan(r2Of(best, fresh[0]!, fresh[1]!) + 1e-4);
      expect(best.r2).toBeGreaterThan(0.1);
      expect(best.r2).toBeLessThan(0.999);
    });

  test("equals the optimum worked out in the universal space, P_Tᵀ Σ P_S (P_Sᵀ Σ P_S)⁻¹, where the source is narrower", () => {
    const world = worldOf({ width: 8 }, {}, { exponent: 0.5, topics: { count: 3, strength: 0.5 } });
    const [S, T] = [world.models[0]!.projection, world.models[1]!.projection];
    const W = world.dictionary;
    const sigma = transposedMultiply(W, multiply(world.codeCovariance, W));
    const [SS, TS] = [transposedMultiply(S, multiply(sigma, S)), transposedMultiply(T, multiply(sigma, S))];
    const factor = factorCholesky(SS);
    expect(factor.isPositiveDefinite).toBe(true);
    const A = solveCholesky((factor as { L: Matrix }).L, TS);
    const TT = transposedMultiply(T, multiply(sigma, T));
    let [explained, total] = [0, 0];
    for (let i = 0; i < 28; i++) {
      total += TT.data[i * 28 + i]!;
      for (let j = 0; j < 8; j++) explained += A.data[i * 8 + j]! * TS.data[i * 8 + j]!;
    }
    const best = bestMap(world, 0, 1);
    expect(gap(best.A, A)).toBeLessThan(1e-10);
    expect(best.r2).toBeCloseTo(explained / total, 10);
    // The pseudoinverse of the hypothesis is a map too, but not the best one here.
    expect(gap(plantedMap(world, 0, 1).A, A)).toBeGreaterThan(0.05);
  });

  test("is the planted map's where that is exact, and worse by the noise of the target alone", () => {
    expect(1 - bestMap(worldOf({}), 0, 1).r2).toBeLessThan(1e-12);
    // Noise of half the deviations' size is 0.25 of 1.25 parts of the variance, whatever the map.
    expect(bestMap(worldOf({}, { noise: 0.5 }), 0, 1).r2).toBeCloseTo(0.8, 10);
  });

  test("is refused for bent states", () => {
    expect(() => bestMap(worldOf({ bend: 0.5 }), 0, 1)).toThrow(
      "expected states that are linear in the code, got bent ones",
    );
    expect(() => bestMap(worldOf({}), 0, 2)).toThrow("latent world: expected a model from 0 to 1, got 2");
  });
});

describe("createLatentWorld(options)", () => {
  test("draws codes with the mean and covariance that it states", () => {
    const world = worldOf(
      { private: 0.1 },
      {},
      { exponent: 0.8, topics: { count: 3, strength: 0.6 }, tokens: { vocabulary: 5, amplitude: 2 } },
    );
    const n = 20_000;
    const { code } = world.draw(n, { seed: 9 });
    const F = world.features;
    expect(F).toBe(60 + 5 + 6);
    const [sum, products] = [new Float64Array(F), new Float64Array(F * F)];
    for (let row = 0; row < n; row++)
      for (let a = code.offsets[row]!; a < code.offsets[row + 1]!; a++) {
        sum[code.indices[a]!]! += code.values[a]! / n;
        for (let b = code.offsets[row]!; b < code.offsets[row + 1]!; b++)
          products[code.indices[a]! * F + code.indices[b]!]! += (code.values[a]! * code.values[b]!) / n;
      }
    for (let f = 0; f < F; f++) {
      // Standard errors are at most 2/√20,000 = 0.014 (tokens of amplitude 2) and its square's; five of them.
      expect(Math.abs(sum[f]! - world.codeMean[f]!)).toBeLessThan(0.04);
      for (let g = 0; g < F; g++)
        expect(Math.abs(products[f * F + g]! - sum[f]! * sum[g]! - world.codeCovariance.data[f * F + g]!)).toBeLessThan(
          0.07,
        );
    }
    const active = world.codeMean.subarray(0, 60).reduce((a, b) => a + b, 0);
    expect(active).toBeLessThanOrEqual(6 + 1e-9);
  });

  test("makes the same world of the same seed, and the same codes whatever the models are", () => {
    const [a, b] = [worldOf({ noise: 0.1 }), worldOf({ noise: 0.1 })];
    expect(a.draw(50).states).toEqual(b.draw(50).states);
    const other = worldOf({ width: 12, noise: 0.4 });
    expect(other.draw(50).code).toEqual(a.draw(50).code);
    expect(other.models[1]).toEqual(a.models[1]);
    expect(a.draw(50, { seed: 1 }).code).not.toEqual(a.draw(50).code);
  });

  test("bends states so that their variance stays and a linear map loses about the share asked for", () => {
    // Many active features make the dimensions nearly normal, for which the loss is exact.
    const crowd = { features: 200, active: 100, universalWidth: 20 };
    for (const bend of [0.25, 0.5]) {
      const { states } = worldOf({}, { bend }, crowd).draw(4000);
      const { states: straight } = worldOf({}, {}, crowd).draw(4000);
      const trace = (H: Matrix): number => {
        const { Cxx } = momentsOfRows(H, H);
        return Array.from({ length: H.cols }, (_, i) => Cxx.data[i * H.cols + i]!).reduce((a, b) => a + b, 0);
      };
      expect(trace(states[1]!) / trace(straight[1]!)).toBeCloseTo(1, 1);
      const fitted = fitOls(momentsOfRows(states[0]!, states[1]!));
      expect(Math.abs(r2Of(fitted, states[0]!, states[1]!) - (1 - bend))).toBeLessThan(0.03);
    }
  });

  test("makes sinks of the share and length asked for, in the same rows of every model", () => {
    const world = worldOf({}, {}, { sinks: { share: 0.1, factor: 100 } });
    const { states, isSink } = world.draw(2000);
    const sinks = isSink.reduce((a, b) => a + b, 0);
    expect(Math.abs(sinks - 200)).toBeLessThan(70); // five standard deviations
    for (const H of states) {
      const norm = (row: number): number => Math.hypot(...H.data.subarray(row * H.cols, (row + 1) * H.cols));
      for (let row = 0; row < 2000; row++) expect(norm(row) > 100).toBe(isSink[row] === 1);
    }
  });

  test("refuses sizes and shares out of range by their names", () => {
    expect(() => worldOf({ width: 0 })).toThrow("latent world: models[0].width: expected a count of at least 1, got 0");
    expect(() => worldOf({ missing: 1.5 })).toThrow(
      "latent world: models[0].missing: expected a number from 0 to 1, got 1.5",
    );
    expect(() => worldOf({}, {}, { active: 61 })).toThrow("latent world: active");
    expect(() => worldOf({}, {}, { seed: -1 })).toThrow("latent world: seed");
    expect(() => worldOf({}).draw(0)).toThrow("rows to draw: expected a count above 0, got 0");
  });
});
