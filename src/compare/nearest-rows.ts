import { mismatch } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";
import { centreColumns } from "./centre-columns.ts";

/** Neighbours of a row that measures of neighbourhoods look at, unless told. */
export const defaultNeighbours = 10;

/** Each row less the mean of all, scaled to length 1; rows that are the mean stay 0. `[n, d]`, a copy. */
export function toUnitRows(X: Matrix): Matrix {
  const C = centreColumns(X);
  for (let i = 0; i < C.rows; i++) {
    const row = C.data.subarray(i * C.cols, (i + 1) * C.cols);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) / norm;
  }
  return C;
}

/**
 * The k rows of greatest cosine to each row of X `[n, d]`, about the mean of all rows, nearest first: `[n · k]`. Of equally near ones the first.
 *
 * @throws bad-input if there are not more rows than neighbours
 */
export function nearestRows(X: Matrix, k: number): Int32Array {
  return nearestBy(gram(toUnitRows(X)), k);
}

/**
 * The k rows of greatest affinity S(i, j) to each row i, without itself, greatest first: `[n · k]`. S is `[n, n]`.
 *
 * @throws bad-input if there are not more rows than neighbours
 */
export function nearestBy(S: Matrix, k: number): Int32Array {
  const n = S.rows;
  if (!Number.isSafeInteger(k) || k < 1) throw mismatch("bad-input", "neighbours", "a count of at least 1", String(k));
  if (n <= k) throw mismatch("bad-input", "rows", `more than ${k}, the neighbours of each`, String(n));
  const nearest = new Int32Array(n * k);
  const values = new Float64Array(k);
  for (let i = 0; i < n; i++) {
    let found = 0;
    for (let j = 0; j < n; j++) {
      const value = S.data[i * n + j] as number;
      if (j === i || (found === k && value <= (values[k - 1] as number))) continue;
      let at = found < k ? found++ : k - 1;
      for (; at > 0 && (values[at - 1] as number) < value; at--) {
        values[at] = values[at - 1] as number;
        nearest[i * k + at] = nearest[i * k + at - 1] as number;
      }
      values[at] = value;
      nearest[i * k + at] = j;
    }
  }
  return nearest;
}
