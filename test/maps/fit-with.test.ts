import { expect, test } from "vitest";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { chooseLambda, defaultLambdas } from "../../src/maps/fit/choose-lambda.ts";
import { chooseRank } from "../../src/maps/fit/choose-rank.ts";
import { crossValidateLambda } from "../../src/maps/fit/cross-validate-lambda.ts";
import { fitOls } from "../../src/maps/fit/fit-ols.ts";
import { fitProcrustes } from "../../src/maps/fit/fit-procrustes.ts";
import { fitReducedRank, fitReducedRankPath } from "../../src/maps/fit/fit-reduced-rank.ts";
import { type Affine, decomposeSource, fitRidge, fitRidgePath } from "../../src/maps/fit/fit-ridge.ts";
import { checkFitChoice, type FitChoice, type FitMoments, fitWith } from "../../src/maps/fit/fit-with.ts";
import { swapMoments } from "../../src/maps/fit/swap-moments.ts";
import { toSpace } from "../../src/maps/fit/to-space.ts";
import { addMoments, createMomentsSum, type Moments } from "../../src/maps/moments.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { distance } from "../linalg/fixture.ts";
import { mapRows, normalRows, plantedMatrix } from "./planted.ts";

/** Rows of a map of rank 2 from 7 to 6 dimensions of sizes 1 to 7, and noise. */
const [dS, dT] = [7, 6];
const left = plantedMatrix(dT, 2, seededRandom(1));
const right = plantedMatrix(2, dS, seededRandom(2));
const A = createMatrix(dT, dS);
for (let at = 0; at < A.data.length; at++) {
  const [i, j] = [Math.floor(at / dS), at % dS];
  A.data[at] = 2 * (left.data[2 * i]! * right.data[j]! + left.data[2 * i + 1]! * right.data[dS + j]!);
}

function rows(n: number, seed: number): Moments {
  const random = seededRandom(seed);
  const X = normalRows(n, dS, random, 1, 5).map((value, at) => value * (1 + (at % dS)));
  const sum = createMomentsSum(dS, dT);
  sum.add(X, mapRows(X, A, [1, 2, 3, 4, 5, 6], 4, random));
  return sum.moments();
}

const folds = [rows(40, 10), rows(40, 11), rows(40, 12)];
const training = folds.reduce(addMoments);
const validation = rows(60, 20);
const basis = decomposeSource(training);
const data: FitMoments = { training, validation, basis };

function expectSame(a: Affine, b: Affine): void {
  // The same sums solved by another route, Cholesky or eigenvalues: rounding times a condition of about 10.
  expect(distance(a.A.data, b.A.data)).toBeLessThan(1e-10);
  expect(distance(a.p, b.p)).toBeLessThan(1e-10);
}

test("fitWith(data) chooses the penalty as chooseLambda does, and fits ridge with it", () => {
  const fitted = fitWith(data);
  const path = fitRidgePath(training);
  const chosen = chooseLambda(path, validation, defaultLambdas(path));
  expect(fitted.record).toMatchObject({ method: "ridge", space: "standardised", choice: "validation" });
  expect(fitted.record.lambda).toBe(chosen.lambda);
  expect(fitted.record.tried).toEqual(chosen.tried);
  expect(fitted.record.condition).toBe(basis.condition);
  expectSame(fitted.affine, fitRidge(training, { lambda: chosen.lambda }));
  expect(fitted.record).not.toHaveProperty("rank");
  // Whether the decomposition is known changes nothing.
  expectSame(fitWith({ training, validation }).affine, fitted.affine);
});

test("fitWith takes one penalty as given, 0 of it as least squares, and tries the several it is told", () => {
  const given = fitWith(data, { lambdas: [0.3] });
  expect(given.record).toMatchObject({ method: "ridge", lambda: 0.3, tried: [], choice: "given" });
  expectSame(given.affine, fitRidge(training, { lambda: 0.3 }));
  expect(fitWith(data, { lambdas: [0] }).record).toMatchObject({ method: "ols", lambda: 0, choice: "given" });
  const several = fitWith(data, { lambdas: [1e-4, 100] });
  expect(several.record.tried.map(({ lambda }) => lambda)).toEqual([1e-4, 100]);
  expect(several.record.lambda).toBe(1e-4);
});

