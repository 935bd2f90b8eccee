import fc from "fast-check";
import { expect, test } from "vitest";
import { factorCholesky, solveCholesky } from "../../src/linalg/cholesky.ts";
import { symmetricEigen } from "../../src/linalg/eigen.ts";
import { createMatrix, identity, type Matrix, transpose } from "../../src/linalg/matrix.ts";
import { gram, multiply, multiplyTransposed } from "../../src/linalg/multiply.ts";
import { orthonormaliseRows, randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { testOnBackends } from "./backends.ts";
import { distance, gaussian, readFixture, toMatrix } from "./fixture.ts";

const fixture = readFixture();
/** Sizes on both sides of the panel width of 48, and of the 32 at which a triangular solution is cut in halves. */
const sizes: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(31, 33, 47, 48, 49, 97));

function factorOf(S: Matrix): Matrix {
  const result = factorCholesky(S);
  if (!result.isPositiveDefinite) throw new Error(`pivot ${result.pivot}: ${result.value}`);
  return result.L;
}

testOnBackends("factorCholesky(S) agrees with numpy on a matrix of condition 1e6", () => {
  // Backward error n·eps; the factor's relative error may grow by the condition: 1e6 · 37 · 2e-16 = 1e-8.
  expect(distance(factorOf(toMatrix(fixture.spd)).data, fixture.cholesky.data)).toBeLessThan(1e-8);
});

testOnBackends("solveCholesky(L, B) agrees with numpy.linalg.solve on a matrix of condition 1e6", () => {
  const X = solveCholesky(factorOf(toMatrix(fixture.spd)), toMatrix(fixture.rhs));
  // Solutions are of size 1e6, so this is 1e-9 of them.
  expect(distance(X.data, fixture.solution.data)).toBeLessThan(1e-3);
});

testOnBackends("factorCholesky(S) gives a lower L with L Lᵀ = S, and solveCholesky(L, B) S = B", () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 6 }), fc.nat(), (n, m, seed) => {
      const S = gram(gaussian(n, 2 * n + 3, seed));
      const L = factorOf(S);
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(L.data[i * n + j]).toBe(0);
      // Entries are at most about 300; n products each: 97 · 300 · eps ≈ 1e-11.
      expect(distance(multiplyTransposed(L, L).data, S.data)).toBeLessThan(1e-10);
      const B = gaussian(m, n, seed + 1);
      expect(distance(multiply(solveCholesky(L, B), S).data, B.data)).toBeLessThan(1e-9);
    }),
    { numRuns: 30 },
  );
});

testOnBackends("factorCholesky(S) reads the lower triangle only", () => {
  const S = gram(gaussian(50, 80, 3));
  const lower = createMatrix(
    50,
    50,
    S.data.map((value, at) => (at % 50 > Math.floor(at / 50) ? 99 : value)),
  );
  expect(factorOf(lower)).toEqual(factorOf(S));
});

testOnBackends("factorCholesky(S) names the pivot at which S stops being positive definite", () => {
  const S = identity(60);
  S.data[55 * 60 + 55] = -2;
  expect(factorCholesky(S)).toEqual({ isPositiveDefinite: false, pivot: 55, value: -2 });
  const rank3 = factorCholesky(gram(gaussian(8, 3, 4)));
  expect(rank3).toMatchObject({ isPositiveDefinite: false, pivot: 3 });
  const withNaN = createMatrix(2, 2, Float64Array.of(1, 0, Number.NaN, 1));
  expect(factorCholesky(withNaN).isPositiveDefinite).toBe(false);
  const large = gram(gaussian(90, 120, 1));
  large.data[70 * 90 + 30] = Number.NaN;
  expect(factorCholesky(large)).toEqual({ isPositiveDefinite: false, pivot: 70, value: Number.NaN });
  const dependent = gaussian(90, 120, 2);
  dependent.data.copyWithin(66 * 120, 12 * 120, 13 * 120);
  expect(factorCholesky(gram(dependent))).toMatchObject({ isPositiveDefinite: false, pivot: 66 });
});

testOnBackends("symmetricEigen(S) agrees with numpy.linalg.eigvalsh to the rounding of the largest eigenvalue", () => {
  const { values } = symmetricEigen(toMatrix(fixture.spd));
  expect(distance(values, fixture.eigenvalues)).toBeLessThan(37 * Number.EPSILON);
});

