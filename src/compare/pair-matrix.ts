import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import type { PairingScore } from "./measure.ts";

/**
 * What a side says of every two of its rows, `[n, n]` symmetric, scaled so that its sum of squares is 1; `undefined` where it says the same of all.
 *
 * Many measures of likeness are the sum Σ a(i, j) b(i, j) of two such matrices. Pairing the rows otherwise only reorders one of them.
 */
export type PairMatrix = Matrix | undefined;

/** Scales a symmetric matrix, in place, to a sum of squares of 1; `undefined` if it is 0. */
export function toPairMatrix(A: Matrix): PairMatrix {
  let squares = 0;
  for (const value of A.data) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!(norm > 0)) return undefined;
  for (let k = 0; k < A.data.length; k++) A.data[k] = (A.data[k] as number) / norm;
  return A;
}

/** Scores pairings of two sides by Σ a(i, j) b(order(i), order(j)): a correlation or cosine, 1 where both say the same. `NaN` where a side says nothing. */
export function scorePairs(A: PairMatrix, B: PairMatrix): PairingScore {
  return (order) => {
    if (!A || !B) return Number.NaN;
    const n = A.rows;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const rowA = i * n;
      const rowB = (order ? (order[i] as number) : i) * n;
      // Half of a symmetric matrix and its diagonal; each row is summed by itself, so that rounding grows with n and not with n².
      let ofRow = 0;
      if (order)
        for (let j = 0; j < i; j++)
          ofRow += (A.data[rowA + j] as number) * (B.data[rowB + (order[j] as number)] as number);
      else for (let j = 0; j < i; j++) ofRow += (A.data[rowA + j] as number) * (B.data[rowB + j] as number);
      const own = order ? (order[i] as number) : i;
      sum += 2 * ofRow + (A.data[rowA + i] as number) * (B.data[rowB + own] as number);
    }
    return Math.max(-1, Math.min(1, sum));
  };
}

/** The values above the diagonal of a symmetric matrix, row by row: `[n (n − 1)/2]`. */
export function upperTriangle({ rows: n, data }: Matrix): Float64Array {
  const values = new Float64Array((n * (n - 1)) / 2);
  for (let i = 0, at = 0; i < n; i++) {
    values.set(data.subarray(i * n + i + 1, (i + 1) * n), at);
    at += n - 1 - i;
  }
  return values;
}

/**
 * The symmetric matrix with these values above its diagonal, less their mean, and 0 on it: its products are correlations over pairs. `undefined` where
 * the values differ by rounding alone.
 */
export function fromUpperTriangle(values: Float64Array, n: number): PairMatrix {
  const A = createMatrix(n, n);
  let [mean, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    mean += value / values.length;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!(most - least > 4 * Number.EPSILON * Math.max(Math.abs(least), Math.abs(most)))) return undefined;
  for (let i = 0, at = 0; i < n; i++)
    for (let j = i + 1; j < n; j++, at++) {
      const value = values[at] as number;
      A.data[i * n + j] = value - mean;
      A.data[j * n + i] = value - mean;
    }
  return toPairMatrix(A);
}

/** Ranks from 1 of many values; equal ones share the mean of theirs. */
export function rankValues(values: Float64Array): Float64Array {
  const sorted = values.slice().sort();
  const n = sorted.length;
  // The rank of a value stands where the first that equals it does.
  const rankAt = new Float64Array(n);
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    rankAt[start] = (start + end + 1) / 2;
    start = end;
  }
  return values.map((value) => {
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return rankAt[low] as number;
  });
}
