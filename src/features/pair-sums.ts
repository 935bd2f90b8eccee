import { mismatch } from "../errors.ts";

/** Sums by pairs of numbers of which few ever meet. */
export interface PairSums {
  /** Pairs met. */
  readonly size: number;
  add(i: number, j: number, value: number): void;
  /** Calls `visit(i, j, sum)` for every pair met, in no order. */
  forEach(visit: (i: number, j: number, sum: number) => void): void;
}

/** Load at which the table doubles. */
const fullest = 0.6;
const noKey = -1;
/** 16 bytes a place and the table at most twice as large as full: 2 GiB. */
const mostPairs = 2 ** 26;

/**
 * Opens empty sums by pairs (i, j), j below `cols`: a hash table in typed arrays, 27 to 54 bytes a pair, some ten times as fast as a Map and
 * not limited to 2²⁴ of them.
 *
 * @throws bad-input from `add` beyond `maxPairs`
 */
export function createPairSums(cols: number, { maxPairs = mostPairs }: { maxPairs?: number } = {}): PairSums {
  let keys = new Float64Array(1 << 12).fill(noKey);
  let sums = new Float64Array(keys.length);
  let size = 0;

  function slotOf(key: number): number {
    const mask = keys.length - 1;
    // Fibonacci hashing of both halves of a key of up to 53 bits.
    let slot = Math.imul(key | 0, 0x9e3779b1) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (keys[slot] !== noKey && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  function grow(): void {
    const [oldKeys, oldSums] = [keys, sums];
    keys = new Float64Array(2 * oldKeys.length).fill(noKey);
    sums = new Float64Array(keys.length);
    oldKeys.forEach((key, at) => {
      if (key === noKey) return;
      const slot = slotOf(key);
      keys[slot] = key;
      sums[slot] = oldSums[at] as number;
    });
  }

  return {
    get size() {
      return size;
    },
    add(i, j, value) {
      const key = i * cols + j;
      let slot = slotOf(key);
      if (keys[slot] === noKey) {
        if (size >= maxPairs)
          throw mismatch("bad-input", "features active together", `at most ${maxPairs} pairs`, "more", {
            hint: "use an autoencoder with fewer features or fewer active ones, or fewer rows",
          });
        if (size + 1 > fullest * keys.length) {
          grow();
          slot = slotOf(key);
        }
        keys[slot] = key;
        size++;
      }
      sums[slot] = (sums[slot] as number) + value;
    },
    forEach(visit) {
      keys.forEach((key, slot) => {
        if (key !== noKey) visit(Math.floor(key / cols), key % cols, sums[slot] as number);
      });
    },
  };
}
