import { mismatch } from "../errors.ts";
import { blasFor, lapackFor } from "./backend.ts";
import { addProduct } from "./kernel.ts";
import { createMatrix, isSquare, type Matrix, transpose } from "./matrix.ts";
import { toView } from "./multiply.ts";

/** A factor, or why there is none: the first pivot that was not positive, and its value. */
export type CholeskyResult =
  | { readonly isPositiveDefinite: true; readonly L: Matrix }
  | { readonly isPositiveDefinite: false; readonly pivot: number; readonly value: number };

/** Width of the column panels: their triangular part is done by plain loops, everything else by the blocked kernel. */
const panel = 48;

/**
 * Factors a symmetric positive definite matrix `S = L Lᵀ` with L lower triangular, `[n, n]`. Only the lower triangle of S is read.
 *
 * Not being positive definite is an outcome, not an exception: the result names the pivot. A pivot counts as positive when it is above
 * n · 2⁻⁵² times the diagonal element it came from; below that it is rounding noise.
 *
 * @throws bad-input if S is not square
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 4.2
 */
export function factorCholesky(S: Matrix): CholeskyResult {
  if (!isSquare(S)) throw mismatch("bad-input", "Cholesky", "a square matrix", `${S.rows} x ${S.cols}`);
  const n = S.rows;
  const L = createMatrix(n, n);
  for (let i = 0; i < n; i++) L.data.set(S.data.subarray(i * n, i * n + i + 1), i * n);
  const lapack = lapackFor(n ** 3 / 6);
  return lapack ? checkPivots(L, S, lapack.factorCholesky(L.data, n)) : factorInPanels(L, S);
}

/**
 * Judges a factor from LAPACK by the rule above: LAPACK calls any pivot above zero good, some builds even NaN, and stops at `end`.
 *
 * The pivot that stopped it is worked out again, because it need not be stored; its row of L is finished up to it.
 */
function checkPivots(L: Matrix, S: Matrix, end: number): CholeskyResult {
  const n = S.rows;
  for (let j = 0; j < end; j++) {
    const value = (L.data[j * n + j] as number) ** 2;
    if (!(value > pivotFloor(S, j))) return { isPositiveDefinite: false, pivot: j, value };
  }
  if (end === n) return { isPositiveDefinite: true, L };
  let value = S.data[end * n + end] as number;
  for (let t = 0; t < end; t++) value -= (L.data[end * n + t] as number) ** 2;
  return { isPositiveDefinite: false, pivot: end, value };
}

/** The least that counts as positive at pivot j. */
function pivotFloor(S: Matrix, j: number): number {
  return S.rows * Number.EPSILON * Math.abs(S.data[j * S.rows + j] as number);
}

/** The factor by panels, in place of the copy of S in `L`. */
function factorInPanels(L: Matrix, S: Matrix): CholeskyResult {
  const n = S.rows;
  const view = (row: number, col: number): { data: Float64Array; offset: number; stride: number } => ({
    data: L.data,
    offset: row * n + col,
    stride: n,
  });

  for (let start = 0; start < n; start += panel) {
    const width = Math.min(panel, n - start);
    addProduct(view(start, start), view(start, 0), view(start, 0), { m: n - start, n: width, k: start }, { sign: -1 });
    for (let j = start; j < start + width; j++) {
      const rowJ = j * n;
      const value = reduced(L.data, rowJ, L.data, rowJ, start, j);
      if (!(value > pivotFloor(S, j))) return { isPositiveDefinite: false, pivot: j, value };
      const pivot = Math.sqrt(value);
      L.data[rowJ + j] = pivot;
      for (let i = j + 1; i < n; i++) L.data[i * n + j] = reduced(L.data, i * n, L.data, rowJ, start, j) / pivot;
    }
    // The product above also wrote to the right of the diagonal inside the panel.
    for (let i = start; i < start + width; i++) L.data.fill(0, i * n + i + 1, i * n + start + width);
  }
  return { isPositiveDefinite: true, L };
}

/** x(j) less Σ x(t) l(t) over the panel's columns t from `start` to j − 1, for the rows of x and l that begin at the given offsets. */
function reduced(x: Float64Array, rowX: number, l: Float64Array, rowL: number, start: number, j: number): number {
  let sum = x[rowX + j] as number;
  for (let t = start; t < j; t++) sum -= (x[rowX + t] as number) * (l[rowL + t] as number);
  return sum;
}

/**
 * Solves `X L Lᵀ = B` for X, where L is the factor `[n, n]` and every **row** of B `[m, n]` is a right-hand side.
 *
 * Right-hand sides as rows suit a map: `A Sxx = Syx` gives A `[dTarget, dSource]` without a transpose.
 *
 * @throws bad-input if the widths differ
 */
export function solveCholesky(L: Matrix, B: Matrix): Matrix {
  const Z = solveLower(L, B);
  const n = L.rows;
  const blas = blasFor(B.rows * n * n);
  if (blas) {
    blas.solveTriangular(toView(Z), toView(L), { m: B.rows, n }, true);
    return Z;
  }
  // Lᵀ x = z is forward substitution once the order of rows and columns is reversed.
  const reversed = createMatrix(n, n, transpose(L).data.reverse());
  return reverseColumns(solveLower(reversed, reverseColumns(Z)));
}

/**
 * Solves `L xᵀ = bᵀ` for every row b of B `[m, n]`: X `[m, n]` with `X Lᵀ = B`. L is lower triangular `[n, n]`.
 *
 * @throws bad-input if the widths differ
 */
export function solveLower(L: Matrix, B: Matrix): Matrix {
  if (B.cols !== L.cols) throw mismatch("bad-input", "triangular solve", `rows of ${L.cols}`, `rows of ${B.cols}`);
  const n = L.rows;
  const X = createMatrix(B.rows, n, B.data.slice());
  const blas = blasFor(B.rows * n * n);
  if (blas) {
    blas.solveTriangular(toView(X), toView(L), { m: B.rows, n });
    return X;
  }
  for (let start = 0; start < n; start += panel) {
    const width = Math.min(panel, n - start);
    addProduct(
      { data: X.data, offset: start, stride: n },
      { data: X.data, offset: 0, stride: n },
      { data: L.data, offset: start * n, stride: n },
      { m: B.rows, n: width, k: start },
      { sign: -1 },
    );
    for (let row = 0; row < B.rows; row++)
      for (let j = start; j < start + width; j++)
        X.data[row * n + j] = reduced(X.data, row * n, L.data, j * n, start, j) / (L.data[j * n + j] as number);
  }
  return X;
}

function reverseColumns(A: Matrix): Matrix {
  const result = createMatrix(A.rows, A.cols, A.data.slice());
  for (let i = 0; i < A.rows; i++) result.data.subarray(i * A.cols, (i + 1) * A.cols).reverse();
  return result;
}
