import { describe, expect, test } from "vitest";
import { findBreakingPoint } from "../../../src/evaluate/text/breaking-point.ts";
import { damageLevels, effectAtDamage } from "../../../src/evaluate/text/equal-damage.ts";
import { repetitionOf } from "../../../src/evaluate/text/repetition.ts";

describe("effectAtDamage(points, level)", () => {
  const points = [1, 2, 3].map((strength) => ({ strength, damage: strength ** 2, effect: 10 * strength }));

  test("is the measured effect at a measured damage, a straight line between, nothing beyond", () => {
    expect([0, 1, 4, 9].map((level) => effectAtDamage(points, level))).toEqual([0, 10, 20, 30]);
    expect(effectAtDamage(points, 0.5)).toBe(5);
    expect(effectAtDamage(points, 6.5)).toBe(25);
    expect(effectAtDamage(points, 9.1)).toBeNaN();
    expect(effectAtDamage([], 0.1)).toBeNaN();
  });

  test("does not depend on the order of the points or the sign of their strengths", () => {
    const negative = points.toReversed().map((point) => ({ ...point, strength: -point.strength }));
    expect(effectAtDamage(negative, 2.5)).toBe(effectAtDamage(points, 2.5));
  });

  test("takes the first crossing where a ruined model's damage falls again", () => {
    const turning = [...points, { strength: 4, damage: 2, effect: 0 }];
    expect(effectAtDamage(turning, 2.5)).toBe(effectAtDamage(points, 2.5));
  });

  test("at equal damage, an arm that does the same at half the cost has the larger effect, whatever its strengths", () => {
    const cheap = points.map(({ effect, damage }) => ({ strength: effect, damage: damage / 2, effect }));
    for (const level of damageLevels([points, cheap]))
      expect(effectAtDamage(cheap, level)).toBeGreaterThan(effectAtDamage(points, level));
  });
});

describe("damageLevels(curves)", () => {
  test("divides what all curves reach, and has nothing to divide where one has no points or no damage", () => {
    const curve = (...damage: number[]) => damage.map((value, i) => ({ strength: i + 1, damage: value, effect: 0 }));
    expect(damageLevels([curve(1, 8), curve(4, 2)])).toEqual([1, 2, 3, 4]);
    expect(damageLevels([curve(1), []])).toEqual([]);
    expect(damageLevels([curve(1), curve(0, -1)])).toEqual([]);
    expect(damageLevels([])).toEqual([]);
  });
});

describe("findBreakingPoint(states, unsteeredLoss)", () => {
  const state = (strength: number, lossNats: number | null, repetition: number | null = 0) => ({
    strength,
    lossNats,
    repetition,
  });

  test("is the first strength outward whose loss, repetition or silence breaks the rule", () => {
    expect(findBreakingPoint([state(0.5, 1.9), state(1, 2.1), state(0.25, 1)], 1)).toEqual({
      strength: 1,
      reason: "loss",
      lastGood: 0.5,
    });
    expect(findBreakingPoint([state(-0.5, 1, 0.6), state(-0.25, 1, 0.5)], 1)).toEqual({
      strength: -0.5,
      reason: "repetition",
      lastGood: -0.25,
    });
    expect(findBreakingPoint([state(1, null, null)], 1)).toEqual({ strength: 1, reason: "silence", lastGood: 0 });
  });

  test("is none where nothing measured breaks, and the rule can be another", () => {
    expect(findBreakingPoint([state(1, 1.5, null)], 1)).toEqual({ strength: null, reason: null, lastGood: 1 });
    expect(findBreakingPoint([state(1, 1.5)], 1, { lossFactor: 1.2, repetition: 1 }).reason).toBe("loss");
  });
});

describe("repetitionOf(tokens)", () => {
  test("is 0 without repetition, near 1 in a loop, the share of repeated 4-grams between, nothing of three tokens", () => {
    expect(repetitionOf([1, 2, 3, 4, 5])).toBe(0);
    expect(repetitionOf(Array.from({ length: 103 }, () => 7))).toBeCloseTo(0.99, 12);
    // 1234 2341 3412 4123 1234: one of five stood before.
    expect(repetitionOf([1, 2, 3, 4, 1, 2, 3, 4])).toBeCloseTo(1 / 5, 12);
    expect(repetitionOf([1, 2, 3])).toBeNull();
  });
});
