import { symmetricEigen } from "../linalg/eigen.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import { pairDifferences, project, toNaturalLength } from "./pair-differences.ts";
import type { PairRows } from "./read-pair-rows.ts";
import { vectorNorm } from "./steering-vector.ts";

/** Steps allowed; a gap of a thousandth between the two largest eigenvalues needs about 100. */
const maxSteps = 300;

/**
 * Fits the first principal component of the pair differences dᵢ, about the origin: the unit u that maximises Σ (dᵢ·u)², `[width]`.
 *
 * Not centred: the mean difference is what is looked for, and centring would remove it (this equals repeng's method `pca_center`; its
 * `pca_diff` centres). The sign is that of most pairs, ties by the mean. Returned with the root mean square of dᵢ·u as its length.
 * Computed by Lanczos iteration with full reorthogonalisation on Σ dᵢ dᵢᵀ, which is never formed; deterministic.
 *
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 10.1
 */
export function pcaDirection(rows: PairRows): Float64Array {
  const D = pairDifferences(rows);
  const u = topRightSingularVector(D);
  const projections = project(D, u);
  const balance = projections.reduce((sum, x) => sum + Math.sign(x), 0);
  const sign = balance !== 0 ? Math.sign(balance) : Math.sign(projections.reduce((sum, x) => sum + x, 0)) || 1;
  return toNaturalLength(
    u.map((value) => sign * value),
    D,
  );
}

function topRightSingularVector(D: Matrix): Float64Array {
  const basis: Float64Array[] = [];
  const alphas: number[] = [];
  const betas: number[] = [];
  let next = startVector(D);
  for (;;) {
    const q = next;
    basis.push(q);
    const w = transposedProject(D, project(D, q));
    alphas.push(dot(w, q));
    // Twice: once leaves a remainder of the size of rounding, which later steps would blow up into a second copy of the top vector.
    for (let round = 0; round < 2; round++) for (const b of basis) subtract(w, b, dot(w, b));
    const beta = vectorNorm(w);
    const isLast = basis.length >= Math.min(maxSteps, D.cols) || beta === 0;
    // The small eigenproblem costs the cube of the steps: far out, look at it every tenth step only.
    if (!isLast && basis.length > 20 && basis.length % 10 !== 0) {
      betas.push(beta);
      next = w.map((x) => x / beta);
      continue;
    }
    const { value, vector } = topOfTridiagonal(alphas, betas);
    const residual = beta * Math.abs(vector.at(-1)!);
    if (isLast || residual <= 1e-12 * value) return combine(basis, vector);
    betas.push(beta);
    next = w.map((x) => x / beta);
  }
}

/** The mean difference, which is near the answer when pairs agree, with a little of every other direction mixed in. */
function startVector(D: Matrix): Float64Array {
  const mean = transposedProject(D, new Float64Array(D.rows).fill(1 / D.rows));
  const random = seededRandom(0);
  const noise = Float64Array.from({ length: D.cols }, () => random.normal());
  const scale = (vectorNorm(mean) || 1) / (10 * vectorNorm(noise));
  const start = mean.map((value, j) => value + scale * noise[j]!);
  const norm = vectorNorm(start);
  return start.map((value) => value / norm);
}

function topOfTridiagonal(
  alphas: readonly number[],
  betas: readonly number[],
): { value: number; vector: Float64Array } {
  const n = alphas.length;
  const T = createMatrix(n, n);
  for (let i = 0; i < n; i++) {
    T.data[i * n + i] = alphas[i]!;
    if (i + 1 < n) {
      T.data[i * n + i + 1] = betas[i]!;
      T.data[(i + 1) * n + i] = betas[i]!;
    }
  }
  const { values, vectors } = symmetricEigen(T);
  return { value: values[0]!, vector: vectors.data.slice(0, n) };
}

function transposedProject({ rows, cols, data }: Matrix, w: Float64Array): Float64Array {
  const result = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) result[j] = result[j]! + data[i * cols + j]! * w[i]!;
  return result;
}

function combine(basis: readonly Float64Array[], weights: Float64Array): Float64Array {
  const result = new Float64Array(basis[0]!.length);
  for (const [k, q] of basis.entries()) subtract(result, q, -weights[k]!);
  return result;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a −= factor b, in place. */
function subtract(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! - factor * b[i]!;
}
