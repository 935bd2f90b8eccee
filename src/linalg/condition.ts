import { solveCholesky } from "./cholesky.ts";
import { createMatrix, type Matrix } from "./matrix.ts";

/** Steps of the estimate; two or three reach its end almost always. */
const maxSteps = 5;

/**
 * Estimates the condition number of a symmetric positive definite matrix `[n, n]` in the 1-norm from its Cholesky factor L, at the cost
 * of a few solves.
 *
 * A lower bound, rarely below a third of the truth. Only the lower triangle of S is read.
 *
 * @see Higham, "FORTRAN codes for estimating the one-norm of a real or complex matrix", ACM TOMS 14 (1988)
 */
export function estimateCondition(S: Matrix, L: Matrix): number {
  const n = S.rows;
  if (n === 0) return 1;
  const solve = (x: Float64Array): Float64Array => solveCholesky(L, createMatrix(1, n, x)).data;
  // A fixed vector of changing signs, against the rare matrix on which the climb below starts at a stationary point.
  const zigzag = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + i / Math.max(1, n - 1)));
  const least = (2 * sizeOf(solve(zigzag))) / (3 * n);
  let x = new Float64Array(n).fill(1 / n);
  let found = 0;
  for (let step = 0; step < maxSteps; step++) {
    const y = solve(x);
    const size = sizeOf(y);
    if (!(size > found)) break;
    found = size;
    const slope = solve(y.map((value) => (value < 0 ? -1 : 1)));
    let steepest = 0;
    for (let i = 1; i < n; i++) if (Math.abs(slope[i] as number) > Math.abs(slope[steepest] as number)) steepest = i;
    x = new Float64Array(n);
    x[steepest] = 1;
  }
  return Math.max(least, found) * oneNorm(S);
}

function sizeOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** Largest sum of magnitudes in a column, from the lower triangle. */
function oneNorm({ rows: n, data }: Matrix): number {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const value = Math.abs(data[i * n + j] as number);
      sums[i] = (sums[i] as number) + value;
      if (j < i) sums[j] = (sums[j] as number) + value;
    }
  return sums.reduce((most, value) => Math.max(most, value), 0);
}
