import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { factorCholesky, solveCholesky } from "../../src/linalg/cholesky.ts";
import { createMatrix, transpose } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { chooseLambda, defaultLambdas } from "../../src/maps/fit/choose-lambda.ts";
import { fitRidge, fitRidgePath } from "../../src/maps/fit/fit-ridge.ts";
import { createMomentsSum, type Moments } from "../../src/maps/moments.ts";
import { predictAffine, scoreRows } from "../../src/maps/score/score-rows.ts";
import { distance } from "../linalg/fixture.ts";
import { mapRows, normalRows, plantedMatrix, toWindow } from "./planted.ts";

interface RidgeFixture {
  readonly dSource: number;
  readonly dTarget: number;
  readonly X: number[];
  readonly Y: number[];
  readonly heldX: number[];
  readonly heldY: number[];
  readonly condition: number;
  readonly fits: readonly {
    readonly lambda: number;
    readonly A: number[];
    readonly p: number[];
    readonly r2: number;
  }[];
}

const fixture = JSON.parse(readFileSync(resolve("test/fixtures/maps/ridge.json"), "utf8")) as RidgeFixture;

function momentsOf(X: Float32Array, Y: Float32Array, dSource: number, dTarget: number): Moments {
  const sum = createMomentsSum(dSource, dTarget);
  sum.add(X, Y);
  return sum.moments();
}

/** Largest difference relative to the largest value. */
function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return distance(a, b) / Array.from(b).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

const train = momentsOf(Float32Array.from(fixture.X), Float32Array.from(fixture.Y), fixture.dSource, fixture.dTarget);
const held = momentsOf(
  Float32Array.from(fixture.heldX),
  Float32Array.from(fixture.heldY),
  fixture.dSource,
  fixture.dTarget,
);

test("fitRidge(moments, {lambda}) agrees with numpy's augmented least squares, OLS included", () => {
  // Condition about 1e3 on both sides; float64 leaves 1e-12, the project asks for 1e-8.
  for (const { lambda, A, p } of fixture.fits) {
    const fitted = fitRidge(train, { lambda });
    expect(relative(fitted.A.data, A)).toBeLessThan(1e-8);
    expect(relative(fitted.p, p)).toBeLessThan(1e-8);
  }
});

test("fitRidgePath(moments).basis reports numpy's condition number", () => {
  expect(fitRidgePath(train).basis.condition / fixture.condition).toBeCloseTo(1, 8);
});

test("chooseLambda(path, validation, lambdas) gives numpy's R² of every penalty without the rows, and takes the best", () => {
  const choice = chooseLambda(
    fitRidgePath(train),
    held,
    fixture.fits.map(({ lambda }) => lambda),
  );
  choice.tried.forEach(({ r2 }, at) => {
    expect(r2).toBeCloseTo(fixture.fits[at]!.r2, 9);
  });
  const best = fixture.fits.reduce((a, b) => (b.r2 > a.r2 ? b : a));
  expect(choice.lambda).toBe(best.lambda);
});

test("chooseLambda and scoreRows give one R² by two routes: from moments and from rows", () => {
  const X = Float32Array.from(fixture.heldX);
  const window = toWindow(0, X, Float32Array.from(fixture.heldY), new Int32Array(X.length / fixture.dSource));
  const path = fitRidgePath(train);
  for (const { lambda, r2 } of chooseLambda(path, held, [0, 0.01, 1]).tried)
    expect(scoreRows(predictAffine(path.solve(lambda)), [window], train.meanY).r2).toBeCloseTo(r2, 9);
});

test("fitRidge(moments, {lambda}) agrees with a Cholesky solve of the normal equations", () => {
  const d = train.Cxx.rows;
  const lambda = 0.3;
  // Unstandardised: (Cxx + n λ diag(Cxx)/n) Aᵀ = Cxyᵀ.
  const S = createMatrix(
    d,
    d,
    train.Cxx.data.map((value, at) => (at % (d + 1) === 0 ? value * (1 + lambda) : value)),
  );
  const factor = factorCholesky(S);
  if (!factor.isPositiveDefinite) throw new Error("not positive definite");
  expect(relative(fitRidge(train, { lambda }).A.data, solveCholesky(factor.L, train.Cyx).data)).toBeLessThan(1e-9);
});

test("fitRidge(moments, {lambda}) recovers a planted map, better with more rows and less noise", () => {
  const random = seededRandom(4);
  const [dSource, dTarget] = [12, 9];
  const A = plantedMatrix(dTarget, dSource, random);
  const p = Float64Array.from({ length: dTarget }, () => 10 * random.normal());
  const error = (n: number, noise: number): number => {
    const X = normalRows(n, dSource, random, 2, 5);
    const fitted = fitRidge(momentsOf(X, mapRows(X, A, p, noise, random), dSource, dTarget), { lambda: 0 });
    return Math.max(distance(fitted.A.data, A.data), distance(fitted.p, p) / 20);
  };
  // Standard error of a coefficient: noise/(2 √n); the largest of 108 is about 3 of them. Without noise float32 rows leave 1e-6.
  expect(error(1000, 0)).toBeLessThan(1e-5);
  expect(error(1000, 1)).toBeLessThan(0.08);
  expect(error(16_000, 1)).toBeLessThan(0.02);
});

