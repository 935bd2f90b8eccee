import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { factorCholesky } from "../../src/linalg/cholesky.ts";
import { estimateCondition } from "../../src/linalg/condition.ts";
import { symmetricEigen } from "../../src/linalg/eigen.ts";
import { createMatrix, identity, type Matrix, transpose } from "../../src/linalg/matrix.ts";
import { gram, multiply } from "../../src/linalg/multiply.ts";
import { orthonormaliseRows, randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { chooseRank } from "../../src/maps/fit/choose-rank.ts";
import { composeAffine } from "../../src/maps/fit/compose-affine.ts";
import { crossValidateLambda } from "../../src/maps/fit/cross-validate-lambda.ts";
import { fitProcrustes } from "../../src/maps/fit/fit-procrustes.ts";
import { fitReducedRank, fitReducedRankPath } from "../../src/maps/fit/fit-reduced-rank.ts";
import { type Affine, fitRidge, fitRidgePath } from "../../src/maps/fit/fit-ridge.ts";
import { swapMoments } from "../../src/maps/fit/swap-moments.ts";
import { type Space, toSpace } from "../../src/maps/fit/to-space.ts";
import { addMoments, type Moments } from "../../src/maps/moments.ts";
import { effectiveRank } from "../../src/maps/score/effective-rank.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { scoreRoundTrip } from "../../src/maps/score/score-round-trip.ts";
import { mapDistance, momentsOf, relative } from "./fits-fixture.ts";
import { mapRows, normalRows, plantedMatrix } from "./planted.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** Rows of y = A x + 3 + noise. */
function momentsFor(A: Matrix, { n = 300, noise = 0.1, seed = 1 } = {}): Moments {
  const random = seededRandom(seed);
  const X = normalRows(n, A.cols, random, 2, 5);
  const Y = mapRows(X, A, new Float64Array(A.rows).fill(3), noise, random);
  return momentsOf({ X, Y, n, dSource: A.cols, dTarget: A.rows });
}

function scaled(A: Matrix, factor: number): Matrix {
  return createMatrix(
    A.rows,
    A.cols,
    A.data.map((value) => factor * value),
  );
}

describe("fitProcrustes(moments, {scaled})", () => {
  test("recovers a planted rotation with its scale, square, tall and wide", () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom([6, 6], [9, 5], [5, 9]), (seed, [rows, cols]) => {
        const Q = randomSemiOrthogonal(rows!, cols!, seededRandom(seed));
        const fit = fitProcrustes(momentsFor(scaled(Q, 2.5), { noise: 0, seed }), { scaled: true });
        // Exact rows are off by float32 rounding, 6e-8; a wide map sees only part of the source, and the sample's correlations turn it.
        const isWide = rows! < cols!;
        expect(Math.abs(fit.scale / 2.5 - 1)).toBeLessThan(isWide ? 0.1 : 1e-6);
        expect(relative(fit.Q.data, Q.data)).toBeLessThan(isWide ? 0.3 : 1e-6);
      }),
      { numRuns: 20 },
    );
  });

  test("turns with its target: rotating y rotates the map", () => {
    const A = plantedMatrix(5, 7, seededRandom(3));
    const R = randomSemiOrthogonal(5, 5, seededRandom(4));
    const moments = momentsFor(A);
    const turned: Moments = { ...moments, meanY: new Float64Array(5), Cyx: multiply(R, moments.Cyx) };
    const plain = fitProcrustes(moments, { scaled: true });
    expect(relative(fitProcrustes(turned, { scaled: true }).A.data, multiply(R, plain.A).data)).toBeLessThan(1e-10);
  });

  test("is the least-squares solution when tall: no nearby rotation or scale does better, and a wide one is the best way back", () => {
    const moments = momentsFor(plantedMatrix(7, 5, seededRandom(5)), { noise: 1 });
    const tall = fitProcrustes(moments, { scaled: true });
    const error = (fit: Affine, on = moments) => scoreMoments({ A: fit.A, p: centred(fit.A, on) }, on).sse;
    const random = seededRandom(6);
    for (let trial = 0; trial < 20; trial++) {
      const near = multiply(turn(7, random), tall.A);
      expect(error({ A: near, p: tall.p })).toBeGreaterThan(error(tall));
      expect(error({ A: scaled(tall.A, 1 + 0.01 * random.normal()), p: tall.p })).toBeGreaterThan(error(tall));
    }
    const wide = fitProcrustes(swapMoments(moments));
    const back = fitProcrustes(moments);
    expect(relative(wide.Q.data, transpose(back.Q).data)).toBeLessThan(1e-10);
  });

  test("refuses rows without any covariance", () => {
    const moments = momentsFor(plantedMatrix(3, 3, seededRandom(1)));
    expect(() => fitProcrustes({ ...moments, Cyx: createMatrix(3, 3) })).toThrow(
      "rows to rotate: expected a source and a target that vary together, got no covariance at all",
    );
  });
});

