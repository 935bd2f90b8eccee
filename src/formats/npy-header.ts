import { mismatch, type TrimtabError } from "../errors.ts";

/** What the header of a `.npy` file says. */
export interface NpyHeader {
  /** `F64`, `F32`, `F16`, `I64`, `I32` or `U8`; other plain numbers as NumPy writes them, such as `<u4`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly isColumnMajor: boolean;
  /** Bytes of one number. */
  readonly size: number;
  /** Where the numbers start, bytes from the start of the file. */
  readonly dataOffset: number;
}

/** NumPy itself reads at most 10,000 characters unless told to trust the file; real headers have about 120. */
export const maxNpyHeaderBytes: number = 1 << 14;
/** NumPy's own limit. */
const maxRank = 64;
/** No array of numbers is larger than the largest file. */
const maxValues = 2 ** 48;

const known: Readonly<Record<string, string>> = { f8: "F64", f4: "F32", f2: "F16", i8: "I64", i4: "I32", u1: "U8" };

/**
 * Parses the start of a `.npy` file, version 1.0, 2.0 or 3.0. `bytes` is the file or a part of it from its start; its first 10 bytes at least.
 *
 * The header is a Python dictionary of strings, integers and booleans, and is read as that and nothing else: nothing is evaluated, and arrays
 * of objects, which hold pickle, are refused.
 *
 * @throws bad-input; unsupported for arrays of objects, of records, and of numbers in big-endian order
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader {
  const { headerStart, dataOffset } = parseNpyStart(bytes);
  if (bytes.length < dataOffset)
    throw bad("header", `${dataOffset} bytes`, `${bytes.length}`, "the file is cut short or damaged");
  // Version 3.0 may use UTF-8 for the names of record fields, which are refused; the rest is ASCII.
  const text = new TextDecoder("latin1").decode(bytes.subarray(headerStart, dataOffset));
  const fields = parseDictionary(text);
  const { descr, fortran_order: isColumnMajor, shape } = Object.fromEntries(fields);
  if (typeof isColumnMajor !== "boolean") throw bad("fortran_order", "True or False", show(isColumnMajor));
  if (!Array.isArray(shape) || shape.length > maxRank) throw bad("shape", "a tuple of whole numbers", show(shape));
  if (fields.size !== 3) throw bad("header", "descr, fortran_order and shape", [...fields.keys()].join(", "));
  const { dtype, size } = parseDescr(descr);
  if (shape.reduce((a, b) => a * b, 1) > maxValues) throw bad("shape", "an array of real size", show(shape));
  return { dtype, size, shape, isColumnMajor: isColumnMajor && shape.length > 1, dataOffset };
}

/** Reads how long the header is from the first 12 bytes of a file (10 where the file has no more). @throws bad-input */
export function parseNpyStart(bytes: Uint8Array): { readonly headerStart: number; readonly dataOffset: number } {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 10 || magic.some((byte, at) => bytes[at] !== byte))
    throw bad("first bytes", "\\x93NUMPY", "something else", "this is not a .npy file, or it is damaged");
  const [major, minor] = [bytes[6] as number, bytes[7] as number];
  if (major < 1 || major > 3 || minor !== 0)
    throw mismatch("unsupported", ".npy version", "1.0, 2.0 or 3.0", `${major}.${minor}`);
  const headerStart = major === 1 ? 10 : 12;
  if (bytes.length < headerStart) throw bad("header", "12 bytes", String(bytes.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerStart);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxNpyHeaderBytes) throw bad("header", `at most ${maxNpyHeaderBytes} bytes`, String(length));
  return { headerStart, dataOffset: headerStart + length };
}

function parseDescr(descr: unknown): { readonly dtype: string; readonly size: number } {
  const where = ".npy descr";
  if (typeof descr !== "string")
    throw mismatch("unsupported", where, "an array of plain numbers", "an array of records");
  const match = /^([<>|=])([a-zA-Z])(\d{1,4})$/.exec(descr);
  if (descr.includes("O") || !match)
    throw mismatch("unsupported", where, "an array of plain numbers", JSON.stringify(descr.slice(0, 20)), {
      hint: descr.includes("O")
        ? "arrays of objects hold pickle, and reading that can run any code, so they are never opened"
        : undefined,
    });
  const [, order, kind, digits] = match as unknown as readonly [string, string, string, string];
  const size = Number(digits);
  if (order === ">" && size > 1)
    throw mismatch("unsupported", where, "numbers in little-endian order", JSON.stringify(descr));
  if (size < 1 || size > 64) throw bad("descr", "numbers of 1 to 64 bytes", JSON.stringify(descr));
  return { dtype: known[`${kind}${size}`] ?? descr, size };
}

/** One alternative a token; the dictionary has no other parts. */
const token = /\s*(?:([{}(),:])|'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d{1,16})L?|(\[))/y;

type Value = string | boolean | readonly number[];

function parseDictionary(text: string): ReadonlyMap<string, Value> {
  token.lastIndex = 0;
  const next = (): RegExpExecArray => {
    const found = token.exec(text);
    if (!found) throw bad("header", "a dictionary of descr, fortran_order and shape", "something else");
    return found;
  };
  const take = (mark: string): void => {
    const found = next();
    if (found[1] !== mark) throw bad("header", JSON.stringify(mark), JSON.stringify(found[0].trim().slice(0, 20)));
  };
  const readTuple = (): number[] => {
    const sizes: number[] = [];
    for (;;) {
      const found = next();
      if (found[1] === ")") return sizes;
      const size = Number(found[5]);
      if (found[5] === undefined || !Number.isSafeInteger(size) || sizes.length >= maxRank)
        throw bad("shape", "a tuple of whole numbers", JSON.stringify(found[0].trim().slice(0, 20)));
      sizes.push(size);
      const after = next();
      if (after[1] === ")") return sizes;
      if (after[1] !== ",") throw bad("shape", "a comma", JSON.stringify(after[0].trim().slice(0, 20)));
    }
  };
  const fields = new Map<string, Value>();
  take("{");
  for (;;) {
    const found = next();
    if (found[1] === "}") break;
    const key = found[2] ?? found[3];
    if (key === undefined || fields.has(key)) throw bad("header", "each key once", show(key ?? found[0]));
    take(":");
    const value = next();
    if (value[6] !== undefined && key === "descr")
      throw mismatch("unsupported", ".npy descr", "an array of plain numbers", "an array of records");
    if (value[1] === "(") fields.set(key, readTuple());
    else if (value[4] !== undefined) fields.set(key, value[4] === "True");
    else fields.set(key, value[2] ?? value[3] ?? failValue(value[0]));
    const after = next();
    if (after[1] === "}") break;
    if (after[1] !== ",") throw bad("header", "a comma", show(after[0].trim()));
  }
  if (text.slice(token.lastIndex).trim() !== "")
    throw bad("header", "its end", show(text.slice(token.lastIndex).trim()));
  return fields;
}

function failValue(text: string): never {
  throw bad("header", "a string, a tuple, True or False", show(text.trim()));
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing").slice(0, 60);
}

function bad(what: string, expected: string, got: string, hint?: string): TrimtabError {
  return mismatch("bad-input", `.npy ${what}`, expected, got, { hint });
}
