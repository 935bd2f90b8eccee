import { mismatch, TrimtabError } from "../errors.ts";
import { lapackFor } from "./backend.ts";
import { checkMatrix, createMatrix, isSquare, type Matrix } from "./matrix.ts";

/** Eigenvalues, largest first, and the eigenvectors as the **rows** of `vectors` `[n, n]`: `S = Vᵀ diag(values) V`. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

/** QL steps allowed per eigenvalue; two are usual, and published codes stop at 30 to 60. */
const maxSteps = 60;

/**
 * Decomposes a symmetric matrix `[n, n]` into eigenvalues and orthonormal eigenvectors.
 *
 * By LAPACK (divide and conquer) where there is one, else by Householder reduction to tridiagonal form and implicit QL with
 * Wilkinson's shift. Errors are about n · 2⁻⁵² · ‖S‖ in every eigenvalue: those much smaller than the largest carry no digits. Each
 * vector's sign is such that its largest component is positive, so that equal input gives equal output. Only the symmetric part
 * matters: S is read as (S + Sᵀ)/2. Time grows with n³ (portable, about 1 s at n = 500).
 *
 * @throws bad-input if S is not square or holds a value that is not finite
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 8.3
 */
export function symmetricEigen(S: Matrix): SymmetricEigen {
  if (!isSquare(S)) throw mismatch("bad-input", "eigenvalues", "a square matrix", `${S.rows} x ${S.cols}`);
  checkMatrix(S, "eigenvalues");
  const n = S.rows;
  const { diagonal, Q } = decompose(S);
  const order = Array.from(diagonal.keys()).sort((i, j) => (diagonal[j] as number) - (diagonal[i] as number) || i - j);
  const vectors = createMatrix(n, n);
  order.forEach((from, to) => {
    vectors.data.set(signed(Q.data.subarray(from * n, (from + 1) * n)), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i] as number), vectors };
}

/** Eigenvalues in any order, and their vectors as rows of Q. */
function decompose(S: Matrix): { diagonal: Float64Array; Q: Matrix } {
  const lapack = lapackFor(S.rows ** 3);
  if (lapack) {
    const Q = symmetricPart(S);
    const diagonal = lapack.symmetricEigen(Q.data, Q.rows);
    if (diagonal) return { diagonal, Q };
    // Divide and conquer gave up, which is rare; QL converges where it does not.
  }
  const { diagonal, off, Q } = tridiagonalise(symmetricPart(S));
  diagonalise(diagonal, off, Q);
  return { diagonal, Q };
}

function symmetricPart(S: Matrix): Matrix {
  const n = S.rows;
  const result = createMatrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      // Halves first: the sum of two large values could overflow.
      const value = (S.data[i * n + j] as number) / 2 + (S.data[j * n + i] as number) / 2;
      result.data[i * n + j] = value;
      result.data[j * n + i] = value;
    }
  return result;
}

/** T = Q S Qᵀ with T tridiagonal, destroying S: its diagonal, its off-diagonal (off[i] between i and i + 1, last 0) and Q. */
function tridiagonalise(S: Matrix): { diagonal: Float64Array; off: Float64Array; Q: Matrix } {
  const n = S.rows;
  const work = S.data;
  const off = new Float64Array(n);
  const reflectors: { v: Float64Array; beta: number }[] = [];

  for (let k = 0; k < n - 1; k++) {
    const length = n - k - 1;
    // Row k right of the diagonal is column k below it.
    const reflector = reflect(work.slice(k * n + k + 1, (k + 1) * n));
    off[k] = reflector.head;
    reflectors.push(reflector);
    if (reflector.beta !== 0) updateBothSides(work, n, k + 1, length, reflector);
  }

  const diagonal = Float64Array.from({ length: n }, (_, i) => work[i * n + i] as number);
  // Q = … H1 H0, built from the last reflector backwards so that each touches only the corner that is no longer the identity.
  const Q = createMatrix(n, n);
  for (let i = 0; i < n; i++) Q.data[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    const { v, beta } = reflectors[k] as { v: Float64Array; beta: number };
    if (beta === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const at = i * n + k + 1;
      const factor = beta * dot(Q.data, at, v, v.length);
      for (let t = 0; t < v.length; t++) Q.data[at + t] = (Q.data[at + t] as number) - factor * (v[t] as number);
    }
  }
  return { diagonal, off, Q };
}

