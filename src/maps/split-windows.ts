import { seededRandom } from "../linalg/random.ts";

/** What a window is used for: fitting coefficients, choosing the penalty, or the one final score. */
export type Part = "train" | "validation" | "heldOut";

/** Of every ten windows in a row, one chooses the penalty and one is held out. */
const blockSize = 10;

/**
 * Says what each window is for, from its position and the seed alone.
 *
 * Every block of ten consecutive windows gives one to validation and one to the held-out score, drawn at random: 80/10/10 even for few
 * windows, spread over the corpus. Whole windows, never single rows: neighbouring rows share their context, so a row's neighbour in the
 * training set would give its answer away.
 */
export function splitWindows(seed: number): (window: number) => Part {
  let known = -1;
  let validation = -1;
  let heldOut = -1;
  return (window) => {
    const block = Math.floor(window / blockSize);
    if (block !== known) {
      const random = seededRandom(mix(seed, block));
      validation = random.integer(blockSize);
      heldOut = (validation + 1 + random.integer(blockSize - 1)) % blockSize;
      known = block;
    }
    const place = window % blockSize;
    return place === validation ? "validation" : place === heldOut ? "heldOut" : "train";
  };
}

/** A seed for block k of a stream with its own seed. Products stay below 2⁵³; unequal pairs rarely meet, and it would do no harm. */
function mix(seed: number, block: number): number {
  return (((seed % 2 ** 32) * 2 ** 20) % 2 ** 52) + (block % 2 ** 20);
}
