import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import { readFixture } from "./fixture.ts";

test("seededRandom(seed).uniform() gives the values of an independent xoshiro128** seeded by SplitMix64", () => {
  for (const [seed, expected] of Object.entries(readFixture().uniform)) {
    const random = seededRandom(Number(seed));
    expect(expected.map(() => random.uniform())).toEqual(expected);
  }
});

test("seededRandom(seed).normal() has mean 0, variance 1, no skew and normal kurtosis", () => {
  const random = seededRandom(5);
  const n = 40_000;
  const values = Array.from({ length: n }, () => random.normal());
  const moment = (k: number): number => values.reduce((sum, value) => sum + value ** k, 0) / n;
  // Five standard errors of each sample moment: sqrt(1, 2, 15, 96) / sqrt(n).
  expect(Math.abs(moment(1))).toBeLessThan(0.025);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.036);
  expect(Math.abs(moment(3))).toBeLessThan(0.1);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.25);
});

test("seededRandom(seed).integer(n) reaches every value about equally often", () => {
  const random = seededRandom(6);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 14_000; i++) counts[random.integer(7)]! += 1;
  // 2000 expected each, standard deviation 41: five of them.
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(207);
  expect(() => random.integer(0)).toThrow(/bound from 1/);
});

test("seededRandom(seed).shuffle(values) returns a new permutation and leaves its argument alone", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
      const before = values.slice();
      const shuffled = seededRandom(seed).shuffle(values);
      expect(values).toEqual(before);
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
    }),
  );
});

test("seededRandom(seed).shuffle(values) puts every element at every place equally often", () => {
  const random = seededRandom(8);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const key = random.shuffle("abc").join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // 1000 expected each, standard deviation 29: five of them.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
});

test("seededRandom(seed) refuses a seed that is not a non-negative safe integer", () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => seededRandom(seed)).toThrow(/seed: expected/);
});
