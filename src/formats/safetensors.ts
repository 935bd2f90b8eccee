import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";
import { bfloatsToFloats, halvesToFloats } from "./half.ts";
import { checkLittleEndian } from "./little-endian.ts";
import { openRegularFile, readExactly } from "./open-regular-file.ts";
import {
  type Dtype,
  dtypeBytes,
  maxHeaderBytes,
  parseHeaderLength,
  parseSafetensorsHeader,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
import { type WriteFileOptions, writeFileAtomic } from "./write-file.ts";

/** Numbers of a tensor. F16 and BF16 of a file come as `Float32Array`. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor, row-major: the last dimension of `shape` runs fastest. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Reads a whole safetensors file: metadata strings and tensors of type F64, F32, F16, BF16, I64, I32, U8.
 *
 * Data is read straight into its arrays, so memory is the size of the tensors and no more.
 *
 * @throws not-found, io; bad-input if the file is not sound; unsupported for other number types, pickle and ZIP files
 */
export async function readSafetensors(path: string, { signal }: { signal?: AbortSignal } = {}): Promise<Safetensors> {
  checkLittleEndian();
  return reading(path, async (file) => {
    const { metadata, tensors: infos, dataOffset } = await readSafetensorsHeaderOf(file, path);
    const tensors = new Map<string, Tensor>();
    for (const { name, dtype, shape, begin, end } of infos) {
      const bytes = allocate(end - begin, name);
      await readExactly(file, path, bytes, dataOffset + begin, signal);
      tensors.set(name, { shape, data: toTensorData(dtype, bytes) });
    }
    return { metadata, tensors };
  });
}

/** Reads only the header of a safetensors file. @throws as {@link readSafetensors} */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return reading(path, (file) => readSafetensorsHeaderOf(file, path));
}

/** Parses the bytes of a whole safetensors file; the result shares nothing with them. @throws bad-input, unsupported */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  checkLittleEndian();
  const length = parseHeaderLength(bytes.subarray(0, 16), bytes.length);
  const header = parseSafetensorsHeader(bytes.subarray(8, 8 + length), bytes.length);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, begin, end } of header.tensors) {
    const slice = bytes.slice(header.dataOffset + begin, header.dataOffset + end);
    tensors.set(name, { shape, data: toTensorData(dtype, slice) });
  }
  return { metadata: header.metadata, tensors };
}

/**
 * Writes tensors as the bytes of a safetensors file: F32, F64, I32, I64 or U8 by the kind of array.
 *
 * Deterministic, as the reference writes: larger number types first, then by name, the header padded with spaces to 8 bytes; so
 * every tensor is aligned to its number type.
 *
 * @throws bad-input if a shape does not match its data or a name is reserved
 */
export function formatSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  return new Uint8Array(Buffer.concat(toChunks(tensors, metadata)));
}

/** Writes a safetensors file in place of the old one, without a second copy of the data in memory. @throws bad-input, io, aborted */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
  options: WriteFileOptions = {},
): Promise<void> {
  await writeFileAtomic(path, toChunks(tensors, metadata), options);
}

function toChunks(tensors: ReadonlyMap<string, Tensor>, metadata: ReadonlyMap<string, string>): Uint8Array[] {
  checkLittleEndian();
  const sorted = [...tensors].sort(
    ([a, { data: x }], [b, { data: y }]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const entries: [string, unknown][] = metadata.size > 0 ? [["__metadata__", Object.fromEntries(metadata)]] : [];
  let offset = 0;
  for (const [name, { shape, data }] of sorted) {
    if (name === "__metadata__") throw mismatch("bad-input", "tensor name", "another name", JSON.stringify(name));
    if (shape.reduce((a, b) => a * b, 1) !== data.length)
      throw mismatch("bad-input", `tensor ${name}`, `[${shape.join(", ")}] numbers`, String(data.length));
    entries.push([name, { dtype: toDtype(data), shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.concat([Buffer.alloc(8), json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  if (header.length - 8 > maxHeaderBytes)
    throw mismatch("bad-input", "safetensors header", `at most ${maxHeaderBytes} bytes`, String(header.length - 8));
  header.writeBigUInt64LE(BigInt(header.length - 8));
  return [header, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

function toDtype(data: TensorData): Dtype {
  if (data instanceof Float32Array) return "F32";
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Int32Array) return "I32";
  if (data instanceof BigInt64Array) return "I64";
  return "U8";
}

/** `bytes` starts at offset 0 of a buffer of its own. */
function toTensorData(dtype: Dtype, bytes: Uint8Array): TensorData {
  const { buffer, byteOffset } = bytes;
  const length = bytes.length / dtypeBytes[dtype];
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, length);
  if (dtype === "F64") return new Float64Array(buffer, byteOffset, length);
  if (dtype === "I32") return new Int32Array(buffer, byteOffset, length);
  if (dtype === "I64") return new BigInt64Array(buffer, byteOffset, length);
  if (dtype === "F16") return halvesToFloats(bytes);
  if (dtype === "BF16") return bfloatsToFloats(bytes);
  return bytes;
}

function allocate(bytes: number, name: string): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    throw new TrimtabError("io", `tensor ${name}: not enough memory for ${bytes} bytes`, { cause: error });
  }
}

type OpenFile = Awaited<ReturnType<typeof openRegularFile>>;

/** Reads the header of an open file. @throws as {@link readSafetensors} */
export async function readSafetensorsHeaderOf(file: OpenFile, path: string): Promise<SafetensorsHeader> {
  const start = new Uint8Array(Math.min(9, file.sizeBytes));
  await readExactly(file, path, start, 0);
  const json = new Uint8Array(parseHeaderLength(start, file.sizeBytes));
  await readExactly(file, path, json, 8);
  return parseSafetensorsHeader(json, file.sizeBytes);
}

async function reading<T>(path: string, read: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await openRegularFile(path);
  try {
    return await read(file);
  } catch (error) {
    throw toFileError(error, path, "read");
  } finally {
    await file.handle.close();
  }
}