test("chooseLambda(path, validation, lambdas) shrinks more where there are few rows and much noise", () => {
  const random = seededRandom(9);
  const [dSource, dTarget] = [40, 10];
  const A = plantedMatrix(dTarget, dSource, random);
  const draw = (n: number, noise: number): Moments => {
    const X = normalRows(n, dSource, random);
    return momentsOf(X, mapRows(X, A, new Float64Array(dTarget), noise, random), dSource, dTarget);
  };
  const choose = (n: number, noise: number): number => {
    const path = fitRidgePath(draw(n, noise));
    return chooseLambda(path, draw(2000, noise), defaultLambdas(path)).lambda;
  };
  // Best penalty for white x and A of unit scale: noise² d / n = 8 and 4e-6.
  expect(choose(80, 4)).toBeGreaterThan(1);
  expect(choose(4000, 0.02)).toBeLessThan(1e-3);
});

test("fitRidge predicts the same whatever the scale of each source dimension", () => {
  const random = seededRandom(2);
  const X = normalRows(60, 4, random);
  const Y = mapRows(X, plantedMatrix(3, 4, random), [1, 2, 3], 0.5, random);
  const scales = [1024, 1, 2 ** -7, 32]; // powers of two change no digit
  const plain = fitRidge(momentsOf(X, Y, 4, 3), { lambda: 0.1 });
  const scaled = fitRidge(
    momentsOf(
      X.map((x, at) => x * scales[at % 4]!),
      Y,
      4,
      3,
    ),
    { lambda: 0.1 },
  );
  expect(
    distance(
      scaled.A.data.map((a, at) => a * scales[at % 4]!),
      plain.A.data,
    ),
  ).toBeLessThan(1e-12);
  expect(distance(scaled.p, plain.p)).toBeLessThan(1e-12);
});

test("fitRidge turns with the target: a rotation of y rotates A and p", () => {
  const random = seededRandom(3);
  const X = normalRows(60, 4, random);
  const Y = mapRows(X, plantedMatrix(3, 4, random), [1, 2, 3], 0.5, random);
  const Q = randomSemiOrthogonal(3, 3, random);
  const turned = mapRows(Y, Q, [0, 0, 0], 0, random);
  const plain = fitRidge(momentsOf(X, Y, 4, 3), { lambda: 0.1 });
  const rotated = fitRidge(momentsOf(X, turned, 4, 3), { lambda: 0.1 });
  // Rotated rows are rounded to float32: 6e-8 of values near 4.
  expect(distance(multiply(transpose(Q), rotated.A).data, plain.A.data)).toBeLessThan(1e-6);
});

test("fitRidge with lambda 0 leaves out what never varied and reports the condition as infinite", () => {
  const random = seededRandom(5);
  const base = normalRows(200, 2, random);
  // Columns: a, b, a + b, a constant.
  const X = Float32Array.from({ length: 800 }, (_, at) => {
    const row = at >> 2;
    const [a, b] = [Math.fround(base[2 * row]!), Math.fround(base[2 * row + 1]!)];
    return [
      Math.round(a * 256) / 256,
      Math.round(b * 256) / 256,
      Math.round(a * 256) / 256 + Math.round(b * 256) / 256,
      0.1,
    ][at % 4]!;
  });
  const Y = mapRows(X, createMatrix(1, 4, Float64Array.of(1, 2, 0, 0)), [3], 0, random);
  const path = fitRidgePath(momentsOf(X, Y, 4, 1));
  expect(path.basis.rank).toBe(2);
  expect(path.basis.condition).toBe(Number.POSITIVE_INFINITY);
  const { A, p } = path.solve(0);
  expect(A.data[3]).toBe(0);
  const window = toWindow(0, X, Y, new Int32Array(200));
  expect(scoreRows(predictAffine({ A, p }), [window], Float64Array.of(0)).r2).toBeGreaterThan(1 - 1e-12);
});

test("fitRidge refuses a negative penalty and a single row", () => {
  expect(() => fitRidge(train, { lambda: -1 })).toThrow("lambda: expected a number of at least 0, got -1");
  expect(() => fitRidge(train, { lambda: Number.NaN })).toThrow(/lambda/);
  const one = momentsOf(new Float32Array(2), new Float32Array(1), 2, 1);
  expect(() => fitRidge(one, { lambda: 1 })).toThrow("rows to fit: expected at least 2, got 1");
});
