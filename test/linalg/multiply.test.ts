import fc from "fast-check";
import { expect, test } from "vitest";
import { addProduct, addTransposedProduct } from "../../src/linalg/kernel.ts";
import { createMatrix, type Matrix, transpose } from "../../src/linalg/matrix.ts";
import { gram, multiply, multiplyTransposed, toView, transposedMultiply } from "../../src/linalg/multiply.ts";
import { testOnBackends } from "./backends.ts";
import { distance, gaussian } from "./fixture.ts";

/** Sizes around the block edges (4, 64) and the depth of a pass (256). */
const size: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.constantFrom(63, 64, 65, 70));
const inner: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(255, 256, 300));

function naive(A: Matrix, B: Matrix): Matrix {
  const C = createMatrix(A.rows, B.cols);
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < B.cols; j++)
      for (let t = 0; t < A.cols; t++) C.data[i * B.cols + j]! += A.data[i * A.cols + t]! * B.data[t * B.cols + j]!;
  return C;
}

// Sums of at most 300 products of standard normals in another order: errors stay near 300 · 2^-52 · 16.
const tolerance = 1e-11;

testOnBackends(
  "multiply(A, B), multiplyTransposed(A, Bᵀ) and transposedMultiply(Aᵀ, B) agree with the triple loop at every size",
  () => {
    fc.assert(
      fc.property(size, size, inner, fc.nat(), (m, n, k, seed) => {
        const [A, B] = [gaussian(m, k, seed), gaussian(k, n, seed + 1)];
        const expected = naive(A, B).data;
        expect(distance(multiply(A, B).data, expected)).toBeLessThan(tolerance);
        expect(distance(multiplyTransposed(A, transpose(B)).data, expected)).toBeLessThan(tolerance);
        expect(distance(transposedMultiply(transpose(A), B).data, expected)).toBeLessThan(tolerance);
      }),
      { numRuns: 40 },
    );
  },
);

testOnBackends("gram(A) is A Aᵀ, exactly symmetric", () => {
  fc.assert(
    fc.property(size, inner, fc.nat(), (m, k, seed) => {
      const A = gaussian(m, k, seed);
      const G = gram(A);
      expect(distance(G.data, multiplyTransposed(A, A).data)).toBeLessThan(tolerance);
      expect(transpose(G).data).toEqual(G.data);
    }),
    { numRuns: 40 },
  );
});

testOnBackends(
  "addProduct(C, A, B) with sign -1 undoes the product it added and touches nothing outside its view",
  () => {
    const [A, B] = [gaussian(9, 300, 1), gaussian(70, 300, 2)];
    const C = gaussian(12, 80, 3);
    const before = C.data.slice();
    const view = { data: C.data, offset: 2 * 80 + 5, stride: 80 };
    addProduct(view, toView(A), toView(B), { m: 9, n: 70, k: 300 });
    for (let i = 0; i < 12; i++)
      for (let j = 0; j < 80; j++) {
        const inside = i >= 2 && i < 11 && j >= 5 && j < 75;
        expect(C.data[i * 80 + j] === before[i * 80 + j]).toBe(!inside);
      }
    addProduct(view, toView(A), toView(B), { m: 9, n: 70, k: 300 }, { sign: -1 });
    expect(distance(C.data, before)).toBeLessThan(tolerance);
  },
);

testOnBackends("addTransposedProduct(C, A, B) adds Aᵀ B in a corner and, with upper, at least the triangle", () => {
  fc.assert(
    fc.property(size, size, inner, fc.constantFrom(1, -1), fc.nat(), (m, n, k, sign, seed) => {
      const [A, B] = [gaussian(k, m, seed), gaussian(k, n, seed + 1)];
      const expected = naive(transpose(A), B).data;
      const C = gaussian(m + 3, n + 4, seed + 2);
      const before = C.data.slice();
      const view = { data: C.data, offset: n + 4 + 2, stride: n + 4 };
      addTransposedProduct(view, toView(A), toView(B), { m, n, k }, { sign });
      const outside = before.slice();
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) outside[(i + 1) * (n + 4) + j + 2]! += sign * expected[i * n + j]!;
      expect(distance(C.data, outside)).toBeLessThan(tolerance);

      const S = createMatrix(m, m);
      addTransposedProduct(toView(S), toView(A), toView(A), { m, n: m, k }, { upper: true });
      const square = naive(transpose(A), A).data;
      for (let i = 0; i < m; i++)
        for (let j = i; j < m; j++) expect(Math.abs(S.data[i * m + j]! - square[i * m + j]!)).toBeLessThan(tolerance);
    }),
    { numRuns: 40 },
  );
});

test("multiply(A, B) refuses inner sizes that differ", () => {
  expect(() => multiply(gaussian(2, 3, 1), gaussian(2, 3, 1))).toThrow(
    "A B: expected inner sizes that agree, got 3 and 2",
  );
});
