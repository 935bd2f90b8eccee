import type { ProductOptions, ProductSize, View } from "../view.ts";
import { computeTile } from "./crew.ts";
import { packPanels } from "./pack.ts";
import { dismissWorkers, findKernel, findWorkers } from "./portable-kernel.ts";
import { panelRows } from "./strip-kernel.ts";
import { chunkDepth, leftAt, noDiagonal, resultAt, rightAt, type Tile, tileDepth, tileRows } from "./tile.ts";

/** Which operands are given as their transposes, with the inner dimension down the rows. */
export interface Layout {
  readonly left: boolean;
  readonly right: boolean;
}

/**
 * Adds `sign · A Bᵀ` to C in place with the WebAssembly kernel, tile by tile: packs, multiplies, adds to C.
 *
 * C is written only once a tile's whole inner dimension is summed, so that a tile that workers left unfinished can be done again.
 */
export function addProductInTiles(
  C: View,
  A: View,
  B: View,
  { m, n, k }: ProductSize,
  { sign = 1, upper = false }: ProductOptions,
  transposed: Layout,
): void {
  if (m === 0 || n === 0 || k === 0) return;
  const [rows, cols] = [evenPart(m, tileRows), evenPart(n, tileRows)];
  for (let i = 0; i < m; i += rows)
    for (let j = 0; j < n; j += cols) {
      const part: Part = { i, j, rows: Math.min(rows, m - i), cols: Math.min(cols, n - j), k, transposed, upper };
      if (upper && j + part.cols <= i) continue;
      let values = multiplyPart(A, B, part);
      if (values === undefined) {
        dismissWorkers("a worker thread failed or fell silent");
        values = multiplyPart(A, B, part);
      }
      if (values === undefined) throw new Error("no memory to compute again what a worker thread left unfinished");
      addPart(C, values, part, sign);
    }
}

/** Rows i… and columns j… of C over the whole inner dimension. */
interface Part {
  readonly i: number;
  readonly j: number;
  readonly rows: number;
  readonly cols: number;
  readonly k: number;
  readonly transposed: Layout;
  readonly upper: boolean;
}

/** Leaves a part of the product in the kernel's memory and returns that memory, or undefined where workers failed. */
function multiplyPart(A: View, B: View, { i, j, rows, cols, k, transposed, upper }: Part): Float64Array | undefined {
  const kernel = findKernel();
  if (kernel === undefined) return undefined;
  const { values } = kernel.workspace;
  const same = transposed.left === transposed.right && i === j && rows === cols && isSameView(A, B);
  const depth = evenPart(k, tileDepth);
  for (let start = 0; start < k; start += depth) {
    const length = Math.min(depth, k - start);
    const chunk = evenPart(length, chunkDepth);
    const packing = { start, depth: length, chunk };
    packPanels(values, leftAt / 8, A, { ...packing, from: i, rows, transposed: transposed.left });
    if (!same) packPanels(values, rightAt / 8, B, { ...packing, from: j, rows: cols, transposed: transposed.right });
    const workers = findWorkers(kernel, rows * cols * length);
    const tile: Tile = {
      rowPanels: Math.ceil(rows / panelRows),
      colPanels: Math.ceil(cols / panelRows),
      depth: length,
      chunk,
      blockPanels: blockPanels(rows, cols, workers),
      rightAt: same ? leftAt : rightAt,
      shift: upper ? j - i : noDiagonal,
      fresh: start === 0 ? 1 : 0,
    };
    if (!computeTile(kernel.workspace, tile, workers)) return undefined;
  }
  return values;
}

/** Blocks of 128 x 128, or smaller ones where there would be too few of them for the threads to end together. */
function blockPanels(rows: number, cols: number, workers: number): number {
  let panels = 32;
  while (workers > 0 && panels > 8 && (rows * cols) / (panels * panelRows) ** 2 < 8 * (workers + 1)) panels /= 2;
  return panels;
}

/** Adds a part of the product, which lies in blocks of `[4, 4]`, to C. */
function addPart(C: View, values: Float64Array, { i, j, rows, cols, upper }: Part, sign: 1 | -1): void {
  const { data } = C;
  const colPanels = Math.ceil(cols / panelRows);
  const whole = cols - (cols % panelRows);
  for (let row = 0; row < rows; row++) {
    const start = upper ? Math.max(0, i + row - j) : 0;
    const skipped = start - (start % panelRows);
    let from =
      resultAt / 8 +
      (row - (row % panelRows)) * colPanels * panelRows +
      (row % panelRows) * panelRows +
      skipped * panelRows;
    let to = C.offset + (i + row) * C.stride + j + skipped;
    for (const end = to - skipped + whole; to < end; to += panelRows, from += panelRows ** 2) {
      data[to] = (data[to] as number) + sign * (values[from] as number);
      data[to + 1] = (data[to + 1] as number) + sign * (values[from + 1] as number);
      data[to + 2] = (data[to + 2] as number) + sign * (values[from + 2] as number);
      data[to + 3] = (data[to + 3] as number) + sign * (values[from + 3] as number);
    }
    for (const end = to + cols - Math.max(whole, skipped); to < end; ) {
      data[to] = (data[to] as number) + sign * (values[from++] as number);
      to++;
    }
  }
}

/** The length of parts of at most `most` that `total` is cut into: as equal as panels of four allow, so that no part is a sliver. */
function evenPart(total: number, most: number): number {
  const length = Math.ceil(total / Math.ceil(total / most));
  return Math.ceil(length / panelRows) * panelRows;
}

function isSameView(A: View, B: View): boolean {
  return A.data === B.data && A.offset === B.offset && A.stride === B.stride;
}