describe("fitReducedRank(moments, {rank, lambda})", () => {
  const low = multiply(plantedMatrix(9, 3, seededRandom(7)), plantedMatrix(3, 6, seededRandom(8)));
  const moments = momentsFor(low, { n: 600, noise: 0.3 });
  const heldOut = momentsFor(low, { n: 600, noise: 0.3, seed: 2 });

  test("has the rank asked for, and of full rank is the ridge map", () => {
    for (const rank of [1, 2, 4]) {
      const { values } = symmetricEigen(gram(fitReducedRank(moments, { rank, lambda: 0.1 }).A));
      // Squares of singular values: those beyond the rank are rounding.
      expect(values[rank]! / values[0]!).toBeLessThan(1e-14);
      expect(values[rank - 1]! / values[0]!).toBeGreaterThan(1e-8);
    }
    expect(
      mapDistance(fitReducedRank(moments, { rank: 6, lambda: 0.1 }), fitRidge(moments, { lambda: 0.1 })),
    ).toBeLessThan(1e-10);
  });

  test("chooseRank(path, validation) finds a planted rank; with slack, a smaller one", () => {
    const path = fitReducedRankPath(moments, { lambda: 1e-4 });
    const { rank, tried } = chooseRank(path, heldOut);
    expect(tried).toHaveLength(6);
    expect(rank).toBe(3);
    expect(chooseRank(path, heldOut, { slack: 1 }).rank).toBe(1);
    expect(chooseRank(path, heldOut, { ranks: [2, 1] }).rank).toBe(2);
    expect(path.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(() => chooseRank(path, heldOut, { ranks: [7] })).toThrow("ranks: expected integers from 1 to 6, got 7");
    expect(() => path.solve(0)).toThrow("rank: expected an integer from 1 to 6, got 0");
  });
});

describe("toSpace(moments, space, {side})", () => {
  const moments = momentsFor(plantedMatrix(5, 7, seededRandom(9)), { noise: 0.5 });

  test("least squares is the same map in every space of either side", () => {
    const plain = fitRidge(moments, { lambda: 0 });
    for (const space of ["raw", "standardised", "whitened"] satisfies Space[])
      for (const side of ["source", "target", "both"] as const) {
        const { moments: changed, restore } = toSpace(moments, space, { side });
        expect(mapDistance(restore(fitRidge(changed, { lambda: 0 })), plain)).toBeLessThan(1e-10);
      }
  });

  test("gives unit variances, or no correlation at all, and means of zero on the side that was changed", () => {
    const { moments: standardised } = toSpace(moments, "standardised", { side: "source" });
    for (let i = 0; i < 7; i++) expect(standardised.Cxx.data[i * 8]! / moments.n).toBeCloseTo(1, 12);
    expect(standardised.meanX).toEqual(new Float64Array(7));
    expect(standardised.meanY).toBe(moments.meanY);
    const { moments: whitened } = toSpace(moments, "whitened", { side: "target" });
    expect(
      relative(
        whitened.Cyy.data,
        identity(5).data.map((value) => value * moments.n),
      ),
    ).toBeLessThan(1e-12);
    expect(whitened.Cxx).toBe(moments.Cxx);
  });

  test("ridge in a whitened source shrinks every direction alike, and shrinkage leaves weak directions weak", () => {
    const plain = toSpace(moments, "whitened", { side: "source" });
    const half = plain.restore(fitRidge(plain.moments, { lambda: 1 }));
    expect(relative(half.A.data, scaled(fitRidge(moments, { lambda: 0 }).A, 0.5).data)).toBeLessThan(1e-10);
    const { moments: shrunk } = toSpace(moments, "whitened", { side: "source", shrinkage: 1 });
    const { eigenvalues } = fitRidgePath(moments).basis;
    eigenvalues.forEach((value, k) => {
      expect(shrunk.Cxx.data[k * 8]! / moments.n).toBeCloseTo(value / (value + 1), 10);
    });
  });

  test("cuts directions by the tolerance and refuses what it cannot do", () => {
    const { eigenvalues } = fitRidgePath(moments).basis;
    const tolerance = eigenvalues[3]! / eigenvalues[0]! - 1e-9;
    expect(toSpace(moments, "whitened", { side: "source", tolerance }).moments.meanX).toHaveLength(4);
    expect(() => toSpace(moments, "whitened", { shrinkage: -1 })).toThrow(
      "shrinkage: expected a number of at least 0, got -1",
    );
    const still = { ...moments, Cyy: createMatrix(5, 5) };
    expect(() => toSpace(still, "whitened")).toThrow("target to whiten: expected states that vary, got none that do");
    const { restore } = toSpace(moments, "whitened");
    expect(() => restore(fitRidge(swapMoments(moments), { lambda: 1 }))).toThrow(
      "map to restore: expected one from 7 to 5",
    );
  });
});

describe("crossValidateLambda(folds, {rule})", () => {
  const A = plantedMatrix(4, 10, seededRandom(10));
  const folds = [1, 2, 3, 4, 5].map((seed) => momentsFor(A, { n: 24, noise: 2, seed }));

  test("picks the best mean, or the largest penalty within one standard error of it", () => {
    const best = crossValidateLambda(folds);
    const smooth = crossValidateLambda(folds, { rule: "one-standard-error" });
    const entry = best.tried.find(({ lambda }) => lambda === best.lambda)!;
    expect(best.tried.every(({ r2 }) => r2 <= entry.r2)).toBe(true);
    expect(smooth.tried).toEqual(best.tried);
    expect(smooth.lambda).toBeGreaterThan(best.lambda);
    const enough = entry.r2 - entry.standardError;
    expect(smooth.lambda).toBe(Math.max(...best.tried.filter(({ r2 }) => r2 >= enough).map(({ lambda }) => lambda)));
    expect(best.n).toBe(120);
  });

  test("scores each fold by the map of the others", () => {
    const { tried } = crossValidateLambda(folds, { lambdas: [0.5] });
    folds.forEach((fold, k) => {
      const rest = folds.filter((_, at) => at !== k).reduce((a, b) => addMoments(a, b));
      expect(scoreMoments(fitRidge(rest, { lambda: 0.5 }), fold).r2).toBeCloseTo(tried[0]!.byFold[k]!, 10);
    });
  });

  test("refuses one fold, and folds without rows", () => {
    expect(() => crossValidateLambda(folds.slice(1, 2))).toThrow("folds: expected at least 2, got 1");
    expect(() => crossValidateLambda([folds[0]!, { ...folds[1]!, n: 0 }])).toThrow("fold 1: expected rows, got none");
  });
});

describe("scores from moments", () => {
  const A = plantedMatrix(6, 4, seededRandom(11));
  const moments = momentsFor(A, { noise: 0.5 });

  test("scoreRoundTrip(forward, backward, moments) is 1 through a wider space without noise, and no more than a bottleneck lets by", () => {
    const exact = momentsFor(A, { noise: 0 });
    const trip = scoreRoundTrip(fitRidge(exact, { lambda: 0 }), fitRidge(swapMoments(exact), { lambda: 1e-9 }), exact);
    expect(trip.r2).toBeGreaterThan(1 - 1e-6);
    // Two of four dimensions, of alike variance, can pass through a target of two.
    const narrow = momentsFor(plantedMatrix(2, 4, seededRandom(12)), { noise: 0, n: 3000 });
    const { r2 } = scoreRoundTrip(
      fitRidge(narrow, { lambda: 0 }),
      fitRidge(swapMoments(narrow), { lambda: 0 }),
      narrow,
    );
    expect(r2).toBeCloseTo(0.5, 1);
    expect(() => scoreRoundTrip(fitRidge(moments, { lambda: 0 }), fitRidge(moments, { lambda: 0 }), moments)).toThrow(
      "maps to join: expected a second map from 6 dimensions, got from 4",
    );
  });

  test("composeAffine(first, second) applies one after the other", () => {
    const first = { A: plantedMatrix(3, 4, seededRandom(13)), p: Float64Array.of(1, 2, 3) };
    const second = { A: plantedMatrix(2, 3, seededRandom(14)), p: Float64Array.of(4, 5) };
    const apply = ({ A: M, p }: Affine, x: Float64Array) =>
      multiply(M, createMatrix(M.cols, 1, x)).data.map((value, i) => value + p[i]!);
    const x = Float64Array.of(0.1, -2, 3, 0.5);
    expect(relative(apply(composeAffine(first, second), x), apply(second, apply(first, x)))).toBeLessThan(1e-14);
  });

  test("scoreMoments(affine, moments) of the mean is 0, and a shift of p by b adds n b² to one dimension", () => {
    const mean = { A: createMatrix(6, 4), p: moments.meanY };
    expect(scoreMoments(mean, moments).r2).toBeCloseTo(0, 12);
    const fit = fitRidge(moments, { lambda: 0 });
    const shifted = { A: fit.A, p: fit.p.map((value, i) => value + (i === 2 ? 0.7 : 0)) };
    const [before, after] = [scoreMoments(fit, moments), scoreMoments(shifted, moments)];
    expect(after.sseByDimension[2]! - before.sseByDimension[2]!).toBeCloseTo(moments.n * 0.49, 6);
    expect(after.sse - before.sse).toBeCloseTo(moments.n * 0.49, 6);
    expect(() => scoreMoments(fit, swapMoments(moments))).toThrow(
      "map to score: expected one from 6 to 4 dimensions, got from 4 to 6",
    );
  });

  test("effectiveRank(affine, moments) counts equal directions, and does not change with rotation or scale", () => {
    const Cxx = identity(8);
    for (const k of [1, 3, 8]) {
      const P = createMatrix(
        8,
        8,
        identity(8).data.map((value, at) => (at < 8 * k ? value : 0)),
      );
      expect(effectiveRank({ A: P }, { Cxx })).toBeCloseTo(k, 10);
    }
    const turned = scaled(multiply(randomSemiOrthogonal(6, 6, seededRandom(15)), A), 3);
    expect(effectiveRank({ A: turned }, moments)).toBeCloseTo(effectiveRank({ A }, moments), 10);
    expect(effectiveRank({ A: createMatrix(6, 4) }, moments)).toBe(0);
  });
});

describe("fitRidge(moments, {lambda}) by one factor", () => {
  test("is the path's solution at any penalty, whatever the scales of the source", () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(0, 1e-6, 1e-3, 1, 100), (seed, lambda) => {
        const moments = momentsFor(plantedMatrix(4, 6, seededRandom(seed)), { n: 40, noise: 1, seed });
        expect(mapDistance(fitRidge(moments, { lambda }), fitRidgePath(moments).solve(lambda))).toBeLessThan(1e-10);
      }),
      { numRuns: 30 },
    );
  });

  test("estimateCondition(S, L) is a lower bound of the 1-norm condition, of its order of magnitude", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 12 }), (seed, d) => {
        const S = gram(plantedMatrix(d, d + 3, seededRandom(seed)));
        const factor = factorCholesky(S);
        if (!factor.isPositiveDefinite) return;
        const { values, vectors } = symmetricEigen(S);
        const inverse = multiply(
          transpose(vectors),
          createMatrix(
            d,
            d,
            vectors.data.map((value, at) => value / values[Math.floor(at / d)]!),
          ),
        );
        const exact = norm(S) * norm(inverse);
        const estimate = estimateCondition(S, factor.L);
        expect(estimate).toBeLessThan(exact * (1 + 1e-6));
        expect(estimate).toBeGreaterThan(exact / 10);
      }),
      { numRuns: 50 },
    );
  });
});

function norm(A: Matrix): number {
  return Math.max(
    ...Array.from({ length: A.cols }, (_, j) =>
      A.data.reduce((sum, value, at) => sum + (at % A.cols === j ? Math.abs(value) : 0), 0),
    ),
  );
}

/** The intercept through the means. */
function centred(A: Matrix, { meanX, meanY }: Moments): Float64Array {
  return meanY.map((value, i) => meanX.reduce((sum, x, j) => sum - A.data[i * A.cols + j]! * x, value));
}

/** A rotation by about a degree in a random direction. */
function turn(d: number, random: ReturnType<typeof seededRandom>): Matrix {
  const near = identity(d).data.map((value) => value + 0.01 * random.normal());
  return orthonormaliseRows(createMatrix(d, d, near));
}
