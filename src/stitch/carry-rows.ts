import { mismatch } from "../errors.ts";
import { createMatrix } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";
import type { Affine } from "../maps/fit/fit-ridge.ts";

/** Rows from which on a product of matrices is quicker than a sum for each number. */
const manyRows = 8;

/**
 * Carries hidden states across a map: row i of the result is `A xᵢ + p`, in float64 until it is rounded.
 *
 * X is `[n, dSource]`, the result `[n, dTarget]`, both row-major float32. Many rows go through the system's BLAS, where there is one.
 *
 * @throws bad-input if X is not a whole number of rows of the source's width
 */
export function carryRows({ A, p }: Affine, X: Float32Array): Float32Array {
  if (X.length % A.cols !== 0)
    throw mismatch("bad-input", "hidden states", `rows of width ${A.cols}`, `${X.length} numbers`);
  const n = X.length / A.cols;
  const Y = new Float32Array(n * A.rows);
  if (n >= manyRows) {
    const { data } = multiplyTransposed(createMatrix(n, A.cols, Float64Array.from(X)), A);
    for (let at = 0, i = 0; at < Y.length; at++, i = i + 1 === A.rows ? 0 : i + 1)
      Y[at] = (data[at] as number) + (p[i] as number);
    return Y;
  }
  for (let row = 0; row < n; row++)
    for (let i = 0; i < A.rows; i++) {
      let sum = p[i] as number;
      const [a, x] = [i * A.cols, row * A.cols];
      for (let j = 0; j < A.cols; j++) sum += (A.data[a + j] as number) * (X[x + j] as number);
      Y[row * A.rows + i] = sum;
    }
  return Y;
}

/** Puts the rows of several sites side by side: `[n, Σ widths]`. */
export function joinRows(states: readonly Float32Array[], rows: number): Float32Array {
  if (states.length === 1) return states[0] as Float32Array;
  const widths = states.map(({ length }) => length / rows);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const joined = new Float32Array(rows * total);
  let start = 0;
  states.forEach((state, at) => {
    const width = widths[at] as number;
    for (let row = 0; row < rows; row++)
      joined.set(state.subarray(row * width, (row + 1) * width), row * total + start);
    start += width;
  });
  return joined;
}
