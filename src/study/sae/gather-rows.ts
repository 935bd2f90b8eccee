import { mismatch } from "../../errors.ts";
import { type RowSource, toRowSource } from "../../features/train/row-source.ts";

/** Most rows held, by their bytes: training shuffles them in memory anyway. */
const mostBytes = 2 ** 31;

/**
 * Reads a source's rows into memory, so that several trainings see the same ones without reading the model again.
 *
 * @throws bad-input for more than 2 GiB, or none; aborted
 */
export async function gatherRows(source: RowSource, signal: AbortSignal | undefined): Promise<RowSource> {
  const parts: Float32Array[] = [];
  let count = 0;
  for await (const { rows } of source.chunks({ signal })) {
    parts.push(rows);
    count += rows.length;
    if (4 * count > mostBytes)
      throw mismatch("bad-input", source.name, `rows of at most ${mostBytes} bytes`, "more", {
        hint: "read fewer tokens",
      });
  }
  const rows = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    rows.set(part, at);
    at += part.length;
  }
  return {
    ...toRowSource(source.name, rows, source.width),
    ...(source.model && { model: source.model }),
    facts: source.facts,
  };
}

/** Number of rows of a source that lies in memory. */
export async function countRows(source: RowSource): Promise<number> {
  let count = 0;
  for await (const { rows } of source.chunks()) count += rows.length;
  return count / source.width;
}
