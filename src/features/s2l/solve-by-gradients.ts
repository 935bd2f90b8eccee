import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import type { CodeMoments } from "./code-moments.ts";

/** Relative residual at which a right-hand side counts as solved. */
const accuracy = 1e-9;
const mostSteps = 1000;

/**
 * Solves `(Σ f fᵀ − Σf Σfᵀ / n + penalty I) B = C` by conjugate gradients with a diagonal preconditioner, all columns of C at once: a step
 * costs the pairs of features met together, not the square of the width.
 *
 * @see Golub and Van Loan, Matrix Computations, 4th ed., 11.5
 */
export function solveByGradients(moments: CodeMoments, penalty: number, C: Matrix): Matrix {
  const { rows: features, cols } = C;
  const multiplyBy = openProduct(moments, penalty, cols);
  const scale = diagonalOf(moments, penalty);
  const B = createMatrix(features, cols);
  const R = C.data.slice();
  const Z = precondition(R, scale, cols);
  const P = Z.slice();
  let rz = columnProducts(R, Z, cols);
  const enough = columnProducts(R, R, cols).map((square) => accuracy ** 2 * square);
  for (let step = 0; step < mostSteps; step++) {
    const Q = multiplyBy(P);
    const pq = columnProducts(P, Q, cols);
    const size = pq.map((value, i) => (value > 0 ? (rz[i] as number) / value : 0));
    for (let at = 0; at < R.length; at++) {
      const factor = size[at % cols] as number;
      B.data[at] = (B.data[at] as number) + factor * (P[at] as number);
      R[at] = (R[at] as number) - factor * (Q[at] as number);
    }
    if (columnProducts(R, R, cols).every((square, i) => square <= (enough[i] as number))) break;
    const next = precondition(R, scale, cols);
    const after = columnProducts(R, next, cols);
    const turn = after.map((value, i) => ((rz[i] as number) > 0 ? value / (rz[i] as number) : 0));
    for (let at = 0; at < P.length; at++)
      P[at] = (next[at] as number) + (turn[at % cols] as number) * (P[at] as number);
    rz = after;
  }
  return B;
}

/** The product of the centred, penalised Gram matrix with a block of columns. */
function openProduct(
  { n, gram, sumCodes }: CodeMoments,
  penalty: number,
  cols: number,
): (P: Float64Array) => Float64Array {
  return (P) => {
    const Q = P.map((value) => penalty * value);
    gram.forEach((i, j, sum) => {
      const [a, b] = [i * cols, j * cols];
      for (let c = 0; c < cols; c++) Q[a + c] = (Q[a + c] as number) + sum * (P[b + c] as number);
      if (i !== j) for (let c = 0; c < cols; c++) Q[b + c] = (Q[b + c] as number) + sum * (P[a + c] as number);
    });
    const means = new Float64Array(cols);
    for (let at = 0; at < P.length; at++) {
      const c = at % cols;
      means[c] = (means[c] as number) + ((sumCodes[(at - c) / cols] as number) * (P[at] as number)) / n;
    }
    for (let at = 0; at < Q.length; at++) {
      const c = at % cols;
      Q[at] = (Q[at] as number) - (sumCodes[(at - c) / cols] as number) * (means[c] as number);
    }
    return Q;
  };
}

function diagonalOf({ n, gram, sumCodes, features }: CodeMoments, penalty: number): Float64Array {
  const diagonal = new Float64Array(features).fill(penalty);
  gram.forEach((i, j, sum) => {
    if (i === j) diagonal[i] = (diagonal[i] as number) + sum - (sumCodes[i] as number) ** 2 / n;
  });
  return diagonal;
}

function precondition(R: Float64Array, diagonal: Float64Array, cols: number): Float64Array {
  return R.map((value, at) => value / (diagonal[(at - (at % cols)) / cols] as number));
}

/** Σ a b of each column. */
function columnProducts(A: Float64Array, B: Float64Array, cols: number): Float64Array {
  const sums = new Float64Array(cols);
  for (let at = 0; at < A.length; at++) {
    const c = at % cols;
    sums[c] = (sums[c] as number) + (A[at] as number) * (B[at] as number);
  }
  return sums;
}
