import type { ProductOptions, ProductSize, View } from "../view.ts";
import { addProductInLoops } from "./js-kernel.ts";

/**
 * Adds `sign · A Bᵀ` to C in place by the fastest kernel that needs nothing installed: A `[m, k]`, B `[n, k]`, C `[m, n]`.
 *
 * C may share its array with A or B where the ranges written and read do not overlap.
 */
export function addPortableProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  addProductInLoops(C, A, B, size, options);
}
