import type { ContrastPair } from "../activations/contrast-set.ts";
import { mismatch } from "../errors.ts";
import { seededRandom } from "../linalg/random.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
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
  if (pairs.length < 2) throw mismatch("bad-input", "contrast pairs", "at least two", String(pairs.length));
  const order = seededRandom(seed).shuffle(Array.from(pairs.keys()));
  const swapped = new Set(order.slice(0, pairs.length >> 1));
  return pairs.map((pair, i) =>
    swapped.has(i) ? { ...pair, positive: pair.negative, negative: pair.positive } : pair,
  );
}
