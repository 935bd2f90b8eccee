import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meanDifference } from "../../src/vectors/mean-difference.ts";
import { pcaDirection } from "../../src/vectors/pca.ts";
import { probeDirection } from "../../src/vectors/probe.ts";
import { crossValidate, measureSeparation } from "../../src/vectors/separation.ts";
import { cosine, drawnRows } from "./planted-model.ts";

const shift = [0.5, -1, 0.25, 0, 0, 2, 0, 0];
const methods = { meanDifference, pcaDirection, probeDirection };

/** Made by make_directions.py with NumPy and scikit-learn. */
interface Fixture {
  readonly pairs: number;
  readonly width: number;
  readonly positive: number[];
  readonly negative: number[];
  readonly pca: number[];
  readonly probe: Record<string, number[]>;
  readonly auc: number;
  readonly pcaWide: { pairs: number; width: number; positive: number[]; negative: number[]; pca: number[] };
}
const fixture = JSON.parse(readFileSync(resolve("test/fixtures/vectors/directions.json"), "utf8")) as Fixture;
const toRows = ({ pairs, width, positive, negative }: Omit<Fixture, "pca" | "probe" | "auc" | "pcaWide">) => ({
  pairs,
  width,
  positive: Float32Array.from(positive),
  negative: Float32Array.from(negative),
});

