import type { ProductOptions, ProductSize, View } from "../view.ts";
import { addProductInTiles, type Layout } from "./add-product-in-tiles.ts";
import { addProductInLoops } from "./js-kernel.ts";
import { findKernel } from "./portable-kernel.ts";

/**
 * Adds `sign · A Bᵀ` to C in place by the fastest kernel that needs nothing installed: A `[m, k]`, B `[n, k]`, C `[m, n]`.
 *
 * Sums are plain sums of rounded products in an order that depends on the sizes alone: a value's error is at most
 * `k · 2⁻⁵³ · Σ |a| |b|`, and the bits are the same for any number of threads (see `setPortableThreads`). C may share its array with
 * A or B where the ranges written and read do not overlap.
 */
export function addPortableProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  addProduct(C, A, B, size, options, { left: false, right: false });
}

/** Adds `sign · Aᵀ B` to C in place: A `[k, m]`, B `[k, n]`, C `[m, n]`. As {@link addPortableProduct}, and as fast. */
export function addPortableTransposedProduct(
  C: View,
  A: View,
  B: View,
  size: ProductSize,
  options: ProductOptions = {},
): void {
  addProduct(C, A, B, size, options, { left: true, right: true });
}

/** Adds `sign · A B` to C in place: A `[m, k]`, B `[k, n]`, C `[m, n]`. As {@link addPortableProduct}, and as fast. */
export function addPortablePlainProduct(
  C: View,
  A: View,
  B: View,
  size: ProductSize,
  options: ProductOptions = {},
): void {
  addProduct(C, A, B, size, options, { left: false, right: true });
}

function addProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions, transposed: Layout): void {
  if (isWorthPacking(size) && findKernel() !== undefined) addProductInTiles(C, A, B, size, options, transposed);
  else {
    const left = transposed.left ? transposeView(A, size.k, size.m) : A;
    const right = transposed.right ? transposeView(B, size.k, size.n) : B;
    addProductInLoops(C, left, right, size, options);
  }
}

/**
 * Copying costs about 2 ns for each value of the operands and 5 µs at all; the loops overtake it below 24 x 24 x 24, and where the
 * inner dimension is so short that the product is little more than the adding to C.
 */
function isWorthPacking({ m, n, k }: ProductSize): boolean {
  return k >= 4 && m * n * k >= 20_000;
}

/** The transpose of a `[rows, cols]` view, copied into an array of its own. */
function transposeView({ data, offset, stride }: View, rows: number, cols: number): View {
  const result = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) result[j * rows + i] = data[offset + i * stride + j] as number;
  return { data: result, offset: 0, stride: rows };
}
