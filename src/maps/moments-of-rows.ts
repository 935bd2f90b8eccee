import { mismatch } from "../errors.ts";
import { checkMatrix, createMatrix, type Matrix } from "../linalg/matrix.ts";
import { gram, multiplyTransposed } from "../linalg/multiply.ts";
import type { Moments } from "./moments.ts";

/**
 * The moments of paired rows that are all at hand, in float64 from end to end: X `[n, dX]`, Y `[n, dY]`.
 *
 * `createMomentsSum` is for rows that stream by in float32; this is for some thousands of rows that a comparison holds anyway.
 *
 * @throws bad-input if the rows are not equally many or a value is not finite
 */
export function momentsOfRows(X: Matrix, Y: Matrix): Moments {
  if (X.rows !== Y.rows) throw mismatch("bad-input", "paired rows", `${X.rows}, as many as of X`, `${Y.rows} of Y`);
  const [x, y] = [centredColumns(checkMatrix(X, "X")), centredColumns(checkMatrix(Y, "Y"))];
  return {
    n: X.rows,
    meanX: x.mean,
    meanY: y.mean,
    Cxx: gram(x.columns),
    Cyx: multiplyTransposed(y.columns, x.columns),
    Cyy: gram(y.columns),
  };
}

/** The columns of a matrix as rows, each less its mean. */
function centredColumns(X: Matrix): { readonly mean: Float64Array; readonly columns: Matrix } {
  const { rows: n, cols: d, data } = X;
  const mean = new Float64Array(d);
  for (let k = 0, j = 0; k < data.length; k++) {
    mean[j] = (mean[j] as number) + (data[k] as number) / n;
    if (++j === d) j = 0;
  }
  const columns = createMatrix(d, n);
  for (let j = 0; j < d; j++)
    for (let i = 0; i < n; i++) columns.data[j * n + i] = (data[i * d + j] as number) - (mean[j] as number);
  return { mean, columns };
}
