import { panelRows, type Strip } from "./strip-kernel.ts";
import { instantiateStrip, type WasmMemory, type WasmModule } from "./wasm-host.ts";

/**
 * The largest part of a product computed at once: 1024 x 1024 values of C over 1024 of the inner dimension. Packed operands and
 * result are 8 MB each, whatever the product, and copying them costs 2 to 3 % of multiplying them.
 */
export const tileRows = 1024;
export const tileDepth = 1024;

/** A panel's chunk of 256 values is 8 KB, two of them fit a first-level cache; the 32 panels of a block fit a second-level one. */
export const chunkDepth = 256;

/** Where things lie in the shared memory, bytes: counters and the tile's sizes, then left panels, right panels and C. */
const tileBytes = tileRows * tileDepth * 8;
export const leftAt: number = 65_536;
export const rightAt: number = leftAt + tileBytes;
export const resultAt: number = rightAt + tileBytes;
export const workspaceBytes: number = resultAt + tileRows * tileRows * 8;

/** A stated distance from the diagonal that no tile has: all of the tile is computed. */
export const noDiagonal: number = 2 ** 30;

/** One tile's work, 32-bit integers all. */
export interface Tile {
  readonly rowPanels: number;
  readonly colPanels: number;
  readonly depth: number;
  readonly chunk: number;
  /** Panels along a side of the blocks it is cut into, which threads take one by one. */
  readonly blockPanels: number;
  /** Where the right panels are: `leftAt` again where both operands are the same. */
  readonly rightAt: number;
  /** First column less first row in the whole product: value (i, j) is left out where j + shift < i. */
  readonly shift: number;
  /** 1 where C starts from zero, 0 where it continues a tile of less inner dimension. */
  readonly fresh: number;
}

/** A thread's view of the shared memory, and its kernel. */
export interface Workspace {
  readonly values: Float64Array;
  readonly words: Int32Array;
  readonly strip: Strip;
}

/** Opens the workspace of one thread. */
export function openWorkspace(module: WasmModule, memory: WasmMemory): Workspace {
  return {
    values: new Float64Array(memory.buffer),
    words: new Int32Array(memory.buffer, 0, leftAt / 4),
    strip: instantiateStrip(module, memory),
  };
}

/** How many blocks a tile has. */
export function countBlocks({ rowPanels, colPanels, blockPanels }: Tile): number {
  return Math.ceil(rowPanels / blockPanels) * Math.ceil(colPanels / blockPanels);
}

/**
 * Computes one block of a tile. Every value is summed over the chunks in order, however the tile is cut: blocks decide who computes
 * what, never the result.
 */
export function computeBlock({ values, strip }: Workspace, tile: Tile, block: number): void {
  const { rowPanels, colPanels, depth, chunk, blockPanels } = tile;
  const across = Math.ceil(colPanels / blockPanels);
  const top = Math.floor(block / across) * blockPanels;
  const left = (block % across) * blockPanels;
  const bottom = Math.min(top + blockPanels, rowPanels);
  const right = Math.min(left + blockPanels, colPanels);
  const panelBytes = panelRows * 8;
  const blockBytes = panelRows * panelBytes;
  for (let p = top; p < bottom && tile.fresh === 1; p++) {
    const row = (resultAt + p * colPanels * blockBytes) / 8;
    values.fill(0, row + left * panelRows ** 2, row + right * panelRows ** 2);
  }
  for (let t = 0; t < depth; t += chunk) {
    const length = Math.min(chunk, depth - t);
    for (let p = top; p < bottom; p++) {
      const q = Math.max(left, Math.floor((p * panelRows - tile.shift) / panelRows));
      if (q >= right) continue;
      const a = leftAt + (t * rowPanels + p * length) * panelBytes;
      const b = tile.rightAt + (t * colPanels + q * length) * panelBytes;
      strip(a, b, resultAt + (p * colPanels + q) * blockBytes, right - q, length);
    }
  }
}
