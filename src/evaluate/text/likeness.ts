import { bootstrapIntervals } from "../bootstrap.ts";
import type { Estimate } from "../comparison.ts";
import { toFinite } from "../statistics.ts";

/** A text that one speaker drew, and how likely it is under both: nats, summed over its tokens. */
export interface CrossScored {
  /** Number of the prompt it continues. */
  readonly prompt: number;
  readonly tokens: number;
  /** log p under the speaker that drew it. */
  readonly own: number;
  /** log p under the other. */
  readonly other: number;
}

/** How far apart two speakers are as distributions over continuations. 0: the same distribution. */
export interface Divergence {
  /** `forward + backward`, nats per token: Jeffreys' divergence rate. */
  readonly jeffreys: Estimate;
  /** KL(a ‖ b) per token, from texts of a. */
  readonly forward: Estimate;
  /** KL(b ‖ a) per token, from texts of b. */
  readonly backward: Estimate;
  /** Texts of each. */
  readonly texts: readonly [number, number];
}

export interface DivergenceOptions {
  readonly prompts: number;
  readonly seed: number;
  readonly resamples?: number;
}

/**
 * Estimates the divergence between two speakers from texts that each drew by its own distribution and both scored.
 *
 * Each direction is Σ (log p_own − log p_other) / Σ tokens over the texts of one side: by the law of large numbers KL of whole
 * continuations over their mean length. It needs texts drawn at temperature 1 with nothing cut off; of others it is not a divergence.
 * An estimate may fall below 0 by chance where the truth is near 0. Intervals: bootstrap over prompts; `null` below two prompts.
 *
 * @param ofA - texts that a drew, on the same prompts as `ofB`
 * @see Liu, Soatto et al. 2023, "Meaning Representations from Trajectories in Autoregressive Models" (arXiv 2310.18348): what a text means
 *   to a model as its distribution over continuations
 */
export function estimateDivergence(
  ofA: readonly CrossScored[],
  ofB: readonly CrossScored[],
  options: DivergenceOptions,
): Divergence {
  const [forward, backward, jeffreys] = estimateRates([ofA, ofB], options, ([a, b]) => [a!, b!, a! + b!]);
  return { jeffreys: jeffreys!, forward: forward!, backward: backward!, texts: [ofA.length, ofB.length] };
}

/** Both directions of one pair of speakers. */
export type ScoredPair = readonly [ofA: readonly CrossScored[], ofB: readonly CrossScored[]];

/**
 * How much of the way from the unsteered model to the natively steered one another speaker goes: 1 − J(native, it) / J(native, unsteered).
 * 1: the same distribution as native; 0: no nearer than no steering at all; below 0: further away.
 *
 * Prompts are drawn together for both divergences, so what they share does not widen the interval.
 */
export function estimateCloseness(toOther: ScoredPair, toUnsteered: ScoredPair, options: DivergenceOptions): Estimate {
  return estimateRates([...toOther, ...toUnsteered], options, ([a, b, c, d]) => [1 - (a! + b!) / (c! + d!)])[0]!;
}

/** Rates of some sets of texts, statistics of them, and intervals by drawing prompts for all sets at once. */
function estimateRates(
  sets: readonly (readonly CrossScored[])[],
  { prompts, seed, resamples }: DivergenceOptions,
  statistics: (rates: readonly number[]) => readonly number[],
): Estimate[] {
  const sums = sets.map((texts) => {
    const byPrompt = Array.from({ length: prompts }, () => ({ log: 0, tokens: 0 }));
    for (const { prompt, tokens, own, other } of texts) {
      const sum = byPrompt[prompt]!;
      sum.log += own - other;
      sum.tokens += tokens;
    }
    return byPrompt;
  });
  const measure = (units: Int32Array): readonly number[] =>
    statistics(
      sums.map((byPrompt) => {
        let [log, tokens] = [0, 0];
        for (const unit of units) {
          log += byPrompt[unit]!.log;
          tokens += byPrompt[unit]!.tokens;
        }
        return log / tokens;
      }),
    );
  const everyone = measure(Int32Array.from({ length: prompts }, (_, i) => i));
  const intervals =
    prompts < 2
      ? []
      : bootstrapIntervals(prompts, measure, { seed, ...(resamples === undefined ? {} : { resamples }) });
  return everyone.map((value, k) => ({ value: toFinite(value), interval: intervals[k] ?? null }));
}
