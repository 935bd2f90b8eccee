import { mismatch, TrimtabError } from "../errors.ts";
import { type GgufScalar, type GgufScalarType, type GgufValue, ggufArrayId, ggufScalarTypes } from "./gguf-value.ts";

/** Elements of one metadata array. The largest vocabularies have 0.3 million tokens, the longest merge lists about as many. */
const maxArrayLength = 1 << 24;

/**
 * Thrown by the cursor when the bytes at hand end before the file does: read more and parse again.
 * Never leaves this room.
 */
export class MoreBytesNeeded extends Error {
  override readonly name = "MoreBytesNeeded";
  readonly bytes: number;

  constructor(bytes: number) {
    super(`needs ${bytes} bytes`);
    this.bytes = bytes;
  }
}

/** Reads GGUF fields from the start of a file of which `bytes` is a prefix, checking every length before it is believed. */
export class GgufCursor {
  offset = 0;
  readonly #bytes: Buffer;
  readonly #fileSizeBytes: number;

  constructor(bytes: Uint8Array, fileSizeBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileSizeBytes = fileSizeBytes;
  }

  /** Makes sure that `count` more bytes are at hand. @throws bad-input if the file ends before, MoreBytesNeeded if the prefix does */
  need(count: number, what: string): void {
    const end = this.offset + count;
    if (end > this.#fileSizeBytes)
      throw new TrimtabError(
        "bad-input",
        `GGUF ${what}: expected ${count} bytes at byte ${this.offset}, got a file that ends ${end - this.#fileSizeBytes} bytes before`,
        { hint: "the file is cut short or damaged; download it again" },
      );
    if (end > this.#bytes.length) throw new MoreBytesNeeded(end);
  }

  #take(count: number, what: string): number {
    this.need(count, what);
    const at = this.offset;
    this.offset += count;
    return at;
  }

  raw(count: number, what: string): Buffer {
    const at = this.#take(count, what);
    return this.#bytes.subarray(at, at + count);
  }

  u32(what: string): number {
    return this.#bytes.readUInt32LE(this.#take(4, what));
  }

  /** An unsigned 64-bit count or size. @throws bad-input above `limit` */
  u64(what: string, limit: number): number {
    const value = this.#bytes.readBigUInt64LE(this.#take(8, what));
    if (value > BigInt(limit)) throw mismatch("bad-input", `GGUF ${what}`, `at most ${limit}`, String(value));
    return Number(value);
  }

  /** A string of at most `limit` bytes. Bytes that are not UTF-8 become U+FFFD (some vocabularies hold broken pieces). */
  string(what: string, limit: number): string {
    const length = this.u64(`length of ${what}`, limit);
    const at = this.#take(length, what);
    return this.#bytes.toString("utf8", at, at + length);
  }

  value(key: string, stringLimit: number): GgufValue {
    const where = `value of ${JSON.stringify(key.slice(0, 80))}`;
    const id = this.u32(`type of ${where}`);
    if (id !== ggufArrayId) {
      const type = scalarType(id, where).type;
      return { type, value: this.scalar(type, where, stringLimit) } as GgufValue;
    }
    const { type, minBytes } = scalarType(this.u32(`element type of ${where}`), where);
    const length = this.u64(`length of ${where}`, maxArrayLength);
    this.need(length * minBytes, where);
    const value: GgufScalar[] = new Array(length);
    for (let i = 0; i < length; i++) value[i] = this.scalar(type, where, stringLimit);
    return { type: "array", of: type, value };
  }

  scalar(type: GgufScalarType, what: string, stringLimit: number): GgufScalar {
    switch (type) {
      case "u8":
        return this.#bytes.readUInt8(this.#take(1, what));
      case "i8":
        return this.#bytes.readInt8(this.#take(1, what));
      case "u16":
        return this.#bytes.readUInt16LE(this.#take(2, what));
      case "i16":
        return this.#bytes.readInt16LE(this.#take(2, what));
      case "u32":
        return this.#bytes.readUInt32LE(this.#take(4, what));
      case "i32":
        return this.#bytes.readInt32LE(this.#take(4, what));
      case "f32":
        return this.#bytes.readFloatLE(this.#take(4, what));
      case "f64":
        return this.#bytes.readDoubleLE(this.#take(8, what));
      case "u64":
        return this.#bytes.readBigUInt64LE(this.#take(8, what));
      case "i64":
        return this.#bytes.readBigInt64LE(this.#take(8, what));
      case "bool":
        return this.#bytes.readUInt8(this.#take(1, what)) !== 0;
      case "string":
        return this.string(what, stringLimit);
    }
  }
}

function scalarType(id: number, where: string): (typeof ggufScalarTypes)[number] {
  const found = ggufScalarTypes.find((entry) => entry.id === id);
  if (found) return found;
  if (id === ggufArrayId)
    throw mismatch("bad-input", `GGUF ${where}`, "an array of single values", "an array of arrays");
  throw mismatch("bad-input", `GGUF ${where}`, "a type number from 0 to 12", String(id));
}
