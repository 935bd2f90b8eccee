import type { ContrastPair } from "../activations/contrast-set.ts";
import { mismatch } from "../errors.ts";
import { seededRandom } from "../linalg/random.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import type { PairRows } from "./read-pair-rows.ts";
import { type SteeringVector, vectorNorm } from "./steering-vector.ts";

/**
 * A random vector to compare with: at every site a direction drawn uniformly from the sphere, of the same length as the given one.
 *
 * One random direction can move all items of a set or none: compare with twenty.
 *
 * @throws bad-input for a seed that is not an integer from 0 to 2^53 − 1
 */
export function randomLike(vector: SteeringVector, seed: number): SteeringVector {
  const random = seededRandom(seed);
  return {
    directions: vector.directions.map(({ site, vector: values, medianNorm }) => {
      const drawn = Float64Array.from(values, () => random.normal());
      const scale = vectorNorm(values) / vectorNorm(drawn);
      return { site, vector: Float32Array.from(drawn, (value) => value * scale), medianNorm };
    }),
    provenance: {
      ...vector.provenance,
      kind: "random",
      method: "random direction of the same length",
      pairs: undefined,
      readAt: undefined,
      seed,
      trimtab: trimtabVersion(),
    },
  };
}

/**
 * Swaps the sides of half of the pairs (rounded down), drawn by seed: extracted from these, a vector shows what is left when the
 * concept cancels out.
 *
 * Do not rescale it to the length of the real one: it then steers almost as strongly, with a random sign.
 *
 * @throws bad-input for fewer than two pairs
 */
export function shuffledLabels(pairs: readonly ContrastPair[], seed: number): ContrastPair[] {
  const swapped = drawSwapped(pairs.length, seed);
  return pairs.map((pair, i) =>
    swapped.has(i) ? { ...pair, positive: pair.negative, negative: pair.positive } : pair,
  );
}

/**
 * Swaps the same sides as {@link shuffledLabels} in rows that were read already: the same vector without reading the texts again.
 *
 * @throws bad-input for fewer than two pairs
 */
export function shuffledPairRows(rows: PairRows, seed: number): PairRows {
  const swapped = drawSwapped(rows.pairs, seed);
  const { width } = rows;
  const [positive, negative] = [rows.positive.slice(), rows.negative.slice()];
  for (const pair of swapped) {
    const [start, end] = [pair * width, (pair + 1) * width];
    positive.set(rows.negative.subarray(start, end), start);
    negative.set(rows.positive.subarray(start, end), start);
  }
  return { ...rows, positive, negative };
}

function drawSwapped(pairs: number, seed: number): ReadonlySet<number> {
  if (pairs < 2) throw mismatch("bad-input", "contrast pairs", "at least two", String(pairs));
  const order = seededRandom(seed).shuffle(Array.from({ length: pairs }, (_, i) => i));
  return new Set(order.slice(0, pairs >> 1));
}
