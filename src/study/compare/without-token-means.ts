import { createMatrix, type Matrix } from "../../linalg/matrix.ts";

/** Fewer rows of a token leave of each only what it is not like the one or two others. */
const leastRows = 3;

/** The rows whose token the sample holds at least three times, by their place. */
export function rowsOfRepeatedTokens(tokens: ArrayLike<number>): Int32Array {
  const counts = new Map<number, number>();
  for (let i = 0; i < tokens.length; i++) counts.set(tokens[i] as number, (counts.get(tokens[i] as number) ?? 0) + 1);
  const kept: number[] = [];
  for (let i = 0; i < tokens.length; i++) if ((counts.get(tokens[i] as number) ?? 0) >= leastRows) kept.push(i);
  return Int32Array.from(kept);
}

/**
 * Rows of X `[n, d]` less the mean of the rows of the same token: what is left is context. Much of the likeness of two models' states is that both
 * know the current token.
 */
export function withoutTokenMeans(X: Matrix, tokens: ArrayLike<number>): Matrix {
  const { rows: n, cols: d, data } = X;
  const sums = new Map<number, { count: number; readonly sum: Float64Array }>();
  for (let i = 0; i < n; i++) {
    const token = tokens[i] as number;
    const found = sums.get(token) ?? { count: 0, sum: new Float64Array(d) };
    sums.set(token, found);
    found.count++;
    for (let j = 0; j < d; j++) found.sum[j] = (found.sum[j] as number) + (data[i * d + j] as number);
  }
  const result = createMatrix(n, d);
  for (let i = 0; i < n; i++) {
    const { count, sum } = sums.get(tokens[i] as number) as { count: number; sum: Float64Array };
    for (let j = 0; j < d; j++) result.data[i * d + j] = (data[i * d + j] as number) - (sum[j] as number) / count;
  }
  return result;
}
