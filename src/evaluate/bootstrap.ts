import { mismatch } from "../errors.ts";
import { seededRandom } from "../linalg/random.ts";
import { type ConfidenceInterval, quantile } from "./statistics.ts";

export interface BootstrapOptions {
  /** Default 1000: the ends of a 95 % interval then wander by a few hundredths of its width between seeds. */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly level?: number;
  readonly seed: number;
}

/**
 * Percentile bootstrap: draws the units 0 … n − 1 anew with replacement, computes the statistics of each draw, and returns for each
 * statistic the middle `level` of its values.
 *
 * All statistics share the draws, so that their intervals belong together. Draws where a statistic is not finite are left out of its
 * interval; `null` where more than a tenth were, because the rest would be a choice of the easy draws. The interval speaks of other
 * units like these (items, windows), not of other models, vectors or corpora. Below about 20 units it is too narrow.
 *
 * @param n - number of units
 * @param statistics - from unit numbers (with repeats) to values, the same number of values each time
 * @throws bad-input if n or `resamples` is not a positive integer, or `level` not between 0 and 1
 * @see Efron and Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13
 */
export function bootstrapIntervals(
  n: number,
  statistics: (units: Int32Array) => readonly number[],
  { resamples = 1000, level = 0.95, seed }: BootstrapOptions,
): (ConfidenceInterval | null)[] {
  if (!Number.isInteger(n) || n < 1) throw mismatch("bad-input", "bootstrap", "at least one unit", String(n));
  if (!Number.isInteger(resamples) || resamples < 1)
    throw mismatch("bad-input", "bootstrap resamples", "a positive integer", String(resamples));
  if (!(level > 0 && level < 1))
    throw mismatch("bad-input", "bootstrap level", "a share between 0 and 1", String(level));
  const random = seededRandom(seed);
  const units = new Int32Array(n);
  const draws: number[][] = [];
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) units[i] = random.integer(n);
    for (const [k, value] of statistics(units).entries()) {
      draws[k] ??= [];
      if (Number.isFinite(value)) draws[k].push(value);
    }
  }
  const tail = (1 - level) / 2;
  return draws.map((values) =>
    values.length < 0.9 * resamples ? null : { low: quantile(values, tail), high: quantile(values, 1 - tail) },
  );
}
