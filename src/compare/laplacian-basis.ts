import { mismatch } from "../errors.ts";
import { largestEigen } from "../linalg/lanczos.ts";
import { type Matrix, transpose } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import type { KnnGraph } from "./knn-graph.ts";

/** The smoothest functions on a graph: a basis for functions on its rows, as sines of low frequency are on an interval. */
export interface LaplacianBasis {
  /** Eigenvalues of the normalised Laplacian, smallest (0) first, `[k]`; from 0 to 2. */
  readonly values: Float64Array;
  /** Eigenfunctions as columns, `[n, k]`, orthonormal. */
  readonly functions: Matrix;
}

export interface LaplacianBasisOptions {
  /** Functions in the basis. Default 50. */
  readonly size?: number | undefined;
}

/**
 * Finds the eigenfunctions of smallest eigenvalue of a graph's normalised Laplacian `L = I − D^(−1/2) W D^(−1/2)`.
 *
 * Edges weigh `exp(−l²/s²)`, l their length and s the median length of an edge, so that the scale of the rows does not count. D is the diagonal of the
 * rows' sums of weights. The first function is that of eigenvalue 0, ∝ √D.
 *
 * @throws bad-input if the size is not from 1 to the number of rows
 * @see Belkin and Niyogi, "Laplacian Eigenmaps", Neural Computation 15 (2003)
 * @see Fumero et al., "Latent Functional Maps", arXiv 2406.14183
 */
export function laplacianBasis(graph: KnnGraph, { size = 50 }: LaplacianBasisOptions = {}): LaplacianBasis {
  const { n, starts, neighbours } = graph;
  if (!Number.isInteger(size) || size < 1 || size > n)
    throw mismatch("bad-input", "Laplacian basis", `a size from 1 to ${n}, the rows`, String(size));
  const weights = normalisedWeights(graph);
  // L's smallest are the largest of I + D^(−1/2) W D^(−1/2), which has none below 0.
  const { values, vectors } = largestEigen(
    (x, result) => {
      for (let i = 0; i < n; i++) {
        let sum = x[i] as number;
        for (let at = starts[i] as number; at < (starts[i + 1] as number); at++)
          sum += (weights[at] as number) * (x[neighbours[at] as number] as number);
        result[i] = sum;
      }
    },
    n,
    size,
    { random: seededRandom(0) },
  );
  return { values: values.map((value) => Math.max(0, 2 - value)), functions: transpose(vectors) };
}

/** Entries of D^(−1/2) W D^(−1/2), in the order of the graph's edges. */
function normalisedWeights({ n, starts, neighbours, lengths }: KnnGraph): Float64Array {
  const scale = medianOf(lengths) || 1; // rows that are all equal are all equally near
  const weights = lengths.map((length) => Math.exp(-((length / scale) ** 2)));
  const degree = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let at = starts[i] as number; at < (starts[i + 1] as number); at++)
      degree[i] = (degree[i] as number) + (weights[at] as number);
  const result = new Float64Array(weights.length);
  for (let i = 0; i < n; i++)
    for (let at = starts[i] as number; at < (starts[i + 1] as number); at++) {
      const both = Math.sqrt(degree[i] as number) * Math.sqrt(degree[neighbours[at] as number] as number);
      // A bridge to a row far from all others can weigh nothing at all.
      result[at] = both > 0 ? (weights[at] as number) / both : 0;
    }
  return result;
}

function medianOf(values: Float64Array): number {
  const sorted = values.slice().sort();
  return sorted[sorted.length >> 1] ?? 0;
}
