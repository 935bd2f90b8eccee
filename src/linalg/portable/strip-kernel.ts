import {
  addPairs,
  assembleModule,
  type Code,
  get,
  loadPair,
  loadTwice,
  multiplyPairs,
  plus,
  repeat,
  set,
  storePair,
  zeroPair,
} from "./wasm-writer.ts";

/**
 * Adds to `count` neighbouring blocks of C the products of one panel of A with as many panels of B. Addresses are in bytes.
 *
 * A panel is four rows of an operand, interleaved: `[depth, 4]`. A block of C is `[4, 4]`, the blocks follow each other.
 */
export type Strip = (a: number, b: number, c: number, count: number, depth: number) => void;

/** Rows of an operand that are interleaved into a panel; a block of C is this wide and this high. */
export const panelRows = 4;

/**
 * Writes the WebAssembly of {@link Strip}.
 *
 * The innermost turn reads four values of A and four of B, and adds their 16 products to eight vectors of two sums each: those, two
 * vectors of B, one value of A in both lanes and one product are 12 of the 16 vector registers an x86-64 has. On the machine where
 * shapes were tried this one reached 22.7 GFLOP/s a thread, 2 x 8 the same, 4 x 6 and 6 x 4 13 to 14 and any of them unrolled by
 * hand 15 or less: the compiler unrolls by itself, and beyond this size it spills.
 */
export function assembleStripKernel(): Uint8Array<ArrayBuffer> {
  const [a, b, c, count, depth] = [0, 1, 2, 3, 4];
  const [left, turns] = [5, 6];
  const [b0, b1, value] = [7, 8, 9];
  const first = 10;
  const rows = Array.from({ length: panelRows }, (_, i) => ({ i, low: first + 2 * i, high: first + 2 * i + 1 }));
  const joined = (pieces: readonly Code[]): Code => pieces.flat();

  const turn = joined([
    set(b0, loadPair(b, 0)),
    set(b1, loadPair(b, 16)),
    ...rows.map(({ i, low, high }) => [
      ...set(value, loadTwice(left, 8 * i)),
      ...set(low, addPairs(get(low), multiplyPairs(get(value), get(b0)))),
      ...set(high, addPairs(get(high), multiplyPairs(get(value), get(b1)))),
    ]),
    set(left, plus(left, 32)),
    set(b, plus(b, 32)),
  ]);
  const block = joined([
    set(left, get(a)),
    set(turns, get(depth)),
    ...rows.map(({ low, high }) => [...set(low, zeroPair), ...set(high, zeroPair)]),
    repeat(turns, turn),
    ...rows.map(({ i, low, high }) => [
      ...storePair(c, 32 * i, addPairs(loadPair(c, 32 * i), get(low))),
      ...storePair(c, 32 * i + 16, addPairs(loadPair(c, 32 * i + 16), get(high))),
    ]),
    set(c, plus(c, 128)),
  ]);
  return assembleModule({
    name: "strip",
    parameters: 5,
    integers: 2,
    vectors: 3 + 2 * panelRows,
    body: repeat(count, block),
  });
}
