import { mismatch } from "../errors.ts";

/** A dense matrix: `rows × cols` float64 values, row-major, so that element (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

/**
 * Wraps `data` as a `[rows, cols]` matrix without copying, or creates a zero matrix when `data` is left out.
 *
 * @throws bad-input if the sizes are not non-negative integers or `data` has another length than rows × cols
 */
export function createMatrix(rows: number, cols: number, data?: Float64Array): Matrix {
  if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(cols) || rows < 0 || cols < 0)
    throw mismatch("bad-input", "matrix", "sizes that are non-negative integers", `${rows} x ${cols}`);
  const values = data ?? new Float64Array(rows * cols);
  if (values.length !== rows * cols)
    throw mismatch("bad-input", "matrix", `${rows * cols} values for ${rows} x ${cols}`, `${values.length}`);
  return { rows, cols, data: values };
}

/**
 * Copies rows of equal length into a matrix `[rows.length, rows[0].length]`.
 *
 * @throws bad-input if the rows differ in length
 */
export function fromRows(rows: readonly ArrayLike<number>[]): Matrix {
  const cols = rows[0]?.length ?? 0;
  const result = createMatrix(rows.length, cols);
  rows.forEach((row, i) => {
    if (row.length !== cols) throw mismatch("bad-input", `row ${i}`, `${cols} values`, `${row.length}`);
    result.data.set(row, i * cols);
  });
  return result;
}

/** The identity matrix `[n, n]`. */
export function identity(n: number): Matrix {
  const result = createMatrix(n, n);
  for (let i = 0; i < n; i++) result.data[i * n + i] = 1;
  return result;
}

/** The transpose `[cols, rows]`, a copy. */
export function transpose(A: Matrix): Matrix {
  const result = createMatrix(A.cols, A.rows);
  // Blocks of 32 x 32 keep both sides in the first-level cache; a plain double loop misses on every write of a wide matrix.
  const block = 32;
  for (let i0 = 0; i0 < A.rows; i0 += block)
    for (let j0 = 0; j0 < A.cols; j0 += block)
      for (let i = i0; i < Math.min(i0 + block, A.rows); i++)
        for (let j = j0; j < Math.min(j0 + block, A.cols); j++)
          result.data[j * A.rows + i] = A.data[i * A.cols + j] as number;
  return result;
}

/**
 * Checks a matrix's shape (where given) and that every value is finite, and returns it.
 *
 * @throws bad-input if a size differs, the data's length does not fit, or a value is NaN or infinite
 */
export function checkMatrix(
  A: Matrix,
  where: string,
  shape: { readonly rows?: number; readonly cols?: number } = {},
): Matrix {
  const { rows = A.rows, cols = A.cols } = shape;
  if (A.rows !== rows || A.cols !== cols)
    throw mismatch("bad-input", where, `a matrix of ${rows} x ${cols}`, `${A.rows} x ${A.cols}`);
  if (A.data.length !== rows * cols)
    throw mismatch("bad-input", where, `${rows * cols} values for ${rows} x ${cols}`, `${A.data.length}`);
  const bad = A.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw mismatch(
      "bad-input",
      where,
      "finite values",
      `${A.data[bad]} at row ${Math.floor(bad / cols)}, column ${bad % cols}`,
    );
  return A;
}

/** True for a matrix whose rows and columns are equally many. */
export function isSquare(A: Matrix): boolean {
  return A.rows === A.cols;
}
