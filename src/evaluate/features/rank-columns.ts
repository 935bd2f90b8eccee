import type { SparseRows } from "../../features/sparse-rows.ts";

/**
 * Ranks of the values in each column of some rows of a sparse matrix, from which the area under the curve follows for any labels of the rows
 * without sorting again.
 */
export interface RankedColumns {
  readonly cols: number;
  /** Rows that were ranked: labels are given in their order. */
  readonly rows: number;
  /** By column: where its stored values begin and end, `[cols + 1]`. */
  readonly offsets: Int32Array;
  /** Of each stored value: its place among the rows, its rank less that of the column's zeros, and the value. */
  readonly at: Int32Array;
  readonly rank: Float64Array;
  readonly value: Float32Array;
}

/** Ranks the columns of the rows with these numbers; ties share the mean of their ranks, and all values that are not stored are 0. */
export function rankColumns(F: SparseRows, numbers: Int32Array): RankedColumns {
  const rows = numbers.length;
  const offsets = new Int32Array(F.cols + 1);
  for (const row of numbers)
    for (let k = F.offsets[row] as number; k < (F.offsets[row + 1] as number); k++) {
      const next = (F.indices[k] as number) + 1;
      offsets[next] = (offsets[next] as number) + 1;
    }
  for (let j = 0; j < F.cols; j++) offsets[j + 1] = (offsets[j + 1] as number) + (offsets[j] as number);
  const stored = offsets[F.cols] as number;
  const at = new Int32Array(stored);
  const value = new Float32Array(stored);
  const next = offsets.slice();
  numbers.forEach((row, place) => {
    for (let k = F.offsets[row] as number; k < (F.offsets[row + 1] as number); k++) {
      const column = F.indices[k] as number;
      const to = next[column] as number;
      next[column] = to + 1;
      at[to] = place;
      value[to] = F.values[k] as number;
    }
  });
  const rank = new Float64Array(stored);
  for (let j = 0; j < F.cols; j++)
    rankColumn(value, rank, { from: offsets[j] as number, to: offsets[j + 1] as number, rows });
  return { cols: F.cols, rows, offsets, at, rank, value };
}

function rankColumn(
  value: Float32Array,
  rank: Float64Array,
  { from, to, rows }: { readonly from: number; readonly to: number; readonly rows: number },
): void {
  const order = Array.from({ length: to - from }, (_, i) => from + i).sort(
    (a, b) => (value[a] as number) - (value[b] as number),
  );
  const zeros = rows - order.length;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && value[order[end] as number] === value[order[start] as number]) end++;
    // Ranks zeros + start + 1 … zeros + end share their mean; the zeros share (zeros + 1) / 2.
    const shared = zeros + (start + 1 + end) / 2 - (zeros + 1) / 2;
    for (let i = start; i < end; i++) rank[order[i] as number] = shared;
    start = end;
  }
}

/** What one column tells about labels. */
export interface ColumnContrast {
  /** Chance that a row labelled 1 has the larger value than one labelled 0, ties half. */
  readonly auroc: number;
  /** Mean over the rows labelled 1 less that over the others. */
  readonly difference: number;
}

/** Area under the curve and mean difference of one column, for labels `[rows]` of 1 and 0 with `positives` ones. */
export function contrastColumn(
  { offsets, at, rank, value, rows }: RankedColumns,
  column: number,
  labels: Uint8Array,
  positives: number,
): ColumnContrast {
  const negatives = rows - positives;
  const from = offsets[column] as number;
  const to = offsets[column + 1] as number;
  // Without stored values every rank is that of the zeros, and their sum over the positives is the base of the count.
  const zeroRank = (rows - (to - from) + 1) / 2;
  let ranks = positives * zeroRank;
  let [positive, negative] = [0, 0];
  for (let k = from; k < to; k++)
    if (labels[at[k] as number] === 1) {
      ranks += rank[k] as number;
      positive += value[k] as number;
    } else negative += value[k] as number;
  return {
    auroc: (ranks - (positives * (positives + 1)) / 2) / (positives * negatives),
    difference: positive / positives - negative / negatives,
  };
}
