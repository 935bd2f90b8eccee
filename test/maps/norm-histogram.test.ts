import fc from "fast-check";
import { expect, test } from "vitest";
import { median } from "../../src/activations/row-norms.ts";
import { addNorms, createNormHistogram, medianNorm } from "../../src/maps/collect/norm-histogram.ts";

function histogramOf(norms: readonly number[]): Float64Array {
  const histogram = createNormHistogram();
  addNorms(histogram, norms);
  return histogram;
}

test("medianNorm(histogram) is the median to half a percent, from 10⁻⁷ to 10¹²", () => {
  const norm = fc.double({ min: -7, max: 12, noNaN: true }).map((exponent) => 10 ** exponent);
  fc.assert(
    fc.property(fc.array(norm, { minLength: 1, maxLength: 60 }), (norms) => {
      // Of an even number any value between the middle two is a median.
      const sorted = [...norms].sort((a, b) => a - b);
      const [low, high] = [sorted[(norms.length - 1) >> 1]!, sorted[norms.length >> 1]!];
      const found = medianNorm(histogramOf(norms));
      expect(found).toBeGreaterThan(low * 0.994);
      expect(found).toBeLessThan(high * 1.006);
    }),
  );
});

test("medianNorm(histogram) is near the exact median of many norms", () => {
  const norms = Array.from({ length: 5001 }, (_, i) => 40 + 30 * Math.sin(i * i));
  const exact = median(norms);
  expect(Math.abs(medianNorm(histogramOf(norms)) / exact - 1)).toBeLessThan(0.003);
});

test("addNorms(histogram, norms) counts every norm once, zeros and giants in the outermost bins, and histograms add", () => {
  const extreme = histogramOf([0, 1e-300, 1e300]);
  expect([extreme[0], extreme.at(-1)]).toEqual([2, 1]);
  const [a, b] = [histogramOf([1, 2, 3]), histogramOf([3, 4])];
  expect(a.map((count, bin) => count + b[bin]!)).toEqual(histogramOf([1, 2, 3, 3, 4]));
  expect(medianNorm(createNormHistogram())).toBe(0);
});