/** Householder: v and beta such that (I − beta v vᵀ) x = (head, 0, …). */
function reflect(x: Float64Array): { v: Float64Array; beta: number; head: number } {
  const scale = x.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (scale === 0 || x.length === 1) return { v: x, beta: 0, head: x[0] as number };
  const v = x.map((value) => value / scale); // against overflow and underflow of the squares
  const norm = Math.sqrt(dot(v, 0, v, v.length));
  const first = v[0] as number;
  const head = first > 0 ? -norm : norm;
  v[0] = first - head;
  return { v, beta: -1 / (head * (v[0] as number)), head: head * scale };
}

/** Replaces the trailing block B of `work` by H B H, H = I − beta v vᵀ, as a symmetric update of rank two. */
function updateBothSides(
  work: Float64Array,
  n: number,
  from: number,
  length: number,
  { v, beta }: { v: Float64Array; beta: number },
): void {
  const w = new Float64Array(length);
  for (let i = 0; i < length; i++) w[i] = beta * dot(work, (from + i) * n + from, v, length);
  const half = (beta / 2) * dot(w, 0, v, length);
  for (let i = 0; i < length; i++) w[i] = (w[i] as number) - half * (v[i] as number);
  for (let i = 0; i < length; i++) {
    const at = (from + i) * n + from;
    const vi = v[i] as number;
    const wi = w[i] as number;
    for (let j = 0; j < length; j++)
      work[at + j] = (work[at + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
  }
}

/** Implicit QL on a tridiagonal matrix, in place: `diagonal` becomes the eigenvalues, the rows of Q the eigenvectors. */
function diagonalise(diagonal: Float64Array, off: Float64Array, Q: Matrix): void {
  const n = diagonal.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(diagonal[i] as number) + Math.abs(off[i] as number));
  // Against the norm, not the neighbours: where the rank is deficient these are rounding noise themselves, and the corner of the
  // matrix that holds them would never be done. It costs no accuracy that is promised, which is relative to the norm.
  const negligible = (i: number): boolean => Math.abs(off[i] as number) <= Number.EPSILON * norm;
  for (let low = 0; low < n; low++) {
    for (let step = 0; ; step++) {
      let high = low;
      while (high < n - 1 && !negligible(high)) high++;
      if (high === low) break;
      if (step === maxSteps)
        throw new TrimtabError("internal", `internal: eigenvalue ${low} of ${n} did not converge in ${maxSteps} steps`);
      sweep(diagonal, off, Q, low, high);
    }
  }
}

/** One QL step on the unreduced block [low, high]: chases the bulge upwards by plane rotations, which also turn the rows of Q. */
function sweep(d: Float64Array, e: Float64Array, Q: Matrix, low: number, high: number): void {
  const first = d[low] as number;
  const g0 = ((d[low + 1] as number) - first) / (2 * (e[low] as number));
  const r0 = Math.hypot(g0, 1);
  let g = (d[high] as number) - first + (e[low] as number) / (g0 + (g0 >= 0 ? r0 : -r0));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = s * (e[i] as number);
    const b = c * (e[i] as number);
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The block splits here: give back what was taken from the diagonal and let the caller look again.
      d[i + 1] = (d[i + 1] as number) - p;
      e[high] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = (d[i + 1] as number) - p;
    const t = ((d[i] as number) - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotateRows(Q, i, c, s);
  }
  d[low] = (d[low] as number) - p;
  e[low] = g;
  e[high] = 0;
}

/** Turns rows i and i + 1 of Q by the rotation (c, s). */
function rotateRows(Q: Matrix, i: number, c: number, s: number): void {
  const { data, cols } = Q;
  const a = i * cols;
  const b = a + cols;
  for (let t = 0; t < cols; t++) {
    const x = data[a + t] as number;
    const y = data[b + t] as number;
    data[b + t] = s * x + c * y;
    data[a + t] = c * x - s * y;
  }
}

function dot(data: Float64Array, offset: number, v: Float64Array, length: number): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += (data[offset + t] as number) * (v[t] as number);
  return sum;
}

function signed(row: Float64Array): Float64Array {
  let largest = 0;
  for (const value of row) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? row.map((value) => -value) : row;
}