test("fitWith across folds chooses as crossValidateLambda does, on folds that did not fit, and fits all of them", () => {
  const fitted = fitWith({ ...data, validation: folds[0]!, folds });
  const crossed = crossValidateLambda(folds);
  expect(fitted.record).toMatchObject({ lambda: crossed.lambda, choice: "cross-validation", folds: 3 });
  expect(fitted.record.tried).toEqual(crossed.tried.map(({ lambda, r2 }) => ({ lambda, r2 })));
  expectSame(fitted.affine, fitRidge(training, { lambda: crossed.lambda }));
  // Rows never fitted: every fold scored by the map of the others.
  const byHand = folds.map((fold, left) => {
    const others = folds.filter((_, at) => at !== left).reduce(addMoments);
    return scoreMoments(fitRidge(others, { lambda: crossed.lambda }), fold).r2;
  });
  const tried = fitted.record.tried.find(({ lambda }) => lambda === crossed.lambda)!;
  expect(tried.r2).toBeCloseTo(byHand.reduce((sum, r2) => sum + r2, 0) / 3, 9);
  // Fitted rows flatter: the same map on the rows that made it scores higher than the mean over folds.
  expect(scoreMoments(fitted.affine, training).r2).toBeGreaterThan(tried.r2);
});

const space =
  (name: "standardised" | "whitened", fit: (moments: Moments) => Affine) =>
  (moments: Moments): Affine => {
    const inside = toSpace(moments, name);
    return inside.restore(fit(inside.moments));
  };

test.each<[string, FitChoice, (moments: Moments) => Affine]>([
  ["ols", { method: "ols" }, fitOls],
  ["ols, raw", { method: "ols", space: "raw" }, fitOls],
  ["procrustes", { method: "procrustes" }, (moments) => fitProcrustes(moments)],
  ["scaled procrustes", { method: "scaled-procrustes" }, (moments) => fitProcrustes(moments, { scaled: true })],
  [
    "scaled procrustes, whitened",
    { method: "scaled-procrustes", space: "whitened" },
    space("whitened", (moments) => fitProcrustes(moments, { scaled: true })),
  ],
  [
    "procrustes, standardised",
    { method: "procrustes", space: "standardised" },
    space("standardised", (moments) => fitProcrustes(moments)),
  ],
  [
    "reduced rank",
    { method: "reduced-rank", rank: 2, lambdas: [0.01] },
    (moments) => fitReducedRank(moments, { rank: 2, lambda: 0.01 }),
  ],
  [
    "reduced rank, whitened",
    { method: "reduced-rank", rank: 2, lambdas: [0.01], space: "whitened" },
    space("whitened", (moments) => fitReducedRank(moments, { rank: 2, lambda: 0.01 })),
  ],
  [
    "ridge, whitened",
    { method: "ridge", lambdas: [0.1], space: "whitened" },
    space("whitened", (moments) => fitRidge(moments, { lambda: 0.1 })),
  ],
])("fitWith by %s is the plain function of the same moments, and so is its refit of others", (_, choice, plain) => {
  const fitted = fitWith(data, choice);
  expectSame(fitted.affine, plain(training));
  // What the nulls, the way back and the learning curve are fitted by.
  expectSame(fitted.refit(validation), plain(validation));
  expectSame(fitted.refit(swapMoments(training)), plain(swapMoments(training)));
  expect(fitted.record).toMatchObject({ method: choice.method, choice: "given", tried: [] });
  expect(fitted.record.lambda).toBe(choice.lambdas?.[0] ?? 0);
});

test("the refit of a chosen penalty keeps that penalty, whatever the rows", () => {
  const fitted = fitWith(data);
  expectSame(fitted.refit(validation), fitRidge(validation, { lambda: fitted.record.lambda }));
});

