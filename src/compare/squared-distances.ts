import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";
import { centreColumns } from "./centre-columns.ts";

/**
 * Squared Euclidean distances between all rows of X `[n, d]`: `[n, n]`, exactly symmetric, 0 on the diagonal, never below 0.
 *
 * From the rows' inner products about their mean: a mean far longer than the distances would drown them in rounding.
 */
export function squaredDistances(X: Matrix): Matrix {
  const G = gram(centreColumns(X));
  const n = X.rows;
  const result = createMatrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [G.data[i * n + i] as number, G.data[j * n + j] as number];
      const value = Math.max(0, a + b - 2 * (G.data[i * n + j] as number));
      result.data[i * n + j] = value;
      result.data[j * n + i] = value;
    }
  return result;
}
