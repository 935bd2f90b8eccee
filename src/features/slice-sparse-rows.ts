import { mismatch } from "../errors.ts";
import type { SparseRows } from "./sparse-rows.ts";

/**
 * Rows `from` to `to` (without it) of a sparse matrix. Indices and values are shared with it, not copied.
 *
 * @throws bad-input if there are no such rows
 */
export function sliceSparseRows(F: SparseRows, from: number, to: number): SparseRows {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > F.rows)
    throw mismatch("bad-input", "rows", `0 ≤ from ≤ to ≤ ${F.rows}`, `${from} to ${to}`);
  const start = F.offsets[from] as number;
  const end = F.offsets[to] as number;
  return {
    rows: to - from,
    cols: F.cols,
    offsets: F.offsets.slice(from, to + 1).map((offset) => offset - start),
    indices: F.indices.subarray(start, end),
    values: F.values.subarray(start, end),
  };
}
