import { mismatch } from "../errors.ts";
import type { GgufHeader } from "./gguf.ts";

/** Types of a single metadata value. 64-bit integers are `bigint`, since a double cannot hold all of them. */
export type GgufScalarType =
  | "u8"
  | "i8"
  | "u16"
  | "i16"
  | "u32"
  | "i32"
  | "f32"
  | "bool"
  | "string"
  | "u64"
  | "i64"
  | "f64";

/** A metadata value with its type in the file. Arrays are of one scalar type; GGUF's nested arrays are refused, as llama.cpp does. */
export type GgufValue =
  | { readonly type: "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "f64"; readonly value: number }
  | { readonly type: "u64" | "i64"; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly of: GgufScalarType; readonly value: readonly GgufScalar[] };

export type GgufScalar = string | number | bigint | boolean;

/** Scalar types by their number in the file, with the bytes that the smallest value takes (a string: its length field). */
export const ggufScalarTypes: readonly {
  readonly id: number;
  readonly type: GgufScalarType;
  readonly minBytes: number;
}[] = [
  { id: 0, type: "u8", minBytes: 1 },
  { id: 1, type: "i8", minBytes: 1 },
  { id: 2, type: "u16", minBytes: 2 },
  { id: 3, type: "i16", minBytes: 2 },
  { id: 4, type: "u32", minBytes: 4 },
  { id: 5, type: "i32", minBytes: 4 },
  { id: 6, type: "f32", minBytes: 4 },
  { id: 7, type: "bool", minBytes: 1 },
  { id: 8, type: "string", minBytes: 8 },
  { id: 10, type: "u64", minBytes: 8 },
  { id: 11, type: "i64", minBytes: 8 },
  { id: 12, type: "f64", minBytes: 8 },
];

/** Number of the array type in the file. */
export const ggufArrayId = 9;

/** A string of the metadata; undefined if the key is missing. @throws bad-input if it is of another type */
export function ggufString(header: Pick<GgufHeader, "metadata">, key: string): string | undefined {
  const entry = header.metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "string") throw wrongType(key, "a string", entry);
  return entry.value;
}

/**
 * A number of the metadata, whatever its width; undefined if the key is missing.
 *
 * @throws bad-input if it is of another type, or an integer beyond ±2^53 that a double cannot hold
 */
export function ggufNumber(header: Pick<GgufHeader, "metadata">, key: string): number | undefined {
  const entry = header.metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type === "array" || entry.type === "string" || entry.type === "bool")
    throw wrongType(key, "a number", entry);
  const value = Number(entry.value);
  if (typeof entry.value === "bigint" && !Number.isSafeInteger(value))
    throw mismatch("bad-input", `GGUF key ${key}`, "an integer within ±2^53", String(entry.value));
  return value;
}

/** A boolean of the metadata; undefined if the key is missing. @throws bad-input if it is of another type */
export function ggufBoolean(header: Pick<GgufHeader, "metadata">, key: string): boolean | undefined {
  const entry = header.metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "bool") throw wrongType(key, "a boolean", entry);
  return entry.value;
}

/** A list of strings of the metadata; undefined if the key is missing. @throws bad-input if it is of another type */
export function ggufStrings(header: Pick<GgufHeader, "metadata">, key: string): readonly string[] | undefined {
  const entry = header.metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "array" || entry.of !== "string") throw wrongType(key, "an array of strings", entry);
  return entry.value as readonly string[];
}

/** A list of numbers of the metadata, 64-bit ones rounded to doubles; undefined if missing. @throws bad-input on another type */
export function ggufNumbers(header: Pick<GgufHeader, "metadata">, key: string): readonly number[] | undefined {
  const entry = header.metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "array" || entry.of === "string" || entry.of === "bool")
    throw wrongType(key, "an array of numbers", entry);
  return entry.of === "u64" || entry.of === "i64" ? entry.value.map(Number) : (entry.value as readonly number[]);
}

function wrongType(key: string, expected: string, entry: GgufValue): Error {
  const got = entry.type === "array" ? `an array of ${entry.of}` : entry.type;
  return mismatch("bad-input", `GGUF key ${key}`, expected, got);
}
