import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply } from "../linalg/multiply.ts";

/** How a model turns a last hidden state into logits: a norm, gains, a matrix. Of the matrix W only WᵀW is kept, `[width, width]`. */
export interface Readout {
  /** True for LayerNorm, which takes a state's mean away; false for RMSNorm. */
  readonly isCentred: boolean;
  readonly epsilon: number;
  /** `[width]` */
  readonly gains: Float64Array;
  /** Products of W's columns about their mean over the vocabulary: a number added to all logits changes no probability. */
  readonly products: Matrix;
}

/** Pieces that a straight line is cut into: with 8 the published rank correlation with exact geodesic energies exceeds 0.99. */
const defaultSteps = 8;

/**
 * Distances pulled back from the logits: the length, in logits, of the curve that the straight line between two states becomes when each of its
 * points is read out. Gives the distances of all rows of X `[n, width]` from one, `[n]`.
 *
 * With γ_j the points that cut the line from z to a in N parts and D the readout, `Σⱼ ‖D(γ_j) − D(γ_{j−1})‖`: the published upper bound for the
 * geodesic distance of the metric that D pulls back, with the Euclidean metric on logits. D here is what the model itself does after its last block,
 * applied at any layer (the "logit lens"), so that nothing is trained; in early layers it reads states it was not made for. A readout bias cancels.
 *
 * D is linear but for the norm, so that every step follows from inner products of z and a: the cost is n · width² once and n · (width + N) a row.
 *
 * @throws bad-input if the readout is of another width
 * @see Yu et al., "Connecting Neural Models Latent Geometries with Relative Geodesic Representations", arXiv 2506.01599, algorithm 1
 */
export function readoutDistances(
  X: Matrix,
  readout: Readout,
  { steps = defaultSteps }: { readonly steps?: number } = {},
): (row: number) => Float64Array {
  const { rows: n, cols: d } = X;
  if (readout.gains.length !== d || readout.products.rows !== d)
    throw mismatch("bad-input", "readout", `width ${d}, as the rows`, String(readout.gains.length));
  if (!Number.isInteger(steps) || steps < 1)
    throw mismatch("bad-input", "steps", "a count of at least 1", String(steps));
  const Z = readout.isCentred ? centreRows(X) : X;
  const V = createMatrix(
    n,
    d,
    Z.data.map((value, at) => value * (readout.gains[at % d] as number)),
  );
  const W = multiply(V, readout.products); // the products are symmetric
  const squared = rowProducts(Z, Z);
  const read = rowProducts(V, W);
  return (row) => {
    const column = (of: Matrix): Matrix => createMatrix(d, 1, of.data.slice(row * d, (row + 1) * d));
    const near = multiply(Z, column(Z)).data;
    const nearRead = multiply(W, column(V)).data;
    const result = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      if (i === row) continue;
      const norms = [squared[i], near[i], squared[row]] as Triple;
      const reads = [read[i], nearRead[i], read[row]] as Triple;
      result[i] = lengthOf(norms, reads, { steps, epsilon: readout.epsilon, width: d });
    }
    return result;
  };
}

/** Inner products of two vectors: first with first, first with second, second with second. */
type Triple = readonly [number, number, number];

function lengthOf(
  norms: Triple,
  reads: Triple,
  { steps, epsilon, width }: { readonly steps: number; readonly epsilon: number; readonly width: number },
): number {
  let length = 0;
  let before = 0;
  let scaleBefore = scaleAt(norms, 0, epsilon, width);
  for (let j = 1; j <= steps; j++) {
    const at = j / steps;
    const scale = scaleAt(norms, at, epsilon, width);
    const squared =
      product(reads, at, at) * scale ** 2 -
      2 * product(reads, at, before) * scale * scaleBefore +
      product(reads, before, before) * scaleBefore ** 2;
    length += Math.sqrt(Math.max(0, squared));
    before = at;
    scaleBefore = scale;
  }
  return length;
}

/** 1 over the root mean square of the state at share `at` of the line. */
function scaleAt(norms: Triple, at: number, epsilon: number, width: number): number {
  return 1 / Math.sqrt(Math.max(0, product(norms, at, at)) / width + epsilon);
}

/** Inner product of the points at shares s and t of the line between two vectors with inner products `of`. */
function product(of: Triple, s: number, t: number): number {
  return (1 - s) * (1 - t) * of[0] + (s * (1 - t) + t * (1 - s)) * of[1] + s * t * of[2];
}

function rowProducts(A: Matrix, B: Matrix): Float64Array {
  const result = new Float64Array(A.rows);
  for (let at = 0; at < A.data.length; at++) {
    const row = Math.floor(at / A.cols);
    result[row] = (result[row] as number) + (A.data[at] as number) * (B.data[at] as number);
  }
  return result;
}

function centreRows({ rows, cols, data }: Matrix): Matrix {
  const result = createMatrix(rows, cols, data.slice());
  for (let i = 0; i < rows; i++) {
    const row = result.data.subarray(i * cols, (i + 1) * cols);
    const mean = row.reduce((sum, value) => sum + value, 0) / cols;
    for (let t = 0; t < cols; t++) row[t] = (row[t] as number) - mean;
  }
  return result;
}
