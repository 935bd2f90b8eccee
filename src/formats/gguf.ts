import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";
import { GgufCursor, MoreBytesNeeded } from "./gguf-cursor.ts";
import { ggmlTypes } from "./gguf-tensor-types.ts";
import type { GgufValue } from "./gguf-value.ts";
import { openRegularFile, readExactly } from "./open-regular-file.ts";

/** One tensor as the header describes it. `dims[0]` is the fastest-running one; `offset` counts from the header's `dataOffset`. */
export interface GgufTensorInfo {
  readonly name: string;
  readonly dims: readonly number[];
  /** ggml type number. */
  readonly type: number;
  /** Such as `F32`, `Q4_K`. */
  readonly typeName: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Everything of a GGUF file but the numbers of its tensors. */
export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Where each key with its value stands in the file, `[start, end)` in bytes: strings that are not UTF-8 are whole only there. */
  readonly keyRanges: ReadonlyMap<string, readonly [start: number, end: number]>;
  readonly tensors: readonly GgufTensorInfo[];
  /** Where tensor data starts, bytes from the start of the file. */
  readonly dataOffset: number;
  readonly alignment: number;
  readonly fileSizeBytes: number;
}

/**
 * Headers of the largest models known (260k tokens with merges) take 16 MiB. Parsed, a header takes up to eight times its bytes, so this
 * also keeps a hostile one to half a gigabyte.
 */
const maxHeaderBytes = 1 << 26;
/** Real files have fewer than 200 keys; each costs memory before anything else is known about the file. */
const maxKeys = 1 << 16;
/** A model with every expert stored apart has some 50,000. */
const maxTensors = 1 << 17;
/** GGUF's own limit for a key. */
const maxKeyBytes = 65_535;
/** ggml keeps names in 64 bytes, the last one zero. */
const maxNameBytes = 63;
/** ggml's limit. */
const maxDims = 4;

/**
 * Reads metadata and tensor list of a GGUF file of any size, in growing pieces from its start; tensor data is not read.
 *
 * Version 2 and 3, little-endian. Everything the header claims is checked against the file's length, so a cut-off download is
 * told by the number of missing bytes.
 *
 * @throws not-found, io; bad-input if the file is not a sound GGUF file; unsupported for version 1 and big-endian files
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const file = await openRegularFile(path);
  try {
    const limit = Math.min(file.sizeBytes, maxHeaderBytes);
    // Most headers without a vocabulary fit 1 MiB; then fourfold, so that parsing again costs a third more at most.
    for (let length = Math.min(1 << 20, limit); ; ) {
      const bytes = new Uint8Array(length);
      await readExactly(file, path, bytes, 0);
      try {
        return parsePrefix(bytes, file.sizeBytes);
      } catch (error) {
        if (!(error instanceof MoreBytesNeeded)) throw error;
        if (length === limit) throw tooLong();
        length = Math.min(Math.max(length * 4, error.bytes), limit);
      }
    }
  } catch (error) {
    throw toFileError(error, path, "read");
  } finally {
    await file.handle.close();
  }
}

/**
 * Parses the header of a GGUF file from `bytes`, its start (or the whole); `fileSizeBytes` is the length of the whole file.
 *
 * @throws bad-input, unsupported (as {@link readGgufHeader})
 */
export function parseGgufHeader(bytes: Uint8Array, fileSizeBytes: number = bytes.length): GgufHeader {
  try {
    return parsePrefix(bytes, fileSizeBytes);
  } catch (error) {
    if (!(error instanceof MoreBytesNeeded)) throw error;
    throw mismatch(
      "bad-input",
      "GGUF header",
      `at least its first ${error.bytes} bytes`,
      `${bytes.length} of ${fileSizeBytes} bytes`,
    );
  }
}

function parsePrefix(bytes: Uint8Array, fileSizeBytes: number): GgufHeader {
  const cursor = new GgufCursor(bytes, fileSizeBytes);
  const version = readVersion(cursor);
  const tensorCount = cursor.u64("tensor count", maxTensors);
  const keyCount = cursor.u64("key count", maxKeys);
  const metadata = new Map<string, GgufValue>();
  const keyRanges = new Map<string, readonly [number, number]>();
  for (let i = 0; i < keyCount; i++) {
    const start = cursor.offset;
    const key = cursor.string(`key ${i + 1}`, maxKeyBytes);
    if (key === "") throw mismatch("bad-input", `GGUF key ${i + 1}`, "a name", "an empty one");
    if (metadata.has(key))
      throw mismatch("bad-input", `GGUF key ${i + 1}`, "each key once", `${JSON.stringify(key)} again`);
    metadata.set(key, cursor.value(key, maxHeaderBytes));
    keyRanges.set(key, [start, cursor.offset]);
    if (cursor.offset > maxHeaderBytes) throw tooLong();
  }
  const alignment = readAlignment(metadata);
  const infos: GgufTensorInfo[] = [];
  for (let i = 0; i < tensorCount; i++) infos.push(readTensorInfo(cursor, i));
  const dataOffset = infos.length > 0 ? roundUp(cursor.offset, alignment) : cursor.offset;
  checkLayout(infos, dataOffset, alignment, fileSizeBytes);
  return { version, metadata, keyRanges, tensors: infos, dataOffset, alignment, fileSizeBytes };
}

