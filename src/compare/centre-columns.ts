import { createMatrix, type Matrix } from "../linalg/matrix.ts";

/** X `[n, d]` less the mean of each column, a copy. */
export function centreColumns(X: Matrix): Matrix {
  const { rows: n, cols: d } = X;
  const mean = new Float64Array(d);
  for (let at = 0; at < n * d; at++) mean[at % d] = (mean[at % d] as number) + (X.data[at] as number) / n;
  return createMatrix(
    n,
    d,
    X.data.map((value, at) => value - (mean[at % d] as number)),
  );
}
