import { addPortableProduct } from "./portable/add-product.ts";
import type { ProductOptions, ProductSize, View } from "./view.ts";

/**
 * Adds `sign · A Bᵀ` to C in place, where A is `[m, k]`, B `[n, k]` and C `[m, n]`.
 *
 * The one product of this room; everything else is built of it. With `upper` set only the upper triangle of C counts: use it for
 * symmetric results and mirror afterwards. C may share its array with A or B where the ranges written and read do not overlap.
 */
export function addProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  addPortableProduct(C, A, B, size, options);
}

/** Copies the upper triangle of a row-major `[n, n]` array onto the lower one, in place. */
export function mirrorUpper(data: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) data[i * n + j] = data[j * n + i] as number;
}

/**
 * Adds `Aᵀ B` to C in place, where A is `[k, m]`, B `[k, n]` and C `[m, n]`: sums over the **rows** of both.
 *
 * Sums of products of hidden states, whose rows are tokens. With `upper` set only the upper triangle of C counts, as in
 * {@link addProduct}. C must not share its array with A or B.
 */
export function addTransposedProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  const { m, n, k } = size;
  const left = transposed(A, k, m);
  addPortableProduct(C, left, A === B ? left : transposed(B, k, n), size, options);
}

/** The transpose of a `[rows, cols]` view, copied into an array of its own. */
function transposed({ data, offset, stride }: View, rows: number, cols: number): View {
  const result = new Float64Array(rows * cols);
  // Blocks of 32 x 32 keep both sides in the first-level cache.
  const block = 32;
  for (let i0 = 0; i0 < rows; i0 += block)
    for (let j0 = 0; j0 < cols; j0 += block)
      for (let i = i0; i < Math.min(i0 + block, rows); i++)
        for (let j = j0; j < Math.min(j0 + block, cols); j++)
          result[j * rows + i] = data[offset + i * stride + j] as number;
  return { data: result, offset: 0, stride: rows };
}
