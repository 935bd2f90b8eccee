import { mismatch, type TrimtabError } from "../errors.ts";
import { findDuplicateKey } from "./json-keys.ts";
import { showValue } from "./show-value.ts";

/** Number types of a safetensors file that can be read here, with their bytes. */
export const dtypeBytes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1 } as const;
export type Dtype = keyof typeof dtypeBytes;

/** One tensor as the header describes it; `begin` and `end` count from the end of the header. */
export interface SafetensorsInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: readonly SafetensorsInfo[];
  /** Where data starts, bytes from the start of the file. */
  readonly dataOffset: number;
}

/**
 * Room for 100,000 tensors; vectors, maps and moments have a handful. Parsed JSON takes some 30 times its bytes, so the reference
 * implementation's 100 MB would let a hostile file take 3 GB.
 */
export const maxHeaderBytes: number = 1 << 24;
/** Files of ours have a handful, the largest shards of others a few thousand. */
const maxTensors = 1 << 17;
/** PyTorch and NumPy stop at 64 and below. */
const maxRank = 64;

/**
 * Checks the first 8 bytes of a file and returns the length of the header after them.
 *
 * @throws bad-input; unsupported for pickle and ZIP files, by name
 */
export function parseHeaderLength(start: Uint8Array, fileSizeBytes: number): number {
  refusePickle(start);
  if (fileSizeBytes < 8 || start.length < 8)
    throw mismatch("bad-input", "safetensors", "at least 8 bytes", `${fileSizeBytes}`);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    throw mismatch("bad-input", "safetensors header length", `at most ${maxHeaderBytes}`, String(length), {
      hint: "this is not a safetensors file, or it is damaged",
    });
  if (Number(length) + 8 > fileSizeBytes)
    throw mismatch(
      "bad-input",
      "safetensors header",
      `${length} bytes`,
      `a file that ends ${Number(length) + 8 - fileSizeBytes} bytes before`,
      { hint: "the file is cut short or damaged" },
    );
  return Number(length);
}

/**
 * Parses the JSON header and checks it against the file's length as strictly as the reference implementation: tensors lie one
 * after another without holes or overlaps, cover the file exactly, and have the bytes that shape and type ask for.
 *
 * @throws bad-input; unsupported for number types not read here
 * @see https://github.com/huggingface/safetensors
 */
export function parseSafetensorsHeader(json: Uint8Array, fileSizeBytes: number): SafetensorsHeader {
  const header = parseJson(json);
  const metadata = new Map<string, string>();
  const tensors: SafetensorsInfo[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") readMetadata(value, metadata);
    else tensors.push(readInfo(name, value));
  }
  if (tensors.length > maxTensors)
    throw mismatch("bad-input", "safetensors", `at most ${maxTensors} tensors`, String(tensors.length));
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== next) throw bad(name, `data from byte ${next}, right after the tensor before it`, String(begin));
    next = end;
  }
  const dataBytes = fileSizeBytes - 8 - json.length;
  if (next !== dataBytes)
    throw mismatch("bad-input", "safetensors", `${next} bytes of tensors`, `${dataBytes} in the file`, {
      hint: next > dataBytes ? "the file is cut short; copy it again" : undefined,
    });
  return { metadata, tensors, dataOffset: 8 + json.length };
}

function parseJson(json: Uint8Array): object {
  if (json[0] !== 0x7b) throw mismatch("bad-input", "safetensors header", '"{" first', "something else");
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch (error) {
    throw mismatch("bad-input", "safetensors header", "JSON in UTF-8", "something else", { cause: error });
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw bad(twice, "each name once", "the name again");
  if (typeof value !== "object" || value === null) throw bad("header", "an object", typeof value);
  return value;
}

function readMetadata(value: unknown, metadata: Map<string, string>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad("__metadata__", "an object of strings", Array.isArray(value) ? "an array" : typeof value);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw bad(`__metadata__.${key}`, "a string", typeof text);
    metadata.set(key, text);
  }
}

function readInfo(name: string, value: unknown): SafetensorsInfo {
  if (typeof value !== "object" || value === null) throw bad(name, "an object", typeof value);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string") throw bad(name, "a dtype", typeof dtype);
  if (!Object.hasOwn(dtypeBytes, dtype))
    throw mismatch("unsupported", tensor(name), `a type of ${Object.keys(dtypeBytes).join(", ")}`, dtype.slice(0, 20));
  if (!isSizes(shape) || shape.length > maxRank) throw bad(name, "a shape of whole numbers", showValue(shape));
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[1]! < offsets[0]!)
    throw bad(name, "data_offsets [begin, end]", showValue(offsets));
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((a, b) => a * b, dtypeBytes[dtype as Dtype]);
  if (!Number.isSafeInteger(bytes) || bytes !== end - begin)
    throw bad(name, `${bytes} bytes for ${dtype} [${shape.join(", ")}]`, String(end - begin));
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** A pickle runs code when it is read. Its files are refused by their first bytes, before anything is parsed. */
function refusePickle(start: Uint8Array): void {
  const isZip = start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
  const isPickle = start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5;
  // A safetensors header of 0x0280 … 0x0580 bytes starts with the same two bytes; its third to eighth are zero and "{" follows.
  const isSafetensors = start.length > 8 && start[8] === 0x7b;
  if (isZip || (isPickle && !isSafetensors))
    throw mismatch(
      "unsupported",
      "safetensors",
      "a safetensors file",
      isZip ? "a ZIP archive (a .pt file of PyTorch is one, with pickle inside)" : "a Python pickle",
      { hint: "reading a pickle can run any code, so it is never opened; save the tensors as safetensors" },
    );
}

function tensor(name: string): string {
  return `safetensors ${JSON.stringify(name.slice(0, 80))}`;
}

function bad(name: string, expected: string, got: string): TrimtabError {
  return mismatch("bad-input", tensor(name), expected, got);
}
