import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cohenKappa } from "../../../src/evaluate/judges/cohen-kappa.ts";
import type { Judgement } from "../../../src/evaluate/judges/judge.ts";

interface Case {
  readonly a: (0 | 1)[];
  readonly b: (0 | 1)[];
  readonly kappa: number;
}
const fixture = JSON.parse(readFileSync(resolve("test/fixtures/evaluate/kappa.json"), "utf8")) as {
  readonly cases: readonly Case[];
  readonly bootstrap: { readonly case: number; readonly low: number; readonly high: number };
};

describe("cohenKappa(a, b)", () => {
  test("agrees with scikit-learn's cohen_kappa_score", () => {
    // The same formula in float64.
    for (const { a, b, kappa } of fixture.cases) expect(cohenKappa(a, b, { seed: 1 }).kappa).toBeCloseTo(kappa, 12);
  });

  test("its interval agrees with a bootstrap of scikit-learn's score to sampling error", () => {
    const { a, b } = fixture.cases[fixture.bootstrap.case]!;
    const { interval } = cohenKappa(a, b, { seed: 3, resamples: 4000 });
    // κ of 60 samples moves in steps of about 0.04 near 1; the ends of 4000 draws wander by less than one step.
    expect(Math.abs(interval!.low - fixture.bootstrap.low)).toBeLessThan(0.04);
    expect(interval!.high).toBeCloseTo(fixture.bootstrap.high, 10);
  });

  test("is symmetric, 1 for equal judges and −1 for opposite ones of even habits, and leaves out what one did not answer", () => {
    const judgement = fc.constantFrom<Judgement>(0, 1, null);
    fc.assert(
      fc.property(fc.array(fc.tuple(judgement, judgement), { minLength: 1, maxLength: 30 }), (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const there = cohenKappa(a, b, { seed: 1, resamples: 1 });
        const back = cohenKappa(b, a, { seed: 1, resamples: 1 });
        expect(there.kappa === null ? null : there.kappa.toFixed(10)).toBe(
          back.kappa === null ? null : back.kappa.toFixed(10),
        );
        const both = pairs.filter(([x, y]) => x !== null && y !== null);
        expect(there).toMatchObject({ samples: both.length, unanswered: pairs.length - both.length });
        expect(there.counts.flat().reduce((sum, count) => sum + count)).toBe(both.length);
      }),
    );
    expect(cohenKappa([0, 1, 1], [0, 1, 1], { seed: 1 }).kappa).toBe(1);
    expect(cohenKappa([0, 1], [1, 0], { seed: 1 }).kappa).toBe(-1);
  });

  test("is null where a constant answer leaves nothing to agree on beyond chance", () => {
    expect(cohenKappa([1, 1], [1, 1], { seed: 1 })).toMatchObject({ kappa: null, agreement: 1, interval: null });
    expect(cohenKappa([null], [1], { seed: 1 })).toMatchObject({ kappa: null, agreement: null, samples: 0 });
    expect(cohenKappa([1, 1], [1, 0], { seed: 1 }).kappa).toBe(0);
  });

  test("samples of one group are drawn together: copies of the same answers do not narrow the interval", () => {
    const { a, b } = fixture.cases[1]!;
    const copies = <T>(values: readonly T[]): T[] => values.flatMap((value) => Array<T>(5).fill(value));
    const groups = copies(Array.from(a.keys()));
    const plain = cohenKappa(a, b, { seed: 9 }).interval!;
    expect(cohenKappa(copies(a), copies(b), { seed: 9, groups }).interval).toEqual({
      low: expect.closeTo(plain.low, 10),
      high: expect.closeTo(plain.high, 10),
    });
    const narrow = cohenKappa(copies(a), copies(b), { seed: 9 }).interval!;
    expect(narrow.high - narrow.low).toBeLessThan(0.7 * (plain.high - plain.low));
    expect(() => cohenKappa([1], [1, 0], { seed: 1 })).toThrow(
      "cohenKappa: expected two lists of one length, got 1 and 2",
    );
    expect(() => cohenKappa([1], [1], { seed: 1, groups: [] })).toThrow("cohenKappa groups: expected 1 numbers");
  });
});
