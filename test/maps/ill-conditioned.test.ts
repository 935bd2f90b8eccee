import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identity, transpose } from "../../src/linalg/matrix.ts";
import { gram } from "../../src/linalg/multiply.ts";
import { svd } from "../../src/linalg/svd.ts";
import { crossValidateLambda } from "../../src/maps/fit/cross-validate-lambda.ts";
import { fitAdamW } from "../../src/maps/fit/fit-adamw.ts";
import { fitOls } from "../../src/maps/fit/fit-ols.ts";
import { fitProcrustes } from "../../src/maps/fit/fit-procrustes.ts";
import { fitReducedRank } from "../../src/maps/fit/fit-reduced-rank.ts";
import { type Affine, fitRidge, fitRidgePath } from "../../src/maps/fit/fit-ridge.ts";
import { inverseDeviations } from "../../src/maps/fit/inverse-deviations.ts";
import { swapMoments } from "../../src/maps/fit/swap-moments.ts";
import { toSpace } from "../../src/maps/fit/to-space.ts";
import { diagonal, type Moments } from "../../src/maps/moments.ts";
import { effectiveRank } from "../../src/maps/score/effective-rank.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { scoreRoundTrip } from "../../src/maps/score/score-round-trip.ts";
import { backends, momentsOf, type Rows, readFits, relative, useBackend } from "./fits-fixture.ts";

const fixture = readFits();
const planted = fixture.rows("planted");

/** The planted rows with source column `to` replaced. */
function edit(to: number, value: (row: (column: number) => number) => number): Rows {
  const X = planted.X.slice();
  const d = planted.dSource;
  for (let row = 0; row < planted.n; row++) X[row * d + to] = value((column) => planted.X[row * d + column]!);
  return { ...planted, X };
}

const few: Rows = { ...planted, n: 12, X: planted.X.slice(0, 12 * 20), Y: planted.Y.slice(0, 12 * 28) };

/** As make_fits.py edits them, in float32. `rank` and the dimensions that the diagnosis must name. */
const cases: Record<string, { rows: Rows; rank: number; constant?: number[]; dependent?: number[][] }> = {
  constant: { rows: edit(5, () => 2.5), rank: 19, constant: [5] },
  duplicate: { rows: edit(7, (row) => row(3)), rank: 19, dependent: [[3], [7]] },
  huge: { rows: edit(2, (row) => Math.fround(row(2) * 1e4)), rank: 20 },
  // Scales from 1 to 1e-10: the rows have condition 1e10 and more, their correlations have not.
  steep: {
    rows: {
      ...planted,
      X: planted.X.map((value, at) => Math.fround(value * Math.fround(10 ** ((-10 * (at % 20)) / 19)))),
    },
    rank: 20,
  },
  // Two dimensions that differ by 1e-5 of their size: correlations of condition above 1e10, of which a double keeps four digits or fewer.
  near: {
    rows: edit(9, (row) => Math.fround(row(4) + Math.fround(Math.fround(1e-5) * row(9)))),
    rank: 20,
  },
  few: { rows: few, rank: 11 },
};

/** Relative difference of maps in units of the source's standard deviations, so that no column hides behind another. */
function standardDistance(a: Affine, b: Affine, { Cxx, meanX, n }: Moments): number {
  const inverse = inverseDeviations(Cxx, meanX, n);
  const scaled = ({ A }: Affine) =>
    A.data.map((value, at) => (inverse[at % A.cols]! > 0 ? value / inverse[at % A.cols]! : value));
  return relative(scaled(a), scaled(b));
}

