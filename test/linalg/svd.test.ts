import fc from "fast-check";
import { expect, test } from "vitest";
import { createMatrix, identity, type Matrix, transpose } from "../../src/linalg/matrix.ts";
import { gram, multiply } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { svd } from "../../src/linalg/svd.ts";
import { testOnBackends, withBackend } from "./backends.ts";
import { distance, gaussian } from "./fixture.ts";

/** U diag(s) Vᵀ with chosen singular values between random orthonormal vectors. */
function planted(m: number, n: number, s: readonly number[], seed: number): Matrix {
  const U = randomSemiOrthogonal(m, s.length, seededRandom(seed));
  const Vt = randomSemiOrthogonal(s.length, n, seededRandom(seed + 1));
  return multiply(U, scaleRows(Vt, s));
}

function scaleRows(A: Matrix, s: ArrayLike<number>): Matrix {
  return createMatrix(
    A.rows,
    A.cols,
    A.data.map((value, at) => value * s[Math.floor(at / A.cols)]!),
  );
}

/** Every promise of `svd`, to rounding: about max(m, n) · eps · a few. */
function expectDecomposition(A: Matrix): Float64Array {
  const { U, s, Vt } = svd(A);
  const k = Math.min(A.rows, A.cols);
  expect([U.rows, U.cols, s.length, Vt.rows, Vt.cols]).toEqual([A.rows, k, k, k, A.cols]);
  expect(distance(gram(Vt).data, identity(k).data)).toBeLessThan(1e-12);
  expect(distance(gram(transpose(U)).data, identity(k).data)).toBeLessThan(1e-12);
  const largest = s[0] ?? 0;
  expect(distance(multiply(U, scaleRows(Vt, s)).data, A.data)).toBeLessThanOrEqual(1e-12 * largest);
  for (let i = 0; i < k; i++) {
    expect(s[i]!).toBeGreaterThanOrEqual(0);
    if (i > 0) expect(s[i]!).toBeLessThanOrEqual(s[i - 1]!);
    const row = Vt.data.subarray(i * A.cols, (i + 1) * A.cols);
    expect(Math.max(...row)).toBeGreaterThanOrEqual(Math.max(...row.map((value) => -value)));
  }
  return s;
}

testOnBackends("svd(A) keeps its promises at every shape and rank", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(31, 60));
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 70 }), fc.nat(), (m, n, rank, seed) => {
      const A =
        rank >= Math.min(m, n) ? gaussian(m, n, seed) : multiply(gaussian(m, rank, seed), gaussian(rank, n, seed + 1));
      expectDecomposition(A);
    }),
    { numRuns: 40 },
  );
});

testOnBackends("svd(A) finds planted singular values over fifteen decades to 1e-13 of the largest", () => {
  const s = Array.from({ length: 40 }, (_, i) => 10 ** ((-15 * i) / 39));
  for (const [m, n] of [
    [40, 90],
    [90, 40],
    [40, 40],
  ] as const)
    expect(distance(expectDecomposition(planted(m, n, s, 3)), s)).toBeLessThan(1e-13);
});

testOnBackends("svd(A) finds repeated and zero singular values", () => {
  const s = [...new Array<number>(10).fill(3), ...new Array<number>(10).fill(1e-6), ...new Array<number>(10).fill(0)];
  expect(distance(expectDecomposition(planted(30, 50, s, 5)), s)).toBeLessThan(3e-13);
  expect([...expectDecomposition(createMatrix(3, 5))]).toEqual([0, 0, 0]);
  expect([...expectDecomposition(identity(20))]).toEqual(new Array<number>(20).fill(1));
  expect(svd(createMatrix(0, 5)).Vt).toEqual(createMatrix(0, 5));
});

testOnBackends("svd(A) scales with A, far outside the range in which squares overflow", () => {
  const A = gaussian(9, 14, 6);
  const plain = svd(A).s;
  for (const scale of [2 ** 600, 2 ** -600]) {
    const { s } = svd(
      createMatrix(
        9,
        14,
        A.data.map((value) => value * scale),
      ),
    );
    expect(
      distance(
        s.map((value) => value / scale),
        plain,
      ),
    ).toBeLessThan(1e-13 * plain[0]!);
  }
});

testOnBackends("svd(Aᵀ) has the singular values of svd(A)", () => {
  const A = gaussian(30, 47, 7);
  expect(distance(svd(transpose(A)).s, svd(A).s)).toBeLessThan(1e-13 * svd(A).s[0]!);
});

test("svd(A) refuses a value that is not finite", () => {
  expect(() => svd(createMatrix(1, 2, Float64Array.of(1, Number.NaN)))).toThrow(
    "singular values: expected finite values, got NaN at row 0, column 1",
  );
});

test("svd(A) gives the same vectors with every backend, signs and all", () => {
  const A = planted(
    20,
    33,
    Array.from({ length: 20 }, (_, i) => 20 - i),
    9,
  );
  const portable = withBackend("portable", () => svd(A));
  const system = withBackend("auto", () => svd(A));
  // Gaps of 1 between values up to 20: vectors turn by 20 · eps · a few.
  expect(distance(system.Vt.data, portable.Vt.data)).toBeLessThan(1e-12);
  expect(distance(system.U.data, portable.U.data)).toBeLessThan(1e-12);
});
