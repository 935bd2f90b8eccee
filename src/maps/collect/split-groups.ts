import { seededRandom } from "../../linalg/random.ts";

/** Where a group of windows goes: held out for the one final score, or the part of the moments that it is summed in. */
export type GroupPart = "heldOut" | number;

export interface SplitOptions {
  readonly seed: number;
  /** 1: part 0 chooses the penalty and the others fit. K ≥ 2: K parts of equal size, each of which validates the others. */
  readonly folds: number;
  /** With one fold, whether the fitting part is kept in pieces of 1/2, 1/4, 1/8, 1/16 and 1/16, which give a learning curve. */
  readonly hasCurve: boolean;
}

/** Of every ten groups in a row, one is held out; without folds another chooses the penalty. */
const blockSize = 10;
/** Pieces of the fitting part for a learning curve: each half of what the one before left, the last two equal. */
const curvePieces = 5;

/** How many parts moments are kept in. */
export function partCount({ folds, hasCurve }: Omit<SplitOptions, "seed">): number {
  return folds > 1 ? folds : hasCurve ? 1 + curvePieces : 2;
}

/**
 * Says what each group of windows is for, from its number and the seed alone: the same on every machine, whatever else was read.
 *
 * Every block of ten consecutive groups gives one to the held-out score and, without folds, one to validation, drawn at random: 80/10/10
 * even for few groups, spread over the corpus. Whole groups, never single rows or windows: neighbours share their text, so a row's
 * neighbour in the training set would give its answer away.
 */
export function splitGroups({ seed, folds, hasCurve }: SplitOptions): {
  readonly partOf: (group: number) => GroupPart;
  /** The fitting part of a group that was held out at first and was released for want of room. */
  readonly releasedPart: (group: number) => number;
} {
  let known = -1;
  let order: readonly number[] = [];
  const fittingPart = (group: number): number => (hasCurve ? 1 + curvePiece(seed, group) : 1);
  return {
    partOf(group) {
      const block = Math.floor(group / blockSize);
      if (block !== known) {
        order = seededRandom(mixSeed(seed, block)).shuffle(Array.from({ length: blockSize }, (_, place) => place));
        known = block;
      }
      const rank = order[group % blockSize] as number;
      if (rank === 0) return "heldOut";
      // Nine of ten go round the folds; counting on from block to block keeps the folds equal for any K.
      if (folds > 1) return (rank - 1 + block * (blockSize - 1)) % folds;
      return rank === 1 ? 0 : fittingPart(group);
    },
    releasedPart: (group) => (folds > 1 ? group % folds : fittingPart(group)),
  };
}

function curvePiece(seed: number, group: number): number {
  const value = seededRandom(mixSeed(seed + 1, group)).uniform();
  return Math.min(curvePieces - 1, Math.floor(-Math.log2(Math.max(value, Number.MIN_VALUE))));
}

/** A seed for number k of a stream with its own seed. Products stay below 2⁵³; unequal pairs rarely meet, and it would do no harm. */
export function mixSeed(seed: number, k: number): number {
  return (((seed % 2 ** 32) * 2 ** 20) % 2 ** 52) + (k % 2 ** 20);
}