for (const backend of backends)
  for (const [name, { rows, rank, constant = [], dependent }] of Object.entries(cases))
    describe(`${name}, ${backend} linear algebra`, () => {
      beforeAll(() => useBackend(backend));
      afterAll(() => useBackend("system"));
      const all = () => momentsOf(rows);

      test("fitRidge(moments, {lambda}) and fitReducedRank agree with numpy as on sound rows", () => {
        const expected = fixture.affine(`ill.${name}.ridge`);
        expect(standardDistance(fitRidge(all(), { lambda: 0.01 }), expected, all())).toBeLessThan(1e-8);
        expect(standardDistance(fitRidgePath(all()).solve(0.01), expected, all())).toBeLessThan(1e-8);
        const reduced = fitReducedRank(all(), { rank: 6, lambda: 0.01 });
        expect(standardDistance(reduced, fixture.affine(`ill.${name}.reduced`), all())).toBeLessThan(1e-8);
      });

      test("fitOls(moments) gives numpy's map of smallest norm and says what is wrong with the rows", () => {
        const { diagnosis, ...fit } = fitOls(all());
        const expected = fixture.affine(`ill.${name}.ols`);
        // Moments are squares: what is promised is condition · d · 2⁻⁵², where the condition is that of the correlations.
        const bound = Math.max(1e-8, Number.isFinite(diagnosis.condition) ? 20 * diagnosis.condition * 2 ** -52 : 0);
        expect(standardDistance(fit, expected, all())).toBeLessThan(bound);
        // What is lost in the coefficients of dimensions that hardly differ is not lost in the prediction.
        expect(scoreMoments(fit, all()).r2).toBeCloseTo(scoreMoments(expected, all()).r2, 8);
        expect(diagnosis.rank).toBe(rank);
        expect(diagnosis.constant).toEqual(constant);
        if (dependent) expect(dependent).toContainEqual(diagnosis.dependent);
        else expect(diagnosis.dependent).toHaveLength(20 - rank - constant.length);
        const isSound = ["huge", "steep"].includes(name);
        expect(diagnosis.warnings.length).toBe(isSound ? 0 : 1);
        if (name === "few") expect(diagnosis.warnings[0]).toContain("12 rows cannot determine more than 11 directions");
        if (name === "near") expect(diagnosis.condition).toBeGreaterThan(1e10);
        // A single penalty of 0 goes through the factor where it can, and must not differ.
        expect(standardDistance(fitRidge(all(), { lambda: 0 }), fit, all())).toBeLessThan(bound);
      });

      test("fitProcrustes(moments) is semi-orthogonal, reaches the sum of singular values, and counts what is shared", () => {
        for (const moments of [all(), swapMoments(all())]) {
          const fit = fitProcrustes(moments, { scaled: true });
          const product = gram(fit.Q.rows < fit.Q.cols ? fit.Q : transpose(fit.Q));
          // Rounding of d products of numbers up to 1.
          expect(relative(product.data, identity(product.rows).data)).toBeLessThan(1e-12);
          const reached = fit.Q.data.reduce((sum, value, at) => sum + value * moments.Cyx.data[at]!, 0);
          const most = svd(moments.Cyx).s.reduce((sum, value) => sum + value, 0);
          expect(Math.abs(reached / most - 1)).toBeLessThan(1e-12);
          expect(fit.rank).toBe(name === "steep" ? fit.rank : rank);
          expect(fit.warnings.length).toBe(fit.rank < 20 ? 1 : 0);
        }
      });

      test("toSpace(moments, 'whitened') cuts what never varied, and least squares there is the map of smallest norm", () => {
        const { moments, restore } = toSpace(all(), "whitened", { side: "source" });
        // The near-duplicate is cut: its direction holds less than 1e-10 of the strongest one's variance.
        const width = name === "near" ? 19 : rank;
        expect(moments.meanX.length).toBe(width);
        // 1e-10 of variance is the least that is kept, so whitening is off by 2⁻⁵² · 20/1e-10 at most.
        const n = identity(width).data.map((value) => value * moments.n);
        expect(relative(moments.Cxx.data, n)).toBeLessThan(1e-4);
        const restored = restore(fitOls(moments));
        if (name !== "near")
          expect(standardDistance(restored, fixture.affine(`ill.${name}.ols`), all())).toBeLessThan(1e-8);
      });

      test("scores from moments stay within their ranges, and every number is finite", () => {
        const forward = fitRidge(all(), { lambda: 1e-3 });
        const backward = fitRidge(swapMoments(all()), { lambda: 1e-3 });
        const trip = scoreRoundTrip(forward, backward, all());
        expect(trip.r2).toBeGreaterThan(0);
        expect(trip.r2).toBeLessThanOrEqual(1);
        expect(trip.r2ByDimension.map((value) => (Number.isNaN(value) ? 1 : 0))).toEqual(
          Float64Array.from({ length: 20 }, (_, i) => (constant.includes(i) ? 1 : 0)),
        );
        expect(scoreMoments(forward, all()).r2).toBeGreaterThan(0.9);
        const directions = effectiveRank(forward, all());
        expect(directions).toBeGreaterThan(1);
        expect(directions).toBeLessThanOrEqual(rank);
      });

      test("crossValidateLambda(folds) tries least squares only where it is well conditioned without every fold", () => {
        const folds = [0, 1, 2].map((k) => momentsOf(rows, (k * rows.n) / 3, ((k + 1) * rows.n) / 3));
        const { tried, lambda } = crossValidateLambda(folds);
        expect(tried.some((entry) => entry.lambda === 0)).toBe(["constant", "huge", "steep"].includes(name));
        expect(tried.every(({ r2, standardError }) => Number.isFinite(r2) && standardError >= 0)).toBe(true);
        expect(lambda).toBeGreaterThanOrEqual(0);
      });
    });

