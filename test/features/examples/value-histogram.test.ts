import fc from "fast-check";
import { expect, test } from "vitest";
import { openTopList } from "../../../src/features/examples/top-list.ts";
import { openValueHistogram } from "../../../src/features/examples/value-histogram.ts";

const activation = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

test("openValueHistogram() gives quantiles to 0.6 %, least and largest exactly", () => {
  fc.assert(
    fc.property(
      fc.array(activation, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, p) => {
        const histogram = openValueHistogram();
        for (const value of values) histogram.add(value);
        const sorted = Float64Array.from(values).sort();
        // The value of which a share of p lies at or below, counted from the smallest.
        const wanted = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
        const found = histogram.quantile(p)!;
        // Half a bin of 1.1 %.
        expect(Math.abs(Math.log(found / wanted))).toBeLessThan(0.0056);
        expect(histogram.quantile(0)).toBe(sorted[0]);
        expect(histogram.quantile(1)).toBe(sorted.at(-1));
        expect(histogram.count()).toBe(values.length);
      },
    ),
    { seed: 7 },
  );
  expect(openValueHistogram().quantile(0.5)).toBeUndefined();
  expect(() => openValueHistogram().quantile(2)).toThrow("expected a share from 0 to 1");
});

test("openTopList(n) keeps the n largest, of equal ones the first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (values, n) => {
      const list = openTopList<number>(n);
      values.forEach((value, at) => {
        list.add(value, at);
      });
      const wanted = values
        .map((value, item) => ({ value, item }))
        .sort((a, b) => b.value - a.value || a.item - b.item);
      expect(list.list()).toEqual(wanted.slice(0, n));
    }),
    { seed: 7 },
  );
});