test("fitWith of reduced rank finds the planted rank, as chooseRank does", () => {
  const fitted = fitWith(data, { method: "reduced-rank" });
  expect(fitted.record.rank).toBe(2);
  const path = fitRidgePath(training);
  const { lambda } = chooseLambda(path, validation, defaultLambdas(path));
  expect(fitted.record).toMatchObject({ lambda, space: "raw", choice: "validation" });
  expect(chooseRank(fitReducedRankPath(training, { lambda }), validation).rank).toBe(2);
  expectSame(fitted.affine, fitReducedRank(training, { rank: 2, lambda }));
  // In other coordinates the planted rank is the same; powers of two are tried there.
  for (const name of ["standardised", "whitened"] as const)
    expect(fitWith(data, { method: "reduced-rank", space: name }).record.rank).toBe(2);
  // Across folds the rank is given and the penalty found.
  const crossed = fitWith({ ...data, folds }, { method: "reduced-rank", rank: 3 });
  expect(crossed.record).toMatchObject({
    rank: 3,
    choice: "cross-validation",
    lambda: crossValidateLambda(folds).lambda,
  });
});

test("a refit of fewer dimensions than the rank keeps all that they have", () => {
  const fitted = fitWith(data, { method: "reduced-rank", rank: 6, lambdas: [0.01] });
  const narrow = createMomentsSum(3, dT);
  const random = seededRandom(5);
  narrow.add(normalRows(50, 3, random), normalRows(50, dT, random));
  expectSame(fitted.refit(narrow.moments()), fitRidge(narrow.moments(), { lambda: 0.01 }));
});

test("fitWith in the whitened space chooses the penalty that scores best in the states' own coordinates", () => {
  const { record } = fitWith(data, { space: "whitened" });
  const byHand = record.tried.map(({ lambda }) => {
    const map = fitWith(data, { space: "whitened", lambdas: [lambda] }).affine;
    return { lambda, r2: scoreMoments(map, validation).r2 };
  });
  expect(byHand.length).toBeGreaterThan(10);
  byHand.forEach(({ r2 }, at) => {
    expect(record.tried[at]!.r2).toBeCloseTo(r2, 10);
  });
  expect(record.lambda).toBe(byHand.reduce((a, b) => (b.r2 > a.r2 ? b : a)).lambda);
  expect(record.lambda).toBeGreaterThan(0);
});

test.each<[FitChoice, boolean, string]>([
  [{ rank: 2 }, false, "rank: expected none, or method reduced-rank, got rank 2 with ridge"],
  [
    { method: "ols", lambdas: [1] },
    false,
    "lambdas: expected none, or method ridge or reduced-rank, got penalties with ols",
  ],
  [{ lambdas: [] }, false, "lambdas: expected at least one penalty, got none"],
  [{ lambdas: [1, -1] }, false, "lambda: expected a number of at least 0, got -1"],
  [{ space: "raw" }, false, "space: expected standardised or whitened for ridge, got raw"],
  [
    { space: "whitened" },
    true,
    "space: expected standardised with cross-validation, or one penalty given, got whitened",
  ],
  [
    { method: "reduced-rank" },
    true,
    "rank: expected a rank with cross-validation, which chooses the penalty only, got none",
  ],
  [{ method: "reduced-rank", rank: 1.5 }, false, "rank: expected an integer of at least 1, got 1.5"],
])("checkFitChoice(%o, folds %s) refuses what does not belong together", (choice, hasFolds, message) => {
  expect(() => checkFitChoice(choice, { hasFolds })).toThrow(expect.objectContaining({ code: "bad-input", message }));
  expect(() => fitWith({ ...data, folds: hasFolds ? folds : undefined }, choice)).toThrow(message);
});

test("checkFitChoice lets through what belongs together", () => {
  checkFitChoice({}, { hasFolds: true });
  checkFitChoice({ space: "whitened", lambdas: [1] }, { hasFolds: true });
  checkFitChoice({ method: "reduced-rank", rank: 3, space: "standardised" }, { hasFolds: true });
  checkFitChoice({ method: "procrustes", space: "whitened" }, { hasFolds: false });
});
