import type { OpenModel } from "../../engine/open-model.ts";
import { mismatch } from "../../errors.ts";
import { logitRow, type ScoredRow, scoreRow } from "./next-token.ts";

/** Positions [from, to) of a window. */
export interface PositionRange {
  readonly window: number;
  readonly from: number;
  readonly to: number;
}

/** The unsteered model on neutral text: what every steering of it is compared with. Valid for the model that read it. */
export interface DamageBaseline {
  readonly windows: readonly Int32Array[];
  /** Mean loss of the next token, nats, over the positions that have one. */
  readonly lossNats: number;
  /** Positions in all. */
  readonly positions: number;
  /** Ranges that are computed in one call of the engine each. */
  readonly chunks: readonly (readonly PositionRange[])[];
  /** Unsteered logits by number of the chunk, `[positions, vocabulary]` for each range; chunks that did not fit are read again each time. */
  readonly kept: ReadonlyMap<number, readonly Float32Array[]>;
}

export interface DamageBaselineOptions {
  /** Bytes of logits that one call may return. Default 128 MiB: 128 positions of a vocabulary of 256 000. */
  readonly chunkBytes?: number;
  /** Bytes of unsteered logits to keep between steerings. Default 256 MiB. */
  readonly keptBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads the unsteered model's next-token distributions on neutral text, once for all steerings that {@link measureDamage} compares with it.
 *
 * Logits are large (a megabyte for one position of a vocabulary of 256 000), so they are read in chunks and kept only as far as `keptBytes`
 * goes. A window of more positions than a chunk holds is read in ranges, each from the window's start, which costs time, not memory: windows
 * of about 128 tokens avoid it.
 *
 * @param windows - token ids, each of at least two tokens and no longer than the model's context
 * @throws bad-input without windows, or for one of a single token; what the engine throws otherwise
 */
export async function readDamageBaseline(
  model: Pick<OpenModel, "logits" | "description">,
  windows: readonly Int32Array[],
  { chunkBytes = 2 ** 27, keptBytes = 2 ** 28, signal }: DamageBaselineOptions = {},
): Promise<DamageBaseline> {
  if (windows.length === 0) throw mismatch("bad-input", "neutral text", "at least one window", "none");
  const short = windows.findIndex(({ length }) => length < 2);
  if (short >= 0)
    throw mismatch("bad-input", `neutral window ${short}`, "at least two tokens", String(windows[short]!.length));
  const { vocabulary } = model.description;
  const chunks = toChunks(windows, Math.max(1, Math.floor(chunkBytes / (4 * vocabulary))));
  const kept = new Map<number, readonly Float32Array[]>();
  let room = keptBytes;
  let loss = 0;
  for (const [number, chunk] of chunks.entries()) {
    const logits = await readChunk(model, windows, chunk, signal === undefined ? {} : { signal });
    for (const { row } of eachRow(windows, chunk, logits, vocabulary)) loss += row.loss ?? 0;
    const bytes = logits.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes > room) continue;
    kept.set(number, logits);
    room -= bytes;
  }
  const positions = windows.reduce((sum, { length }) => sum + length, 0);
  return { windows, lossNats: loss / (positions - windows.length), positions, chunks, kept };
}

/** Logits of the ranges of a chunk, under whatever steering is given. */
export function readChunk(
  model: Pick<OpenModel, "logits">,
  windows: readonly Int32Array[],
  chunk: readonly PositionRange[],
  options: Pick<NonNullable<Parameters<OpenModel["logits"]>[1]>, "steering" | "signal">,
): Promise<Float32Array[]> {
  return model.logits(
    // What follows a range cannot change it. A copy, because a view would be sent to the worker with its whole buffer.
    chunk.map(({ window, to }) => windows[window]!.slice(0, to)),
    { ...options, positions: chunk.map(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)) },
  );
}

/** Goes through the positions of a chunk: the window, the row's place, and its score with the token that follows in the window. */
export function* eachRow(
  windows: readonly Int32Array[],
  chunk: readonly PositionRange[],
  logits: readonly Float32Array[],
  vocabulary: number,
): Generator<{ readonly window: number; readonly range: number; readonly at: number; readonly row: ScoredRow }> {
  for (const [range, { window, from, to }] of chunk.entries())
    for (let at = 0; at < to - from; at++)
      yield {
        window,
        range,
        at,
        row: scoreRow(logitRow(logits[range]!, at, vocabulary), windows[window]![from + at + 1]),
      };
}

/** Packs windows into chunks of at most `most` positions, cutting those that are longer. */
function toChunks(windows: readonly Int32Array[], most: number): PositionRange[][] {
  const chunks: PositionRange[][] = [];
  let room = 0;
  for (const [window, { length }] of windows.entries())
    for (let from = 0; from < length; ) {
      // A window that fits in a chunk by itself is not cut to fill the last one.
      const size = Math.min(length - from, most);
      if (size > room) {
        chunks.push([]);
        room = most;
      }
      chunks.at(-1)!.push({ window, from, to: from + size });
      room -= size;
      from += size;
    }
  return chunks;
}
