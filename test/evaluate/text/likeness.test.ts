import { describe, expect, test } from "vitest";
import { type CrossScored, estimateCloseness, estimateDivergence } from "../../../src/evaluate/text/likeness.ts";
import { seededRandom } from "../../../src/linalg/random.ts";

const prompts = 60;

/** Texts of coins: each token is 1 with the probability of the speaker that draws it. */
function draw(own: number, other: number, seed: number, tokens = 20): CrossScored[] {
  const random = seededRandom(seed);
  const log = (p: number, ones: number): number => ones * Math.log(p) + (tokens - ones) * Math.log(1 - p);
  return Array.from({ length: 4 * prompts }, (_, k) => {
    const ones = Array.from({ length: tokens }, () => Number(random.uniform() < own)).reduce((a, b) => a + b, 0);
    return { prompt: k % prompts, tokens, own: log(own, ones), other: log(other, ones) };
  });
}

const kl = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
const options = { prompts, seed: 5 };

describe("estimateDivergence(ofA, ofB)", () => {
  test("recovers the divergences of two coins, within its interval", () => {
    const [a, b] = [0.3, 0.6];
    const { forward, backward, jeffreys, texts } = estimateDivergence(draw(a, b, 1), draw(b, a, 2), options);
    // 4800 tokens: the standard error of a rate is |log-ratio| spread / √4800, about 0.01; four of them.
    expect(Math.abs(forward.value! - kl(a, b))).toBeLessThan(0.04);
    expect(Math.abs(backward.value! - kl(b, a))).toBeLessThan(0.04);
    expect(jeffreys.value).toBeCloseTo(forward.value! + backward.value!, 12);
    for (const [{ interval }, truth] of [
      [forward, kl(a, b)],
      [backward, kl(b, a)],
      [jeffreys, kl(a, b) + kl(b, a)],
    ] as const) {
      expect(interval!.low).toBeLessThan(truth);
      expect(interval!.high).toBeGreaterThan(truth);
      expect(interval!.high - interval!.low).toBeLessThan(0.1);
    }
    expect(texts).toEqual([240, 240]);
  });

  test("of a speaker with itself is 0, of two alike covers 0, and swaps its directions with its sides", () => {
    const same = estimateDivergence(draw(0.4, 0.4, 1), draw(0.4, 0.4, 2), options);
    expect(same.jeffreys).toEqual({ value: 0, interval: { low: 0, high: 0 } });
    const there = estimateDivergence(draw(0.3, 0.6, 1), draw(0.6, 0.3, 2), options);
    const back = estimateDivergence(draw(0.6, 0.3, 2), draw(0.3, 0.6, 1), options);
    expect(back.forward).toEqual(there.backward);
    expect(back.jeffreys).toEqual(there.jeffreys);
  });

  test("weighs tokens, not texts, and has no interval for one prompt", () => {
    const text = (tokens: number, gap: number): CrossScored => ({ prompt: 0, tokens, own: gap, other: 0 });
    const of = [text(1, 1), text(9, 0)];
    const { forward } = estimateDivergence(of, of, { prompts: 1, seed: 1 });
    expect(forward).toEqual({ value: 0.1, interval: null });
    expect(estimateDivergence([], [], { prompts: 1, seed: 1 }).jeffreys.value).toBeNull();
  });

  test("the interval covers the truth about as often as it says", () => {
    let covered = 0;
    for (let trial = 0; trial < 100; trial++) {
      const { forward } = estimateDivergence(draw(0.3, 0.5, 2 * trial, 8), draw(0.5, 0.3, 2 * trial + 1, 8), {
        prompts,
        seed: trial,
        resamples: 200,
      });
      covered += Number(forward.interval!.low < kl(0.3, 0.5) && kl(0.3, 0.5) < forward.interval!.high);
    }
    // 95 % of 100 with a standard deviation of 2.2; a percentile bootstrap of 60 units covers a little less.
    expect(covered).toBeGreaterThanOrEqual(86);
  });
});

describe("estimateCloseness(toOther, toUnsteered)", () => {
  test("is 1 for the same distribution, 0 for the unsteered one, between for one on the way", () => {
    const [native, unsteered, halfway] = [0.7, 0.3, 0.55];
    const toUnsteered = [draw(native, unsteered, 1), draw(unsteered, native, 2)] as const;
    const same = [draw(native, native, 1), draw(native, native, 3)] as const;
    expect(estimateCloseness(same, toUnsteered, options).value).toBe(1);
    expect(estimateCloseness(toUnsteered, toUnsteered, options)).toEqual({ value: 0, interval: { low: 0, high: 0 } });
    const near = estimateCloseness([draw(native, halfway, 4), draw(halfway, native, 5)], toUnsteered, options);
    const truth = 1 - (kl(native, halfway) + kl(halfway, native)) / (kl(native, unsteered) + kl(unsteered, native));
    expect(near.interval!.low).toBeLessThan(truth);
    expect(near.interval!.high).toBeGreaterThan(truth);
  });
});
