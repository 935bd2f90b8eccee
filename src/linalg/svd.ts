import { lapackFor } from "./backend.ts";
import { checkMatrix, createMatrix, type Matrix, transpose } from "./matrix.ts";
import { orthogonaliseRows } from "./portable/jacobi.ts";

/** `A = U diag(s) Vt` with k = min(m, n): U `[m, k]` with orthonormal columns, s `[k]` largest first, Vt `[k, n]` with orthonormal rows. */
export interface Svd {
  readonly U: Matrix;
  readonly s: Float64Array;
  readonly Vt: Matrix;
}

/**
 * Decomposes A `[m, n]` into its thin singular value decomposition `A = U diag(s) Vt`.
 *
 * By LAPACK (divide and conquer) where there is one, else by one-sided Jacobi rotations after an eigendecomposition of the smaller Gram
 * matrix has done most of their work. Errors are about max(m, n) · 2⁻⁵² · s[0] in every singular value, and those at or below that size
 * are rounding noise, with vectors that complete the orthonormal set. The largest component of every row of Vt is positive, so that
 * equal input gives equal output.
 *
 * @throws bad-input if A holds a value that is not finite
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 8.6
 */
export function svd(A: Matrix): Svd {
  checkMatrix(A, "singular values");
  const { rows: m, cols: n } = A;
  const k = Math.min(m, n);
  if (k === 0) return { U: createMatrix(m, 0), s: new Float64Array(0), Vt: createMatrix(0, n) };
  const found = lapackFor(m * n * k)?.svd(A.data.slice(), m, n);
  if (found) return withSigns({ U: createMatrix(m, k, found.U), s: found.s, Vt: createMatrix(k, n, found.Vt) });
  if (m <= n) {
    // A = Qᵀ B with rows of B orthogonal: they are singular values times right vectors.
    const { Q, s, rows } = orthogonaliseRows(A);
    return withSigns({ U: transpose(Q), s, Vt: rows });
  }
  const { Q, s, rows } = orthogonaliseRows(transpose(A));
  return withSigns({ U: transpose(rows), s, Vt: Q });
}

/** Turns the sign of vector pairs so that the largest component of each row of Vt is positive, in place. */
function withSigns(parts: Svd): Svd {
  const { U, Vt } = parts;
  for (let i = 0; i < Vt.rows; i++) {
    const row = Vt.data.subarray(i * Vt.cols, (i + 1) * Vt.cols);
    let largest = 0;
    for (const value of row) if (Math.abs(value) > Math.abs(largest)) largest = value;
    if (largest >= 0) continue;
    for (let j = 0; j < row.length; j++) row[j] = -(row[j] as number);
    for (let j = 0; j < U.rows; j++) U.data[j * U.cols + i] = -(U.data[j * U.cols + i] as number);
  }
  return parts;
}
