import { mismatch } from "../errors.ts";
import { ggmlTypes } from "./gguf-tensor-types.ts";
import { type GgufScalar, type GgufScalarType, type GgufValue, ggufArrayId, ggufScalarTypes } from "./gguf-value.ts";
import { checkLittleEndian } from "./little-endian.ts";

export interface GgufContent {
  /** Written in this order. `general.alignment` is honoured if it is there; else 32. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Written as F32. `dims[0]` runs fastest; their product is `data.length`. */
  readonly tensors: readonly { readonly name: string; readonly dims: readonly number[]; readonly data: Float32Array }[];
}

/** What stands before the numbers of a GGUF file. */
export interface GgufStart {
  /** Written in this order; bytes are a key with its value as another file has them. `general.alignment` is honoured if it is there. */
  readonly metadata: ReadonlyMap<string, GgufValue | Uint8Array>;
  /** Each tensor's numbers follow in this order, each padded to the alignment: see {@link ggufPadding}. */
  readonly tensors: readonly { readonly name: string; readonly dims: readonly number[]; readonly typeName: string }[];
  /** Bytes that tensor data is aligned to; must agree with `general.alignment`. Default 32. */
  readonly alignment?: number | undefined;
}

/**
 * Writes a GGUF file, version 3, little-endian, with F32 tensors.
 *
 * @throws bad-input if a tensor's dimensions do not match its data, or a value does not fit its type
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function formatGguf({ metadata, tensors }: GgufContent): Uint8Array {
  checkLittleEndian();
  const alignmentEntry = metadata.get("general.alignment");
  const alignment = alignmentEntry?.type === "u32" ? alignmentEntry.value : 32;
  for (const { name, dims, data } of tensors)
    if (dims.reduce((a, b) => a * b, 1) !== data.length)
      throw mismatch("bad-input", `tensor ${name}`, `${dims.join(" x ")} numbers`, String(data.length));
  const parts = [
    formatGgufStart({ metadata, tensors: tensors.map((tensor) => ({ ...tensor, typeName: "F32" })), alignment }),
  ];
  for (const { data } of tensors) {
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    parts.push(ggufPadding(data.byteLength, alignment));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * Writes everything of a GGUF file up to the first tensor's numbers, so that these can follow piece by piece.
 *
 * @throws bad-input if a value does not fit its type, or a tensor's rows are not whole blocks of its type
 */
export function formatGgufStart({ metadata, tensors, alignment = 32 }: GgufStart): Uint8Array {
  checkLittleEndian();
  const parts: Uint8Array[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(metadata.size)];
  for (const [key, value] of metadata)
    if (value instanceof Uint8Array) parts.push(value);
    else parts.push(string(key), ...formatValue(key, value));
  let offset = 0;
  for (const { name, dims, typeName } of tensors) {
    const { id, sizeBytes } = checkTensor(name, dims, typeName);
    parts.push(string(name), u32(dims.length), ...dims.map(u64), u32(id), u64(offset));
    offset += sizeBytes + ggufPadding(sizeBytes, alignment).length;
  }
  const headerBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  if (tensors.length > 0) parts.push(ggufPadding(headerBytes, alignment));
  return new Uint8Array(Buffer.concat(parts));
}

/** The zeros after `length` bytes that bring the next tensor to the alignment. */
export function ggufPadding(length: number, alignment: number): Uint8Array {
  return new Uint8Array((alignment - (length % alignment)) % alignment);
}

function checkTensor(name: string, dims: readonly number[], typeName: string): { id: number; sizeBytes: number } {
  for (const [id, { name: known, blockSize, blockBytes }] of ggmlTypes) {
    if (known !== typeName) continue;
    const first = dims[0] ?? 1;
    if (first % blockSize !== 0)
      throw mismatch("bad-input", `tensor ${name}`, `rows of a multiple of ${blockSize} numbers`, String(first));
    return { id, sizeBytes: (first / blockSize) * blockBytes * dims.slice(1).reduce((a, b) => a * b, 1) };
  }
  throw mismatch("bad-input", `tensor ${name}`, "a tensor type of ggml", JSON.stringify(typeName));
}

function formatValue(key: string, entry: GgufValue): Uint8Array[] {
  if (entry.type !== "array") return [u32(typeId(entry.type)), formatScalar(key, entry.type, entry.value)];
  const items = entry.value.map((item) => formatScalar(key, entry.of, item));
  return [u32(ggufArrayId), u32(typeId(entry.of)), u64(entry.value.length), Buffer.concat(items)];
}

function formatScalar(key: string, type: GgufScalarType, value: GgufScalar): Uint8Array {
  if (type === "string" && typeof value === "string") return string(value);
  if (type === "bool" && typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  const view = new DataView(new ArrayBuffer(8));
  if ((type === "u64" || type === "i64") && typeof value === "bigint") {
    const wrapped = type === "u64" ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
    if (wrapped !== value) throw mismatch("bad-input", `GGUF key ${key}`, `a value of type ${type}`, String(value));
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    return new Uint8Array(view.buffer);
  }
  const writer = numberWriters[type];
  if (typeof value !== "number" || writer === undefined)
    throw mismatch("bad-input", `GGUF key ${key}`, `a value of type ${type}`, typeof value);
  const [bytes, write, range] = writer;
  if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1]))
    throw mismatch("bad-input", `GGUF key ${key}`, `a value of type ${type}`, String(value));
  write(view, value);
  return new Uint8Array(view.buffer, 0, bytes);
}

type NumberWriter = readonly [bytes: number, write: (view: DataView, x: number) => void, range?: [number, number]];

const numberWriters: Readonly<Partial<Record<GgufScalarType, NumberWriter>>> = {
  u8: [1, (view, x) => view.setUint8(0, x), [0, 255]],
  i8: [1, (view, x) => view.setInt8(0, x), [-128, 127]],
  u16: [2, (view, x) => view.setUint16(0, x, true), [0, 65_535]],
  i16: [2, (view, x) => view.setInt16(0, x, true), [-32_768, 32_767]],
  u32: [4, (view, x) => view.setUint32(0, x, true), [0, 2 ** 32 - 1]],
  i32: [4, (view, x) => view.setInt32(0, x, true), [-(2 ** 31), 2 ** 31 - 1]],
  f32: [4, (view, x) => view.setFloat32(0, x, true)],
  f64: [8, (view, x) => view.setFloat64(0, x, true)],
};

function typeId(type: GgufScalarType): number {
  return ggufScalarTypes.find((entry) => entry.type === type)!.id;
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}
