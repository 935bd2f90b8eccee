import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import type { SparseRows } from "../sparse-rows.ts";

/**
 * Σ f fᵀ of sparse rows, growing: only pairs of features that were active together are stored, so that a row costs the square of its
 * active features and memory the number of pairs met, neither the square of the width.
 */
export interface SparseGram {
  readonly features: number;
  /** Pairs of features met together, each once, a feature with itself included. */
  readonly pairs: number;
  add(codes: SparseRows): void;
  /** Calls `visit(i, j, sum)` for every pair met with i ≤ j, in no order. */
  forEach(visit: (i: number, j: number, sum: number) => void): void;
}

/** Load at which the table doubles. */
const fullest = 0.6;
const noKey = -1;
/** 16 bytes a pair and the table at most twice that: 2 GiB. */
const mostPairs = 2 ** 26;

/** Opens an empty {@link SparseGram}. `maxPairs` bounds its memory, 16 to 54 bytes a pair. */
export function createSparseGram(features: number, { maxPairs = mostPairs }: { maxPairs?: number } = {}): SparseGram {
  let keys = new Float64Array(1 << 12).fill(noKey);
  let sums = new Float64Array(keys.length);
  let pairs = 0;

  function slotOf(key: number): number {
    const mask = keys.length - 1;
    // Fibonacci hashing of both halves of a key of up to 53 bits.
    let slot = (Math.imul(key | 0, 0x9e3779b1) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85ebca6b)) >>> 0;
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

  function addPair(key: number, product: number): void {
    let slot = slotOf(key);
    if (keys[slot] === noKey) {
      if (pairs >= maxPairs)
        throw mismatch("bad-input", "features active together", `at most ${maxPairs} pairs`, "more", {
          hint: "use an autoencoder with fewer features or fewer active ones, or fewer rows",
        });
      if (pairs + 1 > fullest * keys.length) {
        grow();
        slot = slotOf(key);
      }
      keys[slot] = key;
      pairs++;
    }
    sums[slot] = (sums[slot] as number) + product;
  }

  return {
    features,
    get pairs() {
      return pairs;
    },
    add({ rows, offsets, indices, values }) {
      for (let row = 0; row < rows; row++) {
        const [start, end] = [offsets[row] as number, offsets[row + 1] as number];
        for (let a = start; a < end; a++) {
          const base = (indices[a] as number) * features;
          const value = values[a] as number;
          for (let b = a; b < end; b++) addPair(base + (indices[b] as number), value * (values[b] as number));
        }
      }
    },
    forEach(visit) {
      keys.forEach((key, slot) => {
        if (key !== noKey) visit(Math.floor(key / features), key % features, sums[slot] as number);
      });
    },
  };
}

/** The whole of a Gram matrix, `[features, features]`, for solving by a factor. */
export function toDense(gram: SparseGram): Matrix {
  const { features } = gram;
  const result = createMatrix(features, features);
  gram.forEach((i, j, sum) => {
    result.data[i * features + j] = sum;
    result.data[j * features + i] = sum;
  });
  return result;
}
