import { open, readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { mismatch } from "../errors.ts";
import { toFileError } from "../formats/file-error.ts";
import { readJsonl } from "../formats/jsonl.ts";
import { readLines } from "../formats/read-lines.ts";
import { cutText, maxDocumentLength } from "./cut-text.ts";

/** One document of a corpus: text whose tokens belong together. */
export interface CorpusDocument {
  /** Position in the corpus, from 0. */
  readonly index: number;
  readonly text: string;
  /** File and line it came from, for messages. */
  readonly source: string;
  /** About which share of the corpus was read when this document ended, 0 to 1: for progress bars. */
  readonly fraction: number;
}

/** Text to read hidden states from, streamed document by document and readable as often as needed. */
export interface Corpus {
  readonly name: string;
  documents(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<CorpusDocument, void, void>;
}

interface CorpusFile {
  readonly path: string;
  readonly kind: "text" | "jsonl";
  /** Of the text, unpacked. */
  readonly sizeBytes: number;
}

/** Ends a document in a text file, wherever it stands. TinyStories and many training sets are written so. */
export const documentEnd = "<|endoftext|>";

/**
 * Finds the files of a corpus: one file, or every corpus file under a folder in the order of their paths.
 *
 * - `.txt`: the whole file is one document, unless `<|endoftext|>` divides it into several. Blank lines do not divide.
 * - `.jsonl`: one document a line, its `text` field.
 * - `.gz` of either. Other files of a folder, and names beginning with a dot, are passed over; a single file must be one of these.
 *
 * Nothing is read yet. Documents that are only white space are dropped; those longer than 2¹⁸ characters are cut at a line end or a
 * space into several, so that memory stays bounded.
 *
 * @throws not-found, io; bad-input for a file of another kind, or a folder without any
 * @example
 * for await (const { text } of (await resolveCorpus("stories/")).documents()) console.log(text.length);
 */
export async function resolveCorpus(path: string): Promise<Corpus> {
  const files = await findFiles(path);
  return { name: basename(path), documents: (options) => readFiles(path, files, options?.signal) };
}

/** Makes a corpus of texts in memory, one document each. */
export function toCorpus(name: string, texts: readonly string[]): Corpus {
  async function* documents(): AsyncGenerator<CorpusDocument, void, void> {
    let index = 0;
    for (const [at, text] of texts.entries())
      for (const part of cutText(text))
        if (part.trim() !== "") {
          yield { index, text: part, source: `${name}:${at + 1}`, fraction: (at + 1) / texts.length };
          index++;
        }
  }
  return { name, documents };
}

async function findFiles(path: string): Promise<CorpusFile[]> {
  try {
    const info = await stat(path);
    if (!info.isDirectory()) {
      const file = await toCorpusFile(path, info.size);
      if (file) return [file];
      throw mismatch("bad-input", path, "a .txt or .jsonl file (or .gz of one), or a folder of them", "another kind", {
        hint: "rename the file, or write its documents as JSON lines with a text field",
      });
    }
    const files: CorpusFile[] = [];
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      const at = join(entry.parentPath, entry.name);
      const isHidden = relative(path, at)
        .split(sep)
        .some((name) => name.startsWith("."));
      if (isHidden || entry.isDirectory()) continue;
      const target = await stat(at);
      const file = target.isFile() ? await toCorpusFile(at, target.size) : undefined;
      if (file) files.push(file);
    }
    if (files.length === 0)
      throw mismatch("bad-input", path, "a folder with .txt or .jsonl files (or .gz of them)", "none of them");
    // By code unit, not by locale: the order decides which window is held out.
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    throw toFileError(error, path, "read");
  }
}

async function toCorpusFile(path: string, sizeBytes: number): Promise<CorpusFile | undefined> {
  const match = /\.(txt|jsonl)(\.gz)?$/i.exec(path);
  if (!match) return undefined;
  return {
    path,
    kind: match[1]?.toLowerCase() === "txt" ? "text" : "jsonl",
    sizeBytes: match[2] === undefined ? sizeBytes : await unpackedSize(path, sizeBytes),
  };
}

/**
 * Bytes in a gzip file once unpacked, as its last four bytes say modulo 2³² (RFC 1952, ISIZE). It only drives a progress bar: several
 * members in one file, or more than 4 GiB, make it wrong and nothing worse.
 */
async function unpackedSize(path: string, sizeBytes: number): Promise<number> {
  const file = await open(path, "r");
  try {
    const last = Buffer.alloc(4);
    await file.read(last, 0, 4, Math.max(0, sizeBytes - 4));
    return Math.max(sizeBytes, last.readUInt32LE());
  } finally {
    await file.close();
  }
}

async function* readFiles(
  path: string,
  files: readonly CorpusFile[],
  signal: AbortSignal | undefined,
): AsyncGenerator<CorpusDocument, void, void> {
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let before = 0;
  let index = 0;
  for (const file of files) {
    let inFile = 0;
    for await (const { text, line, sizeBytes } of file.kind === "text"
      ? readTexts(file, signal)
      : readRecords(file, signal)) {
      inFile += sizeBytes;
      for (const part of cutText(text)) {
        if (part.trim() === "") continue;
        const fraction = Math.min(before + Math.min(inFile, file.sizeBytes), total) / total;
        yield { index, text: part, source: `${file.path}:${line}`, fraction };
        index++;
      }
    }
    before += file.sizeBytes;
  }
  if (index === 0)
    throw mismatch("bad-input", path, "a corpus with text in it", "no document", {
      hint: "the files are empty or hold only white space",
    });
}

interface Piece {
  readonly text: string;
  readonly line: number;
  /** About as many bytes of the file. */
  readonly sizeBytes: number;
}

/** Documents of a text file. A long one is given out in parts, at line ends, before it has been read to its end. */
async function* readTexts({ path }: CorpusFile, signal: AbortSignal | undefined): AsyncGenerator<Piece, void, void> {
  let lines: string[] = [];
  let length = 0;
  let start = 1;
  const take = (next: number): Piece => {
    const text = lines.join("\n");
    const piece = { text: text.replace(/^\n+|\n+$/g, ""), line: start, sizeBytes: Buffer.byteLength(text) + 1 };
    lines = [];
    length = 0;
    start = next;
    return piece;
  };
  for await (const { text, line } of readLines(path, { signal })) {
    const parts = text.split(documentEnd);
    for (const [at, part] of parts.entries()) {
      if (at > 0) yield take(line);
      lines.push(part);
      length += part.length + 1;
    }
    if (length > maxDocumentLength / 2) yield take(line + 1);
  }
  yield take(start);
}

async function* readRecords({ path }: CorpusFile, signal: AbortSignal | undefined): AsyncGenerator<Piece, void, void> {
  for await (const { value, line } of readJsonl(path, { signal }))
    yield {
      text: textOf(value, `${path}:${line}`),
      line,
      sizeBytes: Buffer.byteLength(JSON.stringify(value)) + 1,
    };
}

function textOf(value: unknown, where: string): string {
  const expected = 'an object with a "text" string';
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch(
      "bad-input",
      where,
      expected,
      Array.isArray(value) ? "an array" : value === null ? "null" : typeof value,
    );
  if ("text" in value && typeof value.text === "string") {
    if (value.text.includes("\0")) throw mismatch("bad-input", where, "text", "a NUL character");
    return value.text;
  }
  const keys = Object.keys(value);
  const isContrast = keys.includes("positive") || keys.includes("prompt");
  throw mismatch(
    "bad-input",
    where,
    expected,
    keys.length === 0 ? "no fields" : `fields ${keys.slice(0, 8).join(", ")}`,
    {
      hint: isContrast
        ? 'this looks like a contrast set; a corpus is plain text, one document a line as {"text": …}'
        : "rename the field that holds the document to text",
    },
  );
}
