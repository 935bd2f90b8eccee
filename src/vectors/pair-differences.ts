import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import type { PairRows } from "./read-pair-rows.ts";
import { vectorNorm } from "./steering-vector.ts";

/** Positive row − negative row of every pair, `[pairs, width]`, in float64. */
export function pairDifferences({ pairs, width, positive, negative }: PairRows): Matrix {
  const D = createMatrix(pairs, width);
  for (let i = 0; i < D.data.length; i++) D.data[i] = positive[i]! - negative[i]!;
  return D;
}

/**
 * Gives a direction the length at which it is comparable with a difference of means: the root mean square of what the pair differences
 * project on it. A direction of length 0 stays as it is.
 */
export function toNaturalLength(direction: Float64Array, D: Matrix): Float64Array {
  const norm = vectorNorm(direction);
  if (norm === 0) return direction;
  let squares = 0;
  for (const projection of project(D, direction)) squares += (projection / norm) ** 2;
  const length = Math.sqrt(squares / D.rows);
  return direction.map((value) => (value / norm) * length);
}

/** D u, `[pairs]`. */
export function project({ rows, cols, data }: Matrix, u: Float64Array): Float64Array {
  const result = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += data[i * cols + j]! * u[j]!;
    result[i] = sum;
  }
  return result;
}
