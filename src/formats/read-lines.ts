import { open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";

export interface ReadLinesOptions {
  /** A longer line is refused: it would have to be held in memory whole. Default 64 MiB. */
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TextLine {
  /** Without its line end. */
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

/** The longest JSON records in corpora in use are books of a few MiB. */
const defaultMaxLineBytes = 1 << 26;

/**
 * Streams the lines of a UTF-8 text file, plain or gzip (told by its first bytes, not its name). `\r\n` and `\n` end lines; a byte
 * order mark is dropped; an empty last line is not a line.
 *
 * @throws not-found, io; bad-input with file and line for text that is not UTF-8, NUL bytes, damaged gzip, lines too long; aborted
 */
export async function* readLines(
  path: string,
  { maxLineBytes = defaultMaxLineBytes, signal }: ReadLinesOptions = {},
): AsyncGenerator<TextLine, void, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 1;
  const decode = (last: Buffer): TextLine => {
    const bytes = pending.length > 0 ? Buffer.concat([...pending, last]) : last;
    pending = [];
    pendingBytes = 0;
    return { text: decodeLine(decoder, bytes, path, line), line: line++ };
  };
  for await (const chunk of readChunks(path, signal)) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      checkLength(pendingBytes + end - start, maxLineBytes, path, line);
      yield decode(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    checkLength(pendingBytes, maxLineBytes, path, line);
  }
  if (pendingBytes > 0) yield decode(Buffer.alloc(0));
}

function checkLength(bytes: number, limit: number, path: string, line: number): void {
  if (bytes > limit)
    throw mismatch("bad-input", `${path}:${line}`, `a line of at most ${limit} bytes`, "a longer one", {
      hint: "is this a text file with one record a line?",
    });
}

function decodeLine(decoder: InstanceType<typeof TextDecoder>, bytes: Buffer, path: string, line: number): string {
  const where = `${path}:${line}`;
  if (line === 1 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)))
    throw mismatch("bad-input", where, "UTF-8 text", "UTF-16", { hint: "convert it: iconv -f UTF-16 -t UTF-8" });
  if (bytes.includes(0)) throw mismatch("bad-input", where, "text", "a NUL byte", { hint: "is this a binary file?" });
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (error) {
    throw mismatch("bad-input", where, "UTF-8 text", "bytes that are not UTF-8", {
      hint: "convert the file to UTF-8, for example with iconv",
      cause: error,
    });
  }
  if (line === 1 && text.startsWith("\ufeff")) text = text.slice(1);
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

/** The file's bytes, unpacked if they are gzip. */
async function* readChunks(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
  let unpacking = false;
  try {
    signal?.throwIfAborted();
    const handle = await open(path, "r");
    let source: Readable | undefined;
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw mismatch("bad-input", path, "a file", "a folder", { hint: "name a file in it" });
      // Only ordinary files can be read twice from the start; a pipe is taken as plain text.
      const magic = Buffer.alloc(2);
      if (stat.isFile()) await handle.read(magic, 0, 2, 0);
      unpacking = magic[0] === 0x1f && magic[1] === 0x8b;
      const file = handle.createReadStream(stat.isFile() ? { start: 0, signal } : { signal });
      source = unpacking ? pipeline(file, createGunzip(), ignoreEnd) : file;
      for await (const chunk of source) {
        signal?.throwIfAborted();
        yield chunk as Buffer;
      }
    } finally {
      source?.destroy();
      await handle.close();
    }
  } catch (error) {
    if (signal?.aborted) throw new TrimtabError("aborted", `${path}: reading was interrupted`, { cause: error });
    if (unpacking && error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))
      throw mismatch("bad-input", path, "a sound gzip file", error.message, {
        hint: "the file is cut short or damaged; copy it again",
        cause: error,
      });
    throw toFileError(error, path, "read");
  }
}

/** Errors of the pipeline reach the reader through the stream itself. */
function ignoreEnd(): void {}
