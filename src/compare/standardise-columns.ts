import { createMatrix, type Matrix } from "../linalg/matrix.ts";

/** Columns of X `[n, d]` less their mean, over their standard deviation (divisor n), a copy; a column that does not vary becomes 0. */
export function standardiseColumns({ rows: n, cols: d, data }: Matrix): Matrix {
  const result = createMatrix(n, d);
  for (let j = 0; j < d; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += (data[i * d + j] as number) / n;
    let [variance, largest] = [0, 0];
    for (let i = 0; i < n; i++) {
      const value = data[i * d + j] as number;
      variance += (value - mean) ** 2 / n;
      largest = Math.max(largest, Math.abs(value));
    }
    // What is left of a constant is the rounding of its mean.
    const factor = Math.sqrt(variance) > 1e-14 * largest ? 1 / Math.sqrt(variance) : 0;
    for (let i = 0; i < n; i++) result.data[i * d + j] = ((data[i * d + j] as number) - mean) * factor;
  }
  return result;
}
