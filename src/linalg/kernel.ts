import { TrimtabError } from "../errors.ts";
import { blasFor } from "./backend.ts";
import { addPortablePlainProduct, addPortableProduct, addPortableTransposedProduct } from "./portable/add-product.ts";
import type { ProductOptions, ProductSize, View } from "./view.ts";

/**
 * Adds `sign · A Bᵀ` to C in place, where A is `[m, k]`, B `[n, k]` and C `[m, n]`.
 *
 * Computed by the system's BLAS where there is one (see {@link describeLinalg}), else by the portable kernel. With `upper` set only
 * the upper triangle of C counts: use it for symmetric results and mirror afterwards. C may share its array with A or B where the
 * ranges written and read do not overlap.
 *
 * @throws internal if a view reaches beyond its array
 */
export function addProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  const { m, n, k } = size;
  const blas = blasFor(m * n * k);
  if (blas) {
    checkView(C, m, n);
    checkView(A, m, k);
    checkView(B, n, k);
    blas.addProduct(C, A, B, size, options);
  } else addPortableProduct(C, A, B, size, options);
}

/**
 * Adds `sign · Aᵀ B` to C in place, where A is `[k, m]`, B `[k, n]` and C `[m, n]`: sums over the **rows** of both.
 *
 * For sums of products of hidden states, whose rows are tokens. `upper` as in {@link addProduct}. Arrays may be shared as there.
 *
 * @throws internal if a view reaches beyond its array
 */
export function addTransposedProduct(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  const { m, n, k } = size;
  const blas = blasFor(m * n * k);
  if (blas) {
    checkView(C, m, n);
    checkView(A, k, m);
    checkView(B, k, n);
    blas.addTransposedProduct(C, A, B, size, options);
  } else addPortableTransposedProduct(C, A, B, size, options);
}

/**
 * Adds `sign · A B` to C in place, where A is `[m, k]`, B `[k, n]` and C `[m, n]`. Arrays may be shared as in {@link addProduct}.
 *
 * @throws internal if a view reaches beyond its array
 */
export function addPlainProduct(
  C: View,
  A: View,
  B: View,
  size: ProductSize,
  options: Pick<ProductOptions, "sign"> = {},
): void {
  const { m, n, k } = size;
  const blas = blasFor(m * n * k);
  if (blas) {
    checkView(C, m, n);
    checkView(A, m, k);
    checkView(B, k, n);
    blas.addPlainProduct(C, A, B, size, options);
  } else addPortablePlainProduct(C, A, B, size, options);
}

/** Native code does not stop at the end of an array. */
function checkView({ data, offset, stride }: View, rows: number, cols: number): void {
  if (offset < 0 || stride < cols || offset + (rows - 1) * stride + cols > data.length)
    throw new TrimtabError(
      "internal",
      `internal: a view of ${rows} x ${cols} at ${offset} with stride ${stride} is beyond ${data.length} values`,
    );
}

/** Copies the upper triangle of a row-major `[n, n]` array onto the lower one, in place. */
export function mirrorUpper(data: Float64Array, n: number): void {
  // Blocks of 32 x 32: read along columns, a plain loop misses the cache at every element of a wide matrix.
  const block = 32;
  for (let i0 = 0; i0 < n; i0 += block)
    for (let j0 = 0; j0 <= i0; j0 += block)
      for (let i = i0; i < Math.min(i0 + block, n); i++)
        for (let j = j0; j < Math.min(j0 + block, i); j++) data[i * n + j] = data[j * n + i] as number;
}