for (const [n, rank] of [
  [97, 13],
  [97, 30],
  [128, 30],
  [192, 100],
] as const)
  testOnBackends(`symmetricEigen(S) of size ${n} and rank ${rank} ends with the zero eigenvalues at rounding`, () => {
    for (let seed = 0; seed < 4; seed++) {
      const { values } = symmetricEigen(gram(gaussian(n, rank, seed)));
      expect(values[rank - 1]! / values[0]!).toBeGreaterThan(1e-3);
      // About n · eps · a few of the largest.
      expect(Math.abs(values[rank]!) / values[0]!).toBeLessThan(1e-12);
    }
  });

testOnBackends(
  "symmetricEigen(S) gives orthonormal rows V, descending values and S = Vᵀ diag V, for full and deficient rank",
  () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 100 }), fc.nat(), (n, rank, seed) => {
        const S = gram(gaussian(n, Math.min(rank, n + 5), seed));
        const { values, vectors } = symmetricEigen(S);
        const scaled = createMatrix(
          n,
          n,
          vectors.data.map((v, at) => v * values[Math.floor(at / n)]!),
        );
        const norm = values[0]!;
        expect(distance(gram(vectors).data, identity(n).data)).toBeLessThan(1e-12); // about n · eps · a few
        expect(distance(multiply(transpose(vectors), scaled).data, S.data)).toBeLessThan(1e-12 * norm);
        for (let i = 1; i < n; i++) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
      }),
      { numRuns: 30 },
    );
  },
);

testOnBackends("symmetricEigen(S) handles zero, diagonal, repeated and indefinite spectra", () => {
  expect([...symmetricEigen(createMatrix(3, 3)).values]).toEqual([0, 0, 0]);
  expect(symmetricEigen(identity(4)).values).toEqual(new Float64Array(4).fill(1));
  const diagonal = createMatrix(3, 3, Float64Array.of(-2, 0, 0, 0, 5, 0, 0, 0, 1e-300));
  expect([...symmetricEigen(diagonal).values]).toEqual([5, 1e-300, -2]);
  const flip = createMatrix(2, 2, Float64Array.of(0, 1, 1, 0));
  expect(distance(symmetricEigen(flip).values, [1, -1])).toBeLessThan(1e-15);
  expect(symmetricEigen(createMatrix(1, 1, Float64Array.of(7))).values).toEqual(Float64Array.of(7));
});

testOnBackends("symmetricEigen(S) scales with S, far outside the range in which squares overflow", () => {
  const S = gram(gaussian(6, 9, 5));
  const plain = symmetricEigen(S).values;
  for (const scale of [1e160, 1e-160]) {
    const values = symmetricEigen(
      createMatrix(
        6,
        6,
        S.data.map((v) => v * scale),
      ),
    ).values;
    expect(
      distance(
        values.map((v) => v / scale),
        plain,
      ),
    ).toBeLessThan(1e-12 * plain[0]!);
  }
});

test("symmetricEigen(S) refuses NaN and a matrix that is not square", () => {
  expect(() => symmetricEigen(createMatrix(1, 1, Float64Array.of(Number.NaN)))).toThrow(/finite/);
  expect(() => symmetricEigen(createMatrix(1, 2))).toThrow("eigenvalues: expected a square matrix, got 1 x 2");
});

testOnBackends(
  "randomSemiOrthogonal(rows, cols) has orthonormal rows when wide and orthonormal columns when tall",
  () => {
    for (const [rows, cols] of [
      [5, 9],
      [9, 5],
      [60, 60],
      [1, 1],
    ] as const) {
      const Q = randomSemiOrthogonal(rows, cols, seededRandom(3));
      const product = rows <= cols ? gram(Q) : gram(transpose(Q));
      expect(distance(product.data, identity(Math.min(rows, cols)).data)).toBeLessThan(1e-13);
    }
  },
);

testOnBackends("orthonormaliseRows(G) keeps the span row by row and refuses dependent rows", () => {
  const G = gaussian(4, 10, 6);
  const L = multiplyTransposed(G, orthonormaliseRows(G));
  for (let i = 0; i < 4; i++) {
    expect(L.data[i * 4 + i]!).toBeGreaterThan(0);
    for (let j = i + 1; j < 4; j++) expect(Math.abs(L.data[i * 4 + j]!)).toBeLessThan(1e-13);
  }
  G.data.copyWithin(30, 0, 10);
  expect(() => orthonormaliseRows(G)).toThrow(/row 3 in the span/);
  expect(() => orthonormaliseRows(gaussian(3, 2, 1))).toThrow(/at most 2 rows/);
});