test("a target dimension that never varies has no R² of its own, and a map of it is its mean", () => {
  const Y = planted.Y.map((value, at) => (at % 28 === 4 ? 7 : value));
  const moments = momentsOf({ ...planted, Y });
  for (const fit of [
    fitRidge(moments, { lambda: 0.01 }),
    fitOls(moments),
    fitReducedRank(moments, { rank: 6, lambda: 0.01 }),
    toSpace(moments, "standardised").restore(fitProcrustes(toSpace(moments, "standardised").moments)),
  ]) {
    expect(fit.p[4]).toBeCloseTo(7, 10);
    const scores = scoreMoments(fit, moments);
    expect(scores.r2ByDimension[4]).toBeNaN();
    expect(scores.sseByDimension[4]).toBeLessThan(1e-12);
    expect(scores.r2Standardised).toBeCloseTo(
      scores.r2ByDimension.reduce((sum, value, i) => sum + (i === 4 ? 0 : value), 0) / 27,
      12,
    );
  }
});

test("fitAdamW on one dimension 1e4 times the rest is far from the exact map and says that it has not settled", async () => {
  const { rows } = cases["huge"]!;
  const windows = async function* () {
    for (let row = 0; row < rows.n; row += 25)
      yield { X: rows.X.subarray(row * 20, (row + 25) * 20), Y: rows.Y.subarray(row * 28, (row + 25) * 28) };
  };
  const moments = momentsOf(rows);
  const exact = scoreMoments(fitRidge(moments, { lambda: 1e-6 }), moments);
  const fit = await fitAdamW(windows, { dSource: 20, dTarget: 28, learningRate: 1e-3, batchWindows: 4, epochs: 10 });
  expect(scoreMoments(fit, moments).mse).toBeGreaterThan(2 * exact.mse);
  expect(fit.warnings).toHaveLength(1);
});

test("fits of states that are not finite are refused, whatever the fit", () => {
  const X = planted.X.slice();
  X[37] = Number.NaN;
  const Y = planted.Y.slice();
  Y[37] = Number.POSITIVE_INFINITY;
  for (const moments of [momentsOf({ ...planted, X }), momentsOf({ ...planted, Y })]) {
    for (const fit of [
      () => fitRidge(moments, { lambda: 0.1 }),
      () => fitOls(moments),
      () => fitProcrustes(moments),
      () => fitReducedRank(moments, { rank: 2, lambda: 0.1 }),
    ])
      expect(fit).toThrow(expect.objectContaining({ code: "bad-input" }));
  }
  expect(diagonal(momentsOf({ ...planted, Y }).Cyy).some(Number.isNaN)).toBe(true);
});
