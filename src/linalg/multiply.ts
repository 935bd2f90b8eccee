import { mismatch } from "../errors.ts";
import { addPlainProduct, addProduct, addTransposedProduct, mirrorUpper } from "./kernel.ts";
import { createMatrix, type Matrix } from "./matrix.ts";
import type { View } from "./view.ts";

/**
 * The product `A B`: `[m, k]` times `[k, n]` gives `[m, n]`, float64.
 *
 * @throws bad-input if the inner sizes differ
 */
export function multiply(A: Matrix, B: Matrix): Matrix {
  checkInner("A B", A.cols, B.rows);
  const C = createMatrix(A.rows, B.cols);
  addPlainProduct(toView(C), toView(A), toView(B), { m: A.rows, n: B.cols, k: A.cols });
  return C;
}

/**
 * The product `A Bᵀ`: `[m, k]` times the transpose of `[n, k]` gives `[m, n]`. Without a system library the fastest of the three: nothing is
 * rearranged.
 *
 * @throws bad-input if the inner sizes differ
 */
export function multiplyTransposed(A: Matrix, B: Matrix): Matrix {
  checkInner("A Bᵀ", A.cols, B.cols);
  const C = createMatrix(A.rows, B.rows);
  addProduct(toView(C), toView(A), toView(B), { m: A.rows, n: B.rows, k: A.cols });
  return C;
}

/**
 * The product `Aᵀ B`: the transpose of `[k, m]` times `[k, n]` gives `[m, n]`.
 *
 * @throws bad-input if the inner sizes differ
 */
export function transposedMultiply(A: Matrix, B: Matrix): Matrix {
  checkInner("Aᵀ B", A.rows, B.rows);
  const C = createMatrix(A.cols, B.cols);
  addTransposedProduct(toView(C), toView(A), toView(B), { m: A.cols, n: B.cols, k: A.rows });
  return C;
}

/** The Gram matrix `A Aᵀ` `[m, m]` of the rows of A `[m, k]`, exactly symmetric, at half the cost of the product. */
export function gram(A: Matrix): Matrix {
  const C = createMatrix(A.rows, A.rows);
  addProduct(toView(C), toView(A), toView(A), { m: A.rows, n: A.rows, k: A.cols }, { upper: true });
  mirrorUpper(C.data, C.rows);
  return C;
}

/** The whole matrix as the kernel's view. */
export function toView(A: Matrix): View {
  return { data: A.data, offset: 0, stride: A.cols };
}

function checkInner(where: string, left: number, right: number): void {
  if (left !== right) throw mismatch("bad-input", where, `inner sizes that agree`, `${left} and ${right}`);
}
