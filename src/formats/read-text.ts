import { mismatch } from "../errors.ts";
import { type ReadLinesOptions, readLines } from "./read-lines.ts";

export interface ReadTextOptions extends ReadLinesOptions {
  /** Refuses longer texts, after unpacking. Default 64 MiB: what is read whole is written by hand or small. */
  readonly maxBytes?: number;
}

/**
 * Reads a whole UTF-8 text file, plain or gzip, with `\n` line ends. For large files use {@link readLines}.
 *
 * @throws not-found, io; bad-input for text that is not UTF-8 or longer than the limit; aborted
 */
export async function readText(path: string, options: ReadTextOptions = {}): Promise<string> {
  const { maxBytes = 1 << 26, ...rest } = options;
  const lines: string[] = [];
  let length = 0;
  for await (const { text } of readLines(path, { maxLineBytes: maxBytes, ...rest })) {
    length += text.length + 1;
    if (length > maxBytes) throw mismatch("bad-input", path, `at most ${maxBytes} characters of text`, "more");
    lines.push(text);
  }
  return lines.join("\n");
}

/** Parsed JSON can take 30 times its bytes; lists of records that are longer belong into JSON Lines. */
const maxJsonBytes = 1 << 25;

/** Reads a whole JSON file, plain or gzip. @throws as {@link readText}; bad-input if it is not JSON */
export async function readJson(path: string, options: ReadTextOptions = {}): Promise<unknown> {
  const text = await readText(path, { maxBytes: maxJsonBytes, ...options });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw mismatch("bad-input", path, "JSON", error instanceof Error ? error.message : "something else", {
      cause: error,
    });
  }
}
