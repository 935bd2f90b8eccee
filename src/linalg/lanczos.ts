import { mismatch } from "../errors.ts";
import { type SymmetricEigen, symmetricEigen } from "./eigen.ts";
import { createMatrix, type Matrix } from "./matrix.ts";
import type { Random } from "./random.ts";

/** Writes S x into `result`, both `[n]`, for the symmetric S that is meant. */
export type SymmetricProduct = (x: Float64Array, result: Float64Array) => void;

export interface LanczosOptions {
  /** Draws the first direction. */
  readonly random: Random;
  /** Most that ‖S v − λ v‖ may be, as a multiple of the largest |λ|. Default 1e-8. */
  readonly tolerance?: number | undefined;
}

/** Steps between two looks at whether the wanted pairs have settled: a look costs an eigendecomposition of what was built so far. */
const stepsBetweenLooks = 40;

/**
 * Finds the `count` largest eigenvalues of a symmetric S `[n, n]` and their vectors, from products with S alone: Lanczos with every direction made
 * orthogonal to all before it, twice. Values largest first; vectors are the rows of `vectors` `[count, n]`, orthonormal to rounding, signed so that
 * the largest component is positive.
 *
 * For a sparse S and count ≪ n it takes count · n · (a few) instead of n³. An eigenvalue that S has several times is found once until rounding has
 * brought in its other vectors: of a graph, join its parts first. Runs on until all pairs have settled, to n steps if need be, where it is exact.
 *
 * @throws bad-input if count is not an integer from 1 to n, or a product is not finite
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 10.1 and 10.3.1
 */
export function largestEigen(
  product: SymmetricProduct,
  n: number,
  count: number,
  { random, tolerance = 1e-8 }: LanczosOptions,
): SymmetricEigen {
  if (!Number.isInteger(count) || count < 1 || count > n)
    throw mismatch("bad-input", "eigenvalues", `a count from 1 to ${n}`, String(count));
  const directions: Float64Array[] = [];
  const diagonal: number[] = [];
  const off: number[] = [];
  let next = draw(n, random);
  // The largest number in T so far: what rounding leaves is small beside it.
  let scale = 0;
  for (;;) {
    if (off.length > 0 && !((off.at(-1) as number) > 1e-14 * n * scale)) {
      // What was built is closed under S: go on in a part that it does not reach.
      off[off.length - 1] = 0;
      next = draw(n, random);
    }
    orthogonalise(next, directions);
    normalise(next);
    const current = next;
    directions.push(current);
    const image = new Float64Array(n);
    product(current, image);
    const alpha = dot(image, current);
    if (!Number.isFinite(alpha)) throw mismatch("bad-input", "eigenvalues", "finite products", String(alpha));
    diagonal.push(alpha);
    orthogonalise(image, directions);
    const beta = Math.sqrt(dot(image, image));
    const steps = directions.length;
    if (steps === n || (steps >= count + stepsBetweenLooks && steps % stepsBetweenLooks === 0)) {
      const inner = symmetricEigen(tridiagonal(diagonal, off));
      if (steps === n || isSettled(inner, beta, count, tolerance)) return toPairs(inner, directions, count, n);
    }
    scale = Math.max(scale, Math.abs(alpha), beta);
    off.push(beta);
    next = image;
  }
}

/** True if the last component of every wanted vector times what was left over is small: that is its ‖S v − λ v‖. */
function isSettled({ values, vectors }: SymmetricEigen, beta: number, count: number, tolerance: number): boolean {
  const m = vectors.cols;
  const scale = Math.max(Math.abs(values[0] as number), Math.abs(values[m - 1] as number));
  for (let i = 0; i < count; i++)
    if (Math.abs(vectors.data[i * m + m - 1] as number) * beta > tolerance * scale) return false;
  return true;
}

function toPairs(inner: SymmetricEigen, directions: readonly Float64Array[], count: number, n: number): SymmetricEigen {
  const m = directions.length;
  const vectors = createMatrix(count, n);
  for (let i = 0; i < count; i++) {
    const row = vectors.data.subarray(i * n, (i + 1) * n);
    directions.forEach((direction, j) => {
      const weight = inner.vectors.data[i * m + j] as number;
      for (let t = 0; t < n; t++) row[t] = (row[t] as number) + weight * (direction[t] as number);
    });
    const largest = row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) for (let t = 0; t < n; t++) row[t] = -(row[t] as number);
  }
  return { values: inner.values.slice(0, count), vectors };
}

function tridiagonal(diagonal: readonly number[], off: readonly number[]): Matrix {
  const m = diagonal.length;
  const T = createMatrix(m, m);
  for (let i = 0; i < m; i++) {
    T.data[i * m + i] = diagonal[i] as number;
    if (i + 1 === m) break;
    T.data[i * m + i + 1] = off[i] as number;
    T.data[(i + 1) * m + i] = off[i] as number;
  }
  return T;
}

/** Takes from x what lies along the directions, twice: once leaves rounding that grows from step to step. */
function orthogonalise(x: Float64Array, directions: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const direction of directions) {
      const along = dot(x, direction);
      for (let t = 0; t < x.length; t++) x[t] = (x[t] as number) - along * (direction[t] as number);
    }
}

function normalise(x: Float64Array): void {
  const norm = Math.sqrt(dot(x, x));
  for (let t = 0; t < x.length; t++) x[t] = (x[t] as number) / norm;
}

function draw(n: number, random: Random): Float64Array {
  const x = Float64Array.from({ length: n }, () => random.normal());
  normalise(x);
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < a.length; t++) sum += (a[t] as number) * (b[t] as number);
  return sum;
}
