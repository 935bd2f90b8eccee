import { mismatch } from "../errors.ts";
import type { SparseRows } from "./sparse-rows.ts";

/** Builds a sparse matrix row by row. */
export interface SparseBuilder {
  /** Adds a value to the current row; columns must come in ascending order. */
  readonly add: (column: number, value: number) => void;
  readonly endRow: () => void;
  /** The matrix, whose arrays are as long as needed and no longer. */
  readonly build: () => SparseRows;
}

/** Starts a sparse matrix `[rows, cols]`. @throws bad-input from `add` if it gets more than 2³¹ − 1 values */
export function createSparseBuilder(rows: number, cols: number): SparseBuilder {
  const offsets = new Int32Array(rows + 1);
  let indices = new Int32Array(Math.max(64, rows * 16));
  let values = new Float32Array(indices.length);
  let length = 0;
  let row = 0;
  const grow = (): void => {
    if (length >= 2 ** 31 - 1)
      throw mismatch("bad-input", "sparse rows", "fewer than 2³¹ values", "more", {
        hint: "encode fewer rows at a time",
      });
    const more = Math.min(2 ** 31 - 1, indices.length * 2);
    const [oldIndices, oldValues] = [indices, values];
    indices = new Int32Array(more);
    indices.set(oldIndices);
    values = new Float32Array(more);
    values.set(oldValues);
  };
  return {
    add(column, value) {
      const rounded = Math.fround(value);
      // What is rounded to 0 in float32 is not stored: a stored value is always an active feature.
      if (rounded === 0) return;
      if (length === indices.length) grow();
      indices[length] = column;
      values[length] = rounded;
      length++;
    },
    endRow() {
      row++;
      offsets[row] = length;
    },
    build: () => ({ rows, cols, offsets, indices: indices.slice(0, length), values: values.slice(0, length) }),
  };
}
