import type { View } from "../view.ts";
import { panelRows } from "./strip-kernel.ts";

/** Columns copied side by side: each panel is written in its own place, and the cache holds the lines of about as many. */
const columnsAtOnce = 64;

/** Which part of an operand is packed, and how the operand lies. */
export interface Packing {
  /** First row of the operand, and how many: they become panels of four, the last filled up with zeros. */
  readonly from: number;
  readonly rows: number;
  /** First value of the inner dimension, and how many: they are cut into chunks of `chunk`, of which the last may be shorter. */
  readonly start: number;
  readonly depth: number;
  readonly chunk: number;
  /** True where the view holds the operand's transpose: value t of row i is `data[offset + t * stride + i]`. */
  readonly transposed: boolean;
}

/**
 * Copies part of an operand into panels, `[chunks][panels][values of the chunk][4]`, so that the kernel reads it from end to end.
 *
 * Returns nothing; `packed` is written from `at` on, `depth` times the rows in full panels.
 */
export function packPanels(packed: Float64Array, at: number, view: View, packing: Packing): void {
  const { start, depth, chunk, rows, transposed } = packing;
  const panels = Math.ceil(rows / panelRows);
  let to = at;
  for (let t = 0; t < depth; t += chunk) {
    const length = Math.min(chunk, depth - t);
    if (transposed) packColumns(packed, to, view, packing.from, rows, start + t, length);
    else packRows(packed, to, view, packing.from, rows, start + t, length);
    to += panels * panelRows * length;
  }
}

/** Interleaves rows that lie one after the other. */
function packRows(
  packed: Float64Array,
  at: number,
  { data, offset, stride }: View,
  from: number,
  rows: number,
  start: number,
  length: number,
): void {
  const whole = rows - (rows % panelRows);
  let to = at;
  for (let i = 0; i < whole; i += panelRows) {
    let row0 = offset + (from + i) * stride + start;
    let row1 = row0 + stride;
    let row2 = row1 + stride;
    let row3 = row2 + stride;
    for (const end = to + panelRows * length; to < end; to += panelRows) {
      packed[to] = data[row0++] as number;
      packed[to + 1] = data[row1++] as number;
      packed[to + 2] = data[row2++] as number;
      packed[to + 3] = data[row3++] as number;
    }
  }
  if (whole === rows) return;
  packed.fill(0, to, to + panelRows * length);
  for (let i = whole; i < rows; i++)
    for (let t = 0; t < length; t++)
      packed[to + t * panelRows + (i - whole)] = data[offset + (from + i) * stride + start + t] as number;
}

/** Interleaves rows that lie as columns. */
function packColumns(
  packed: Float64Array,
  at: number,
  { data, offset, stride }: View,
  from: number,
  rows: number,
  start: number,
  length: number,
): void {
  const whole = rows - (rows % panelRows);
  const panel = panelRows * length;
  for (let first = 0; first < whole; first += columnsAtOnce) {
    const width = Math.min(columnsAtOnce, whole - first);
    for (let t = 0; t < length; t++) {
      let source = offset + (start + t) * stride + from + first;
      let to = at + first * length + t * panelRows;
      for (const end = source + width; source < end; source += panelRows, to += panel) {
        packed[to] = data[source] as number;
        packed[to + 1] = data[source + 1] as number;
        packed[to + 2] = data[source + 2] as number;
        packed[to + 3] = data[source + 3] as number;
      }
    }
  }
  if (whole === rows) return;
  const last = at + whole * length;
  packed.fill(0, last, last + panel);
  for (let t = 0; t < length; t++)
    for (let i = whole; i < rows; i++)
      packed[last + t * panelRows + (i - whole)] = data[offset + (start + t) * stride + from + i] as number;
}
