import type { Random } from "../../linalg/random.ts";
import type { Interval } from "./map-scores.ts";
import type { GroupErrors } from "./score-rows.ts";

const resamples = 1000;
const level = 0.95;

/** The interval of R²: groups of windows drawn anew with replacement, 1000 times; SSE and SST are summed over what was drawn. */
export function bootstrapR2(groups: readonly GroupErrors[], random: Random): Interval {
  return resample(groups.length, random, (drawn) => r2Of(groups, drawn));
}

/**
 * The interval of the difference R²(a) − R²(b) of two maps scored on the same groups, in the same order: both are scored on every draw,
 * so that what a draw does to both does not count.
 */
export function bootstrapR2Difference(a: readonly GroupErrors[], b: readonly GroupErrors[], random: Random): Interval {
  return resample(a.length, random, (drawn) => r2Of(a, drawn) - r2Of(b, drawn));
}

function resample(groups: number, random: Random, statistic: (drawn: Int32Array) => number): Interval {
  const drawn = new Int32Array(groups);
  const values = Float64Array.from({ length: resamples }, () => {
    for (let draw = 0; draw < groups; draw++) drawn[draw] = random.integer(groups);
    return statistic(drawn);
  }).sort();
  const tail = (1 - level) / 2;
  return { low: quantile(values, tail), high: quantile(values, 1 - tail), level, resamples };
}

function r2Of(groups: readonly GroupErrors[], drawn: Int32Array): number {
  let sse = 0;
  let sst = 0;
  for (const at of drawn) {
    const group = groups[at] as GroupErrors;
    sse += group.sse;
    sst += group.sst;
  }
  return 1 - sse / sst;
}

/** The q-quantile of ascending values, linear between neighbours (numpy's default); 0 for none. */
export function quantile(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return low + (place - Math.floor(place)) * (high - low);
}
