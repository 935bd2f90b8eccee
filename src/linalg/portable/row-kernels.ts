import {
  addPairs,
  assembleModule,
  type Code,
  get,
  loadPair,
  loadTwice,
  loadWord,
  multiplyPairs,
  plus,
  repeat,
  set,
  storePair,
  sumOf,
  zeroPair,
} from "./wasm-writer.ts";

/**
 * Products of a vector with chosen rows. `places` are `count` addresses (bytes, 32-bit each) of rows, moved by `shift`; of each product two
 * partial sums are written, one after the other, at `results`. `turns` times 4 doubles are multiplied.
 */
export type DotRows = (places: number, shift: number, count: number, x: number, results: number, turns: number) => void;

/** Adds to `sum` the chosen rows, each times its factor; `turns` times 8 doubles of each. */
export type GatherRows = (
  places: number,
  shift: number,
  count: number,
  factors: number,
  sum: number,
  turns: number,
) => void;

/** Adds to each chosen row its factor times `x`; `turns` times 4 doubles of it. */
export type ScatterRow = (
  places: number,
  shift: number,
  count: number,
  factors: number,
  x: number,
  turns: number,
) => void;

const [places, shift, count, fourth, fifth, turns] = [0, 1, 2, 3, 4, 5];
const [row, other, left, factorAt] = [6, 7, 8, 9];
const nextPlace: Code = set(places, plus(places, 4));
const chosenRow: Code = [...set(row, loadWord(places)), ...set(row, sumOf(row, shift))];

/** Writes the WebAssembly of {@link DotRows}. Four sums side by side, so that none waits for the addition before it. */
export function assembleDotRows(): Uint8Array<ArrayBuffer> {
  const [a, b] = [9, 10];
  const product = (offset: number): Code => multiplyPairs(loadPair(row, offset), loadPair(other, offset));
  const turn: Code = [
    ...set(a, addPairs(get(a), product(0))),
    ...set(b, addPairs(get(b), product(16))),
    ...set(row, plus(row, 32)),
    ...set(other, plus(other, 32)),
  ];
  const each: Code = [
    ...chosenRow,
    ...set(other, get(fourth)),
    ...set(left, get(turns)),
    ...set(a, zeroPair),
    ...set(b, zeroPair),
    ...repeat(left, turn),
    ...storePair(fifth, 0, addPairs(get(a), get(b))),
    ...set(fifth, plus(fifth, 16)),
    ...nextPlace,
  ];
  return assembleModule(
    { name: "dotRows", parameters: 6, integers: 3, vectors: 2, body: repeat(count, each) },
    { shared: false },
  );
}

/** Writes the WebAssembly of {@link GatherRows}: eight columns at a time stay in registers while the rows pass. */
export function assembleGatherRows(): Uint8Array<ArrayBuffer> {
  const firstPlace = 10;
  const sums = [11, 12, 13, 14];
  const factor = 15;
  const each: Code = [
    ...chosenRow,
    ...set(factor, loadTwice(factorAt, 0)),
    ...sums.flatMap((sum, i) => set(sum, addPairs(get(sum), multiplyPairs(get(factor), loadPair(row, 16 * i))))),
    ...set(factorAt, plus(factorAt, 8)),
    ...nextPlace,
  ];
  const columns: Code = [
    ...set(left, get(count)),
    ...set(factorAt, get(fourth)),
    ...set(places, get(firstPlace)),
    ...sums.flatMap((sum, i) => set(sum, loadPair(fifth, 16 * i))),
    ...repeat(left, each),
    ...sums.flatMap((sum, i) => storePair(fifth, 16 * i, get(sum))),
    ...set(fifth, plus(fifth, 64)),
    ...set(shift, plus(shift, 64)),
  ];
  const body: Code = [...set(firstPlace, get(places)), ...repeat(turns, columns)];
  return assembleModule({ name: "gatherRows", parameters: 6, integers: 5, vectors: 5, body }, { shared: false });
}

/** Writes the WebAssembly of {@link ScatterRow}. */
export function assembleScatterRow(): Uint8Array<ArrayBuffer> {
  const factor = 9;
  const add = (offset: number): Code =>
    storePair(row, offset, addPairs(loadPair(row, offset), multiplyPairs(get(factor), loadPair(other, offset))));
  const turn: Code = [...add(0), ...add(16), ...set(row, plus(row, 32)), ...set(other, plus(other, 32))];
  const each: Code = [
    ...chosenRow,
    ...set(factor, loadTwice(fourth, 0)),
    ...set(other, get(fifth)),
    ...set(left, get(turns)),
    ...repeat(left, turn),
    ...set(fourth, plus(fourth, 8)),
    ...nextPlace,
  ];
  return assembleModule(
    { name: "scatterRow", parameters: 6, integers: 3, vectors: 1, body: repeat(count, each) },
    { shared: false },
  );
}
