import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";

/** Some of the rows of a source, those that are read together. */
export interface RowChunk {
  /** Position in the source, from 0. */
  readonly index: number;
  /** `[n, width]` row-major; n may be 0. */
  readonly rows: Float32Array;
  /** About which share of the source has been given with this chunk, 0 to 1. */
  readonly fraction: number;
}

/** Hidden states to train on: readable as often as needed, in the same order and to the same bits each time. */
export interface RowSource {
  /** What the rows are of, for messages and provenance. */
  readonly name: string;
  readonly width: number;
  /** Gives the chunks from number `from` on. */
  chunks(options?: {
    readonly from?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<RowChunk>;
  /** Model and site, where the rows are of one. */
  readonly model?: { readonly name: string; readonly sha256: string; readonly site: Site } | undefined;
  /** What else the provenance should say, as plain JSON. Two sources with other facts are not the same source. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Rows that are read together when they come from memory. */
const chunkRows = 4096;

/**
 * Makes a source of rows in memory, `[n, width]` row-major; nothing is copied.
 *
 * @throws bad-input if they are not whole rows, there are none, or a value is NaN or infinite
 */
export function toRowSource(name: string, rows: Float32Array, width: number): RowSource {
  if (!Number.isSafeInteger(width) || width < 1) throw mismatch("bad-input", name, "a positive width", String(width));
  if (rows.length === 0 || rows.length % width !== 0)
    throw mismatch("bad-input", name, `rows of width ${width}`, `${rows.length} values`);
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw mismatch("bad-input", name, "finite values", `${rows[bad]} in row ${Math.floor(bad / width)}`);
  const step = chunkRows * width;
  return {
    name,
    width,
    facts: { rows: rows.length / width },
    async *chunks({ from = 0 } = {}) {
      for (let at = from * step; at < rows.length; at += step) {
        const end = Math.min(at + step, rows.length);
        yield { index: at / step, rows: rows.subarray(at, end), fraction: end / rows.length };
      }
    },
  };
}
