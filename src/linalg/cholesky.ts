import { mismatch } from "../errors.ts";
import { blasFor, lapackFor } from "./backend.ts";
import { addProduct } from "./kernel.ts";
import { createMatrix, isSquare, type Matrix } from "./matrix.ts";
import { toView } from "./multiply.ts";
import { at, solveBackward, solveForward } from "./triangular.ts";

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
  const whole = toView(L);
  for (let start = 0; start < n; start += panel) {
    const width = Math.min(panel, n - start);
    const corner = at(whole, start, start);
    const left = at(whole, start, 0);
    addProduct(corner, left, left, { m: n - start, n: width, k: start }, { sign: -1 });
    for (let j = start; j < start + width; j++) {
      const value = reduced(L.data, j * n, L.data, j * n, start, j);
      if (!(value > pivotFloor(S, j))) return { isPositiveDefinite: false, pivot: j, value };
      const pivot = Math.sqrt(value);
      L.data[j * n + j] = pivot;
      for (let i = j + 1; i < start + width; i++)
        L.data[i * n + j] = reduced(L.data, i * n, L.data, j * n, start, j) / pivot;
    }
    solveForward(at(whole, start + width, start), corner, { m: n - start - width, n: width });
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
  const X = solveLower(L, B);
  const size = { m: X.rows, n: L.rows };
  const blas = blasFor(size.m * size.n ** 2);
  if (blas) blas.solveTriangular(toView(X), toView(L), size, true);
  else solveBackward(toView(X), toView(L), size);
  return X;
}

/**
 * Solves `L xᵀ = bᵀ` for every row b of B `[m, n]`: X `[m, n]` with `X Lᵀ = B`. L is lower triangular `[n, n]`.
 *
 * @throws bad-input if the widths differ
 */
export function solveLower(L: Matrix, B: Matrix): Matrix {
  if (B.cols !== L.cols) throw mismatch("bad-input", "triangular solve", `rows of ${L.cols}`, `rows of ${B.cols}`);
  const X = createMatrix(B.rows, B.cols, B.data.slice());
  const size = { m: X.rows, n: L.rows };
  const blas = blasFor(size.m * size.n ** 2);
  if (blas) blas.solveTriangular(toView(X), toView(L), size);
  else solveForward(toView(X), toView(L), size);
  return X;
}
