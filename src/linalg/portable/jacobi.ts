import { TrimtabError } from "../../errors.ts";
import { symmetricEigen } from "../eigen.ts";
import { createMatrix, type Matrix } from "../matrix.ts";
import { gram, multiply, multiplyTransposed } from "../multiply.ts";
import { orthonormaliseRows } from "../orthonormal.ts";
import { seededRandom } from "../random.ts";

/** Sweeps allowed; two or three are usual after the eigendecompositions. */
const maxSweeps = 30;

/** Rows this much shorter than the longest of their block have lost half their digits in its Gram matrix and get one of their own. */
const resolved = 1e-5;

/**
 * Finds an orthogonal Q `[r, r]` that makes the rows of `Q A` orthogonal, for A `[r, w]` with r ≤ w: `A = Qᵀ diag(s) rows`, with s
 * descending and `rows` `[r, w]` orthonormal.
 *
 * The eigenvectors of A Aᵀ are such a Q to about half the digits; the rows that are short beside the longest are decomposed again by
 * themselves, and plane rotations finish (one-sided Jacobi). Rows shorter than r · 2⁻⁵² of the longest are rounding: their length is
 * kept as their singular value, and their direction replaced by one orthogonal to the others.
 *
 * @see Drmač and Veselić, "New fast and accurate Jacobi SVD algorithm", SIAM J. Matrix Anal. Appl. 29 (2008), on preconditioning
 */
export function orthogonaliseRows(A: Matrix): { Q: Matrix; s: Float64Array; rows: Matrix } {
  const { rows: r, cols: w } = A;
  // Against overflow and underflow of squares: by a power of two, which is exact.
  const peak = A.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const scale = peak === 0 ? 1 : 2 ** -Math.min(Math.max(Math.floor(Math.log2(peak)), -1000), 1000);
  const B = createMatrix(
    r,
    w,
    A.data.map((value) => value * scale),
  );
  const Q = createMatrix(r, r);
  for (let i = 0; i < r; i++) Q.data[i * r + i] = 1;
  const noise = precondition(B, Q);
  rotate(B, Q, noise);

  const norms = Float64Array.from({ length: r }, (_, i) => Math.sqrt(dotRows(B, i, i)));
  const order = Array.from(norms.keys()).sort((i, j) => (norms[j] as number) - (norms[i] as number) || i - j);
  const floor = noise;
  const kept = order.filter((i) => (norms[i] as number) > floor);
  const rows = createMatrix(r, w);
  kept.forEach((from, to) => {
    const norm = norms[from] as number;
    for (let t = 0; t < w; t++) rows.data[to * w + t] = (B.data[from * w + t] as number) / norm;
  });
  complete(rows, kept.length);
  return { Q: pickRows(Q, order), s: Float64Array.from(order, (i) => (norms[i] as number) / scale), rows };
}

/** Turns the rows of B, and those of Q with them, so that they are nearly orthogonal; gives the length that is rounding. */
function precondition(B: Matrix, Q: Matrix): number {
  const r = B.rows;
  let noise = 0;
  for (let start = 0; start < r; ) {
    const { values, vectors } = symmetricEigen(gram(tail(B, start)));
    const longest = Math.sqrt(Math.max(values[0] as number, 0));
    if (start === 0) noise = r * Number.EPSILON * longest;
    if (longest <= noise) break;
    for (const M of [B, Q]) M.data.set(multiply(vectors, tail(M, start)).data, start * M.cols);
    let next = start + 1;
    while (next < r && dotRows(B, next, next) > (resolved * longest) ** 2) next++;
    start = next;
  }
  return noise;
}

/** One-sided Jacobi: plane rotations of the rows of B, and of Q alike, until all longer than `noise` are orthogonal to rounding. */
function rotate(B: Matrix, Q: Matrix, noise: number): void {
  const { rows: r, cols: w } = B;
  // What rounding leaves of the product of two orthogonal rows of unit length.
  const tolerance = Number.EPSILON * Math.max(10, Math.sqrt(w));
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    const G = gram(B).data; // one blocked product says which pairs need work
    let turned = 0;
    for (let i = 0; i < r; i++)
      for (let j = i + 1; j < r; j++) {
        const bound = (G[i * r + i] as number) * (G[j * r + j] as number);
        const isNoise = Math.min(G[i * r + i] as number, G[j * r + j] as number) <= noise ** 2;
        if (isNoise || (G[i * r + j] as number) ** 2 <= tolerance ** 2 * bound) continue;
        turned++;
        const [alpha, beta, gamma] = [dotRows(B, i, i), dotRows(B, j, j), dotRows(B, i, j)];
        if (gamma === 0) continue;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        turnRows(B, i, j, c, c * t);
        turnRows(Q, i, j, c, c * t);
      }
    if (turned === 0) return;
  }
  throw new TrimtabError("internal", `internal: singular values did not converge in ${maxSweeps} sweeps`);
}

/** Fills the rows from `from` on with an orthonormal set that is orthogonal to the rows before. */
function complete(rows: Matrix, from: number): void {
  const { rows: r, cols: w } = rows;
  if (from === r) return;
  const random = seededRandom(1);
  let G = createMatrix(
    r - from,
    w,
    Float64Array.from({ length: (r - from) * w }, () => random.normal()),
  );
  const known = createMatrix(from, w, rows.data.subarray(0, from * w));
  // Twice is enough: what rounding leaves after the first time is gone after the second.
  for (let pass = 0; pass < 2; pass++) {
    const shadow = multiply(multiplyTransposed(G, known), known);
    G = orthonormaliseRows(
      createMatrix(
        G.rows,
        w,
        G.data.map((value, at) => value - (shadow.data[at] as number)),
      ),
    );
  }
  rows.data.set(G.data, from * w);
}

function tail(A: Matrix, start: number): Matrix {
  return createMatrix(A.rows - start, A.cols, A.data.subarray(start * A.cols));
}

function pickRows(A: Matrix, order: readonly number[]): Matrix {
  const result = createMatrix(order.length, A.cols);
  order.forEach((from, to) => {
    result.data.set(A.data.subarray(from * A.cols, (from + 1) * A.cols), to * A.cols);
  });
  return result;
}

function turnRows({ data, cols }: Matrix, i: number, j: number, c: number, s: number): void {
  const [a, b] = [i * cols, j * cols];
  for (let t = 0; t < cols; t++) {
    const x = data[a + t] as number;
    const y = data[b + t] as number;
    data[a + t] = c * x - s * y;
    data[b + t] = s * x + c * y;
  }
}

function dotRows({ data, cols }: Matrix, i: number, j: number): number {
  const [a, b] = [i * cols, j * cols];
  let sum = 0;
  for (let t = 0; t < cols; t++) sum += (data[a + t] as number) * (data[b + t] as number);
  return sum;
}
