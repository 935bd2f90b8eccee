/** A view of a row-major matrix inside a larger array: element (i, j) is `data[offset + i * stride + j]`. */
export interface View {
  readonly data: Float64Array;
  readonly offset: number;
  readonly stride: number;
}

/** Sizes of a product: the result is `[m, n]` and `k` is summed over. */
export interface ProductSize {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export interface ProductOptions {
  /** What the product is multiplied by before it is added; 1 if left out. */
  readonly sign?: 1 | -1;
  /** Only the upper triangle of the result is needed; what is below the diagonal may be left alone or written. */
  readonly upper?: boolean;
}