function readVersion(cursor: GgufCursor): number {
  const magic = cursor.raw(4, "magic");
  if (magic.toString("latin1") !== "GGUF")
    throw mismatch("bad-input", "GGUF magic", '"GGUF"', foreignMagic(magic), {
      hint: "this is not a GGUF file; models of other formats are converted with llama.cpp's convert_hf_to_gguf.py",
    });
  const version = cursor.u32("version");
  if (version === 2 || version === 3) return version;
  if (version === 0x02000000 || version === 0x03000000)
    throw mismatch("unsupported", "GGUF byte order", "little-endian", "big-endian", {
      hint: "convert it with gguf-py's gguf_convert_endian.py",
    });
  throw mismatch(version === 0 ? "bad-input" : "unsupported", "GGUF version", "2 or 3", String(version), {
    hint: version === 1 ? "convert the model again: version 1 was given up in 2023" : undefined,
  });
}

function foreignMagic(magic: Buffer): string {
  const text = magic.toString("latin1");
  if (text.startsWith("PK")) return "a ZIP archive (PyTorch checkpoints are such)";
  if (text === "lmgg" || text === "tjgg" || text === "fmgg") return "the older GGML format";
  return /^[\x20-\x7e]+$/.test(text) ? JSON.stringify(text) : `bytes ${magic.toString("hex")}`;
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return 32; // GGUF's default
  if (entry.type !== "u32") throw mismatch("bad-input", "GGUF key general.alignment", "a u32", entry.type);
  const { value } = entry;
  if (value === 0 || (value & (value - 1)) !== 0)
    throw mismatch("bad-input", "GGUF key general.alignment", "a power of two", String(value));
  return value;
}

function readTensorInfo(cursor: GgufCursor, index: number): GgufTensorInfo {
  const name = cursor.string(`name of tensor ${index + 1}`, maxNameBytes);
  const where = `tensor ${JSON.stringify(name)}`;
  const rank = cursor.u32(`number of dimensions of ${where}`);
  if (rank > maxDims) throw mismatch("bad-input", `GGUF ${where}`, `at most ${maxDims} dimensions`, String(rank));
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) dims.push(cursor.u64(`dimension of ${where}`, Number.MAX_SAFE_INTEGER));
  const type = cursor.u32(`type of ${where}`);
  const layout = ggmlTypes.get(type);
  if (!layout)
    throw mismatch("unsupported", `GGUF ${where}`, "a tensor type of ggml known here", `type ${type}`, {
      hint: "the file was made for a newer (or much older) llama.cpp",
    });
  const offset = cursor.u64(`offset of ${where}`, Number.MAX_SAFE_INTEGER);
  const first = dims[0] ?? 1;
  if (first % layout.blockSize !== 0)
    throw mismatch(
      "bad-input",
      `GGUF ${where}`,
      `rows of a multiple of ${layout.blockSize} numbers (${layout.name})`,
      String(first),
    );
  const sizeBytes = (first / layout.blockSize) * layout.blockBytes * dims.slice(1).reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(sizeBytes))
    throw mismatch("bad-input", `GGUF ${where}`, "a size below 2^53 bytes", `dimensions ${dims.join(" x ")}`);
  return { name, dims, type, typeName: layout.name, offset, sizeBytes };
}

/** llama.cpp takes tensors only one after another, each padded to the alignment; so do we, which rules out overlaps too. */
function checkLayout(
  tensors: readonly GgufTensorInfo[],
  dataOffset: number,
  alignment: number,
  fileSizeBytes: number,
): void {
  const names = new Set<string>();
  let next = 0;
  let end = 0;
  for (const { name, offset, sizeBytes } of tensors) {
    const where = `GGUF tensor ${JSON.stringify(name)}`;
    if (names.has(name)) throw mismatch("bad-input", where, "each tensor once", "the name again");
    names.add(name);
    if (offset !== next)
      throw mismatch("bad-input", where, `data at offset ${next}, right after the tensor before it`, String(offset));
    end = dataOffset + offset + sizeBytes;
    next = roundUp(offset + sizeBytes, alignment);
  }
  if (end > fileSizeBytes)
    throw new TrimtabError(
      "bad-input",
      `GGUF file: expected ${end} bytes, got ${fileSizeBytes}: ${end - fileSizeBytes} bytes are missing`,
      { hint: "the file is cut short; download or copy it again" },
    );
}

function tooLong(): TrimtabError {
  return mismatch("bad-input", "GGUF header", `at most ${maxHeaderBytes} bytes`, "more");
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
