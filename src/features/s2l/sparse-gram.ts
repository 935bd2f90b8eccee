import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { createPairSums } from "../pair-sums.ts";
import type { SparseRows } from "../sparse-rows.ts";

/**
 * Σ f fᵀ of sparse rows, growing: only pairs of features that were active together are stored, so that a row costs the square of its
 * active features and memory the number of pairs met, neither the square of the width.
 */
export interface SparseGram {
  readonly features: number;
  /** Pairs of features met together, each once, a feature with itself included. */
  readonly pairs: number;
  add(codes: SparseRows): void;
  /** Calls `visit(i, j, sum)` for every pair met with i ≤ j, in no order. */
  forEach(visit: (i: number, j: number, sum: number) => void): void;
}

/** Opens an empty {@link SparseGram}. @throws bad-input from `add` beyond `maxPairs`, which bounds its memory */
export function createSparseGram(features: number, options: { maxPairs?: number } = {}): SparseGram {
  const sums = createPairSums(features, options);
  return {
    features,
    get pairs() {
      return sums.size;
    },
    add({ rows, offsets, indices, values }) {
      for (let row = 0; row < rows; row++) {
        const [start, end] = [offsets[row] as number, offsets[row + 1] as number];
        for (let a = start; a < end; a++) {
          const [feature, value] = [indices[a] as number, values[a] as number];
          for (let b = a; b < end; b++) sums.add(feature, indices[b] as number, value * (values[b] as number));
        }
      }
    },
    forEach: sums.forEach,
  };
}

/** The whole of a Gram matrix, `[features, features]`, for solving by a factor. */
export function toDense(gram: SparseGram): Matrix {
  const { features } = gram;
  const result = createMatrix(features, features);
  gram.forEach((i, j, sum) => {
    result.data[i * features + j] = sum;
    result.data[j * features + i] = sum;
  });
  return result;
}
