/** Counts of row norms in bins of equal ratio: medians that can be merged, saved and resumed. */
export type NormHistogram = Float64Array;

/** Bins for each factor of two: a bin is 0.5 % wide, and the median is interpolated within it. */
const perOctave = 128;
/** Norms from 2⁻²⁴ to 2⁴⁰; what lies outside counts in the outermost bins. */
const lowest = -24;
const octaves = 64;

/** Number of bins. */
export const normBins: number = perOctave * octaves;

export function createNormHistogram(): NormHistogram {
  return new Float64Array(normBins);
}

/** Counts norms, in place. */
export function addNorms(histogram: NormHistogram, norms: Iterable<number>): void {
  for (const norm of norms) {
    const place = norm > 0 ? Math.floor((Math.log2(norm) - lowest) * perOctave) : 0;
    const bin = Math.max(0, Math.min(normBins - 1, place));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
}

/** The median of what was counted, to a few tenths of a percent; 0 for nothing. */
export function medianNorm(histogram: NormHistogram): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let bin = 0; bin < normBins; bin++) {
    const count = histogram[bin] as number;
    if (count > 0 && below + count >= total / 2) return 2 ** (lowest + (bin + (total / 2 - below) / count) / perOctave);
    below += count;
  }
  return 0;
}
