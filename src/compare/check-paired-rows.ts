import { mismatch } from "../errors.ts";
import { checkMatrix, type Matrix } from "../linalg/matrix.ts";

/**
 * Checks that X `[n, dX]` and Y `[n, dY]` are paired rows of finite values, and returns n.
 *
 * @throws bad-input `where: expected X, got Y` if they are not equally many, there are fewer than 2, a side has no width, or a value is not finite
 */
export function checkPairedRows(X: Matrix, Y: Matrix, where: string): number {
  if (X.rows !== Y.rows)
    throw mismatch("bad-input", `${where}: rows`, "as many of X as of Y", `${X.rows} and ${Y.rows}`, {
      hint: "row i of both must be of one token",
    });
  if (X.rows < 2) throw mismatch("bad-input", `${where}: rows`, "at least 2", String(X.rows));
  for (const [name, side] of [
    ["X", X],
    ["Y", Y],
  ] as const) {
    if (side.cols < 1) throw mismatch("bad-input", `${where}: ${name}`, "a width of at least 1", String(side.cols));
    checkMatrix(side, `${where}: ${name}`);
  }
  return X.rows;
}