describe.each(Object.entries(methods))("%s(rows)", (_, fit) => {
  test("recovers a planted direction and its length", () => {
    const rows = drawnRows(shift, { pairs: 4000, seed: 1 });
    const direction = fit(rows);
    // 4000 pairs of unit noise blur each of 8 numbers by sqrt(2/4000) = 0.02 of a length of 4.7. The probe sees only the few rows
    // near the border between sides that lie so far apart.
    expect(cosine(direction, shift)).toBeGreaterThan(fit === probeDirection ? 0.99 : 0.999);
    const length = Math.hypot(...direction);
    const planted = 2 * Math.hypot(...shift);
    // PCA and probe report the root mean square projection, which noise of variance 2 raises to sqrt(4.7² + 2).
    expect(length).toBeGreaterThan(0.98 * planted);
    expect(length).toBeLessThan(1.01 * Math.sqrt(planted ** 2 + 2));
  });

  test("turns round when the sides are swapped", () => {
    const rows = drawnRows(shift, { pairs: 50, seed: 2 });
    const swapped = { ...rows, positive: rows.negative, negative: rows.positive };
    const direction = fit(rows);
    const other = fit(swapped);
    direction.forEach((value, j) => {
      expect(other[j]).toBeCloseTo(-value, 6); // the probe stops at a gradient of 1e-9
    });
  });

  test("scales with the rows and does not care for what both sides share", () => {
    const rows = drawnRows(shift, { pairs: 30, seed: 3 });
    const move = (side: Float32Array) => side.map((value, i) => 4 * value + 2 * (i % 8));
    const moved = fit({ ...rows, positive: move(rows.positive), negative: move(rows.negative) });
    fit(rows).forEach((value, j) => {
      expect(moved[j]).toBeCloseTo(4 * value, 3); // rows are float32
    });
  });

  test("works with fewer pairs than dimensions, and with one pair", () => {
    for (const pairs of [1, 3]) {
      const rows = drawnRows(Array(40).fill(2), { pairs, seed: 4 });
      expect(measureSeparation(rows, fit(rows)).positiveShare).toBe(1);
    }
  });

  test("gives zeros for sides that are equal", () => {
    const side = Float32Array.from({ length: 12 }, (_, i) => i);
    expect([...fit({ pairs: 3, width: 4, positive: side, negative: side })].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});

describe("pcaDirection(rows)", () => {
  test("agrees with NumPy's singular vectors, narrow and wide", () => {
    expect(cosine(pcaDirection(toRows(fixture)), fixture.pca)).toBeCloseTo(1, 10);
    const wide = fixture.pcaWide;
    expect(cosine(pcaDirection(toRows(wide)), wide.pca)).toBeCloseTo(1, 10);
  });

  test("finds the direction of most energy even where the mean difference is another", () => {
    // Differences along axis 0 are large and of either sign; along axis 1 small and always positive.
    const pairs = 200;
    const positive = new Float32Array(pairs * 2);
    for (let i = 0; i < pairs; i++) positive.set([i % 2 === 0 ? 5 : -4.9, 0.5], 2 * i);
    const rows = { pairs, width: 2, positive, negative: new Float32Array(pairs * 2) };
    expect(Math.abs(cosine(pcaDirection(rows), [1, 0]))).toBeGreaterThan(0.999);
    expect(cosine(meanDifference(rows), [0, 1])).toBeGreaterThan(0.99);
  });

  test("takes its sign from most pairs, not from the longest", () => {
    const positive = Float32Array.from([1, 1, 1, -100]);
    expect(pcaDirection({ pairs: 4, width: 1, positive, negative: new Float32Array(4) })[0]).toBeGreaterThan(0);
  });
});

describe("probeDirection(rows)", () => {
  test.each(Object.entries(fixture.probe))("agrees with scikit-learn at lambda %s", (lambda, expected) => {
    const direction = probeDirection(toRows(fixture), { lambda: Number(lambda) });
    // scikit-learn's solver stops at a gradient of 1e-10.
    expect(cosine(direction, expected)).toBeCloseTo(1, 9);
  });

  test("turns away from noisy dimensions, as the best linear classifier does", () => {
    const scales = [1, 1, 1, 1, 1, 6, 1, 1];
    const rows = drawnRows(shift, { pairs: 4000, seed: 5, scales });
    const best = shift.map((value, j) => value / scales[j]! ** 2); // Fisher: inverse covariance times mean difference
    expect(cosine(probeDirection(rows), best)).toBeGreaterThan(0.99);
    expect(cosine(meanDifference(rows), best)).toBeLessThan(0.7);
  });
});

describe("measureSeparation(rows, direction)", () => {
  test("gives the figures of two normals a known distance apart", () => {
    const rows = drawnRows([1, 0, 0], { pairs: 20_000, seed: 6 });
    const { positiveShare, auc, dPrime } = measureSeparation(rows, Float64Array.of(3, 0, 0));
    // Distance 2, unit variances: d′ = 2, AUC = share = Φ(2/√2) = 0.9214; standard errors about 0.002 and 0.01.
    expect(dPrime).toBeCloseTo(2, 1);
    expect(Math.abs(auc - 0.9214)).toBeLessThan(0.01);
    expect(Math.abs(positiveShare - 0.9214)).toBeLessThan(0.01);
  });

  test("agrees with scikit-learn's AUC, ties included", () => {
    expect(
      measureSeparation(
        toRows(fixture),
        Float64Array.from({ length: fixture.width }, () => 1),
      ).auc,
    ).toBeCloseTo(fixture.auc, 12);
  });
});

describe("crossValidate(rows, fit)", () => {
  test("is at chance for labels without meaning, where measuring on the fitted pairs is not", () => {
    const rows = drawnRows(Array(60).fill(0), { pairs: 60, seed: 7 });
    const held = crossValidate(rows, meanDifference)!;
    expect(Math.abs(held.auc - 0.5)).toBeLessThan(0.15); // 60 a side: standard error 0.05
    expect(measureSeparation(rows, meanDifference(rows)).auc).toBeGreaterThan(0.8);
  });

  test("is high for a planted difference and undefined below four pairs", () => {
    expect(crossValidate(drawnRows(shift, { pairs: 40, seed: 8 }), meanDifference)!.positiveShare).toBeGreaterThan(
      0.95,
    );
    expect(crossValidate(drawnRows(shift, { pairs: 3, seed: 8 }), meanDifference)).toBeUndefined();
  });
});

test("all methods give finite numbers for any rows", () => {
  const rows = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([pairs, width]) => {
    const value = fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constantFrom(0, 1, -1, 1e-30, 1e6));
    const side = fc.array(value, { minLength: pairs * width, maxLength: pairs * width });
    return fc.tuple(side, side).map(([a, b]) => ({
      pairs,
      width,
      positive: Float32Array.from(a),
      negative: Float32Array.from(b),
    }));
  });
  fc.assert(
    fc.property(rows, (rows) => {
      for (const fit of Object.values(methods)) for (const value of fit(rows)) expect(value).toSatisfy(Number.isFinite);
    }),
    { numRuns: 300 },
  );
});
