/**
 * A matrix of which few values are not 0, row by row (CSR): the values of row i are `values[k]` in columns `indices[k]` for k from
 * `offsets[i]` to `offsets[i + 1]`, columns ascending.
 */
export interface SparseRows {
  readonly rows: number;
  readonly cols: number;
  /** `[rows + 1]`. */
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
}
