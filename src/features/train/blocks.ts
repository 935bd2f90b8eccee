import { createHash } from "node:crypto";
import { seededRandom } from "../../linalg/random.ts";
import { mixSeed } from "../../maps/collect/split-groups.ts";
import type { RowSource } from "./row-source.ts";

/** Rows that are held and shuffled together. */
export interface Block {
  /** Pass over the source, from 0. */
  readonly epoch: number;
  /** Position within the pass, from 0. */
  readonly index: number;
  /** First chunk of the source in it. */
  readonly firstChunk: number;
  /** `[n, width]`. */
  readonly rows: Float32Array;
  /** Rows of the whole source: counted where this block is all of it, else estimated from how far it reached. */
  readonly totalRows: number;
  /** Whether this block is all of the source. */
  readonly isWhole: boolean;
}

/** Where in a source a block begins. */
export interface BlockPlace {
  readonly epoch: number;
  readonly index: number;
  readonly firstChunk: number;
}

export interface BlockOptions {
  readonly width: number;
  /** Rows that a block holds at most, unless one chunk has more. */
  readonly bufferRows: number;
  readonly start: BlockPlace;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives the rows of a source in blocks, pass after pass without end, or none if it has none. A source that fits one block is read once; others are read anew
 * in each pass, a block at a time.
 *
 * Blocks follow from the source and `bufferRows` alone, so that training can go on from any of them.
 */
export async function* readBlocks(source: RowSource, options: BlockOptions): AsyncGenerator<Block, void, void> {
  let { epoch, index, firstChunk } = options.start;
  for (;;) {
    let whole: Block | undefined;
    let isEmpty = true;
    for await (const block of readPass(source, options, { epoch, index, firstChunk })) {
      yield block;
      isEmpty = false;
      if (block.isWhole) whole = block;
    }
    if (isEmpty) return;
    epoch++;
    for (; whole; epoch++) yield { ...whole, epoch };
    [index, firstChunk] = [0, 0];
  }
}

async function* readPass(
  source: RowSource,
  { width, bufferRows, signal }: BlockOptions,
  { epoch, index: firstIndex, firstChunk }: BlockPlace,
): AsyncGenerator<Block, void, void> {
  let index = firstIndex;
  let start = firstChunk;
  let held = new Float32Array(0);
  let filled = 0;
  let fraction = 0;
  const close = (next: number, isLast: boolean): Block => {
    const rows = held.subarray(0, filled);
    const isWhole = isLast && index === 0 && start === 0;
    const count = filled / width;
    const totalRows = isWhole ? count : Math.round(count / Math.max(fraction, 1e-9));
    const block = { epoch, index, firstChunk: start, rows, totalRows, isWhole };
    index++;
    start = next;
    held = new Float32Array(0);
    filled = 0;
    return block;
  };
  for await (const chunk of source.chunks({ from: firstChunk, signal })) {
    if (filled > 0 && (filled + chunk.rows.length) / width > bufferRows) yield close(chunk.index, false);
    if (filled + chunk.rows.length > held.length) {
      const room = Math.max(filled + chunk.rows.length, Math.min(2 * held.length, bufferRows * width));
      const longer = new Float32Array(room);
      longer.set(held.subarray(0, filled));
      held = longer;
    }
    held.set(chunk.rows, filled);
    filled += chunk.rows.length;
    fraction = chunk.fraction;
  }
  if (filled > 0) yield close(0, true);
}

/** The order in which the rows of a block are visited in a pass: of seed and place alone. */
export function blockOrder(seed: number, { epoch, index, rows }: Block, width: number): Int32Array {
  const order = Int32Array.from({ length: rows.length / width }, (_, row) => row);
  const random = seededRandom(mixSeed(mixSeed(seed + 11, epoch), index));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const moved = order[i] as number;
    order[i] = order[j] as number;
    order[j] = moved;
  }
  return order;
}

/** A digest (hex) of the rows of a block, by which a resumed run knows that it has the same. */
export function blockDigest({ rows }: Block): string {
  return createHash("sha256")
    .update(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength))
    .digest("hex");
}
