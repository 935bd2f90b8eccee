import { createMatrix, type Matrix } from "../linalg/matrix.ts";

/** The rows of Y in another order, a copy: row i is row `order[i]`. */
export function permuteRows(Y: Matrix, order: ArrayLike<number>): Matrix {
  const moved = createMatrix(order.length, Y.cols);
  for (let i = 0; i < order.length; i++) {
    const from = (order[i] as number) * Y.cols;
    moved.data.set(Y.data.subarray(from, from + Y.cols), i * Y.cols);
  }
  return moved;
}
