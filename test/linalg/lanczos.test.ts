import { describe, expect, test } from "vitest";
import { symmetricEigen } from "../../src/linalg/eigen.ts";
import { largestEigen, type SymmetricProduct } from "../../src/linalg/lanczos.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { gram, multiply } from "../../src/linalg/multiply.ts";
import { seededRandom } from "../../src/linalg/random.ts";

function draw(rows: number, cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return createMatrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => random.normal()),
  );
}

const productWith =
  (S: Matrix): SymmetricProduct =>
  (x, result) =>
    result.set(multiply(S, createMatrix(S.cols, 1, x)).data);

/** Largest entry of V Vᵀ − I. */
function awayFromOrthonormal(V: Matrix): number {
  const G = gram(V);
  return G.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (at % (G.cols + 1) === 0 ? 1 : 0))), 0);
}

describe("largestEigen(product, n, count)", () => {
  test("agrees with the dense decomposition in values and vectors", () => {
    const S = gram(draw(150, 200, 1));
    const dense = symmetricEigen(S);
    const { values, vectors } = largestEigen(productWith(S), 150, 6, { random: seededRandom(0) });
    // The residual is at most 1e-8 of the largest value: values are then good to its square, vectors to it over the gap to the next.
    for (let i = 0; i < 6; i++) {
      expect(values[i]! / dense.values[i]!).toBeCloseTo(1, 12);
      const cosine = vectors.data
        .subarray(i * 150, (i + 1) * 150)
        .reduce((sum, value, t) => sum + value * dense.vectors.data[i * 150 + t]!, 0);
      expect(cosine).toBeCloseTo(1, 10); // with its sign
    }
    expect(awayFromOrthonormal(vectors)).toBeLessThan(1e-12);
  });

  test("finds every vector of a matrix that is nothing but repeated values", () => {
    const identity: SymmetricProduct = (x, result) => result.set(x);
    const { values, vectors } = largestEigen(identity, 60, 5, { random: seededRandom(2) });
    expect([...values].map((value) => Math.round(value * 1e12) / 1e12)).toEqual([1, 1, 1, 1, 1]);
    expect(awayFromOrthonormal(vectors)).toBeLessThan(1e-12);
  });

  test("does not mind the scale of the matrix", () => {
    const S = gram(draw(80, 90, 4));
    for (const scale of [1e-18, 1e18]) {
      const scaled = createMatrix(
        80,
        80,
        S.data.map((value) => value * scale),
      );
      const { values } = largestEigen(productWith(scaled), 80, 4, { random: seededRandom(0) });
      symmetricEigen(S)
        .values.slice(0, 4)
        .forEach((value, i) => {
          expect(values[i]! / (scale * value)).toBeCloseTo(1, 12);
        });
    }
  });

  test("count = n is the whole decomposition", () => {
    const S = gram(draw(20, 9, 3)); // of rank 9: eleven values are 0
    const { values } = largestEigen(productWith(S), 20, 20, { random: seededRandom(0) });
    symmetricEigen(S).values.forEach((value, i) => {
      expect(values[i]).toBeCloseTo(value, 9);
    });
  });

  test("says what is wrong with a count, and with products that are not finite", () => {
    const broken: SymmetricProduct = (_, result) => result.fill(Number.NaN);
    expect(() => largestEigen(broken, 5, 6, { random: seededRandom(0) })).toThrow(
      "eigenvalues: expected a count from 1 to 5, got 6",
    );
    expect(() => largestEigen(broken, 5, 2, { random: seededRandom(0) })).toThrow("expected finite products, got NaN");
  });
});
