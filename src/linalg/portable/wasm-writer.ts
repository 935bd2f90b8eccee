/** Bytes of WebAssembly, and what they are put together from: a function below for each instruction the kernels use. */
export type Code = readonly number[];

/** A function of `parameters` 32-bit integers that returns nothing, its further locals and what it does. */
export interface WasmFunction {
  /** The name it is exported under, ASCII. */
  readonly name: string;
  readonly parameters: number;
  /** Locals are numbered parameters first, then the integers, then the vectors. */
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

// Codes of section 5 of the specification: types, instructions, sections.
const typeI32 = 0x7f;
const typeV128 = 0x7b;
const typeFunction = 0x60;
const typeNothing = 0x40;
/** Alignments are hints, as powers of two; 2³ is what a row of doubles promises, 2² one of 32-bit floats. */
const aligned8 = 3;
const aligned4 = 2;

/** An unsigned integer in 7-bit groups, least significant first (LEB128). */
export function unsigned(value: number): Code {
  const low = value & 0x7f;
  const rest = value >>> 7;
  return rest === 0 ? [low] : [low | 0x80, ...unsigned(rest)];
}

/** A signed integer in 7-bit groups; the last group's bit 6 is the sign. */
export function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const last = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return last ? [low] : [low | 0x80, ...signed(rest)];
}

/** Pushes a local. */
export function get(local: number): Code {
  return [0x20, ...unsigned(local)];
}

/** Pops into a local. */
export function set(local: number, value: Code): Code {
  return [...value, 0x21, ...unsigned(local)];
}

/** The 32-bit sum of a local and a constant, pushed. */
export function plus(local: number, constant: number): Code {
  return [...get(local), 0x41, ...signed(constant), 0x6a];
}

/** The 32-bit sum of two locals, pushed. */
export function sumOf(left: number, right: number): Code {
  return [...get(left), ...get(right), 0x6a];
}

/** A 32-bit integer read at the address in a local. */
export function loadWord(address: number): Code {
  return [...get(address), 0x28, aligned4, 0];
}

/** Does `body` once, then again as long as the local `counter`, made one less after each turn, is not zero. */
export function repeat(counter: number, body: Code): Code {
  const again = [...plus(counter, -1), 0x22, ...unsigned(counter), 0x0d, 0x00];
  return [0x03, typeNothing, ...body, ...again, 0x0b];
}

/** Two doubles read at the address in a local plus `offset` bytes. */
export function loadPair(address: number, offset: number): Code {
  return [...get(address), ...vector(0x00), aligned8, ...unsigned(offset)];
}

/** One double read at the address in a local plus `offset` bytes, in both lanes. */
export function loadTwice(address: number, offset: number): Code {
  return [...get(address), ...vector(0x0a), aligned8, ...unsigned(offset)];
}

/** Writes two doubles at the address in a local plus `offset` bytes. */
export function storePair(address: number, offset: number, value: Code): Code {
  return [...get(address), ...value, ...vector(0x0b), aligned8, ...unsigned(offset)];
}

/** Two zeros. */
export const zeroPair: Code = [...vector(0x0c), ...new Array<number>(16).fill(0)];

/** A double, in both lanes. */
export function pairOf(value: number): Code {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const lane of [0, 8]) view.setFloat64(lane, value, true);
  return [...vector(0x0c), ...bytes];
}

/** Four 32-bit floats read at the address in a local plus `offset` bytes. */
export function loadFloats(address: number, offset: number): Code {
  return [...get(address), ...vector(0x00), aligned4, ...unsigned(offset)];
}

/** Two 32-bit floats read at the address in a local plus `offset` bytes, as doubles: v128.load64_zero and f64x2.promote_low_f32x4. */
export function loadFloatPair(address: number, offset: number): Code {
  return [...get(address), ...vector(0x5d), aligned4, ...unsigned(offset), ...vector(0x5f)];
}

/** Lane by lane the larger of 32-bit floats; NaN where one of the two is: f32x4.max. */
export function maxFloats(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0xe9)];
}

/** `value`, but no less than `least`; NaN stays NaN (f64x2.pmax). */
export function clampPairs(value: Code, least: Code): Code {
  return [...value, ...least, ...vector(0xf7)];
}

/** Lane by lane left − right: f64x2.sub. */
export function subtractPairs(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0xf1)];
}

/** All bits of a lane where the two differ, none where they are equal: f64x2.ne. NaN differs from everything. */
export function differPairs(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0x48)];
}

/** The bits that both have: v128.and. */
export function andPairs(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0x4e)];
}

/** The 64 bits of each lane moved up by a constant: i64x2.shl. */
export function shiftLanes(value: Code, bits: number): Code {
  return [...value, 0x41, ...signed(bits), ...vector(0xcb)];
}

/** Lane by lane, each product and sum rounded as JavaScript rounds them: f64x2.mul and f64x2.add. */
export function multiplyPairs(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0xf2)];
}

export function addPairs(left: Code, right: Code): Code {
  return [...left, ...right, ...vector(0xf0)];
}

/**
 * The bytes of a module with one function, working on a memory that the module imports as `kernel.memory`: one that threads share,
 * or one of the thread's own.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
export function assembleModule(
  { name, parameters, integers, vectors, body }: WasmFunction,
  { shared = true }: { readonly shared?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const locals = list([
    [...unsigned(integers), typeI32],
    [...unsigned(vectors), typeV128],
  ]);
  const code = [...locals, ...body, 0x0b];
  const signature = [typeFunction, ...list(new Array<Code>(parameters).fill([typeI32])), 0];
  // A shared memory states a maximum: all 65,536 pages, so that any memory fits.
  const limits = shared ? [0x03, ...unsigned(1), ...unsigned(65_536)] : [0x00, ...unsigned(1)];
  const memory = [...text("kernel"), ...text("memory"), 0x02, ...limits];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d],
    ...[0x01, 0x00, 0x00, 0x00],
    ...section(1, [signature]),
    ...section(2, [memory]),
    ...section(3, [[0]]),
    ...section(7, [[...text(name), 0x00, 0x00]]),
    ...section(10, [[...unsigned(code.length), ...code]]),
  ]);
}

/** An instruction of the vector extension. */
function vector(instruction: number): Code {
  return [0xfd, ...unsigned(instruction)];
}

function section(id: number, entries: readonly Code[]): Code {
  const content = list(entries);
  return [id, ...unsigned(content.length), ...content];
}

function list(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function text(value: string): Code {
  return list([...value].map((letter) => [letter.charCodeAt(0)]));
}
