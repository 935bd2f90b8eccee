import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extrapolateCurve } from "../../src/maps/score/learning-curve.ts";

describe("extrapolateCurve(points)", () => {
  test("goes on with gains per doubling that shrink by a constant factor", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 3, max: 8 }),
        (gain, factor, count) => {
          const r2At = (doublings: number): number =>
            Array.from({ length: doublings }, (_, k) => gain * factor ** k).reduce((sum, value) => sum + value, -0.3);
          const points = Array.from({ length: count }, (_, k) => ({ rows: 100 * 2 ** k, r2: r2At(k) }));
          const outlook = extrapolateCurve(points)!;
          // A gain is a difference of numbers of about one, and the factor a quotient of two of them.
          expect(outlook.lastDoubling).toBeCloseTo(gain * factor ** (count - 2), 12);
          expect(outlook.nextDoubling).toBeCloseTo(gain * factor ** (count - 1), 8);
        },
      ),
    );
  });

  test("counts gains by the doubling, whatever the points' distance", () => {
    // Three quarters of the gain of a whole doubling of rows that grew by 2^0.75; then one of two doublings at once.
    const points = [
      { rows: 1000, r2: 0.1 },
      { rows: 1000 * 2 ** 0.75, r2: 0.1 + 0.75 * 0.08 },
      { rows: 1000 * 2 ** 2.75, r2: 0.1 + 0.75 * 0.08 + 2 * 0.02 },
    ];
    const outlook = extrapolateCurve(points)!;
    expect(outlook.lastDoubling).toBeCloseTo(0.02, 12);
    expect(outlook.nextDoubling).toBeCloseTo(0.005, 12);
  });

  const curve = (...r2: number[]) => r2.map((value, k) => ({ rows: 100 * 2 ** k, r2: value }));

  test("takes gains that grow, or that follow a fall, to stay as they are", () => {
    expect(extrapolateCurve(curve(0.1, 0.15, 0.3))!.nextDoubling).toBeCloseTo(0.15, 12);
    expect(extrapolateCurve(curve(0.3, 0.1, 0.2))!.nextDoubling).toBeCloseTo(0.1, 12);
    expect(extrapolateCurve(curve(0.2, 0.2, 0.25))!.nextDoubling).toBeCloseTo(0.05, 12);
  });

  test("promises nothing of a curve that falls or is flat", () => {
    for (const points of [curve(0.1, 0.3, 0.2), curve(0.4, 0.3, 0.2), curve(0.1, 0.2, 0.2)]) {
      expect(extrapolateCurve(points)!.nextDoubling).toBe(0);
      expect(extrapolateCurve(points)!.lastDoubling).toBeLessThanOrEqual(0);
    }
    expect(extrapolateCurve(curve(0.4, 0.3, 0.2))!.lastDoubling).toBeCloseTo(-0.1, 12);
  });

  test("says nothing of fewer than three points", () => {
    expect(extrapolateCurve([])).toBeUndefined();
    expect(extrapolateCurve(curve(0.1, 0.2))).toBeUndefined();
  });
});
