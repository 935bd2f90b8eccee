import { mismatch } from "../errors.ts";
import { type ReadLinesOptions, readLines } from "./read-lines.ts";

/** Books of corpora in use take a few MiB; parsed JSON can take 30 times its bytes. */
const maxLineBytes = 1 << 24;

/** One value of a JSON Lines file and the 1-based line it stands on. */
export interface JsonLine {
  readonly value: unknown;
  readonly line: number;
}

/**
 * Streams the values of a JSON Lines file, plain or gzip. Blank lines are passed over.
 *
 * @throws not-found, io; bad-input with file and line for anything that is not one JSON value a line; aborted
 */
export async function* readJsonl(path: string, options: ReadLinesOptions = {}): AsyncGenerator<JsonLine, void, void> {
  for await (const { text, line } of readLines(path, { maxLineBytes, ...options })) {
    if (text.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const start = text.length > 60 ? `${text.slice(0, 60)}…` : text;
      throw mismatch("bad-input", `${path}:${line}`, "one JSON value", start, {
        hint: error instanceof Error ? error.message : undefined,
        cause: error,
      });
    }
    yield { value, line };
  }
}
