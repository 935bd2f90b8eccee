import { mismatch } from "../../errors.ts";

/** Counts of positive values from which quantiles are read, in memory that does not grow with them. */
export interface ValueHistogram {
  readonly add: (value: number) => void;
  readonly count: () => number;
  /** The value below which a share `p` of them lies, to 0.6 %, least and largest exactly; undefined if there are none. @throws bad-input unless 0 ≤ p ≤ 1 */
  readonly quantile: (p: number) => number | undefined;
}

/** Bins to a factor of two: each is 1.1 % wide. */
const perOctave = 64;
/** Activations below 2⁻²⁴ or above 2⁴⁰ are counted in the first and the last bin. */
const octaves = { from: -24, to: 40 };

/** Opens an empty histogram: 4096 bins, 64 to a factor of two. */
export function openValueHistogram(): ValueHistogram {
  const bins = new Float64Array((octaves.to - octaves.from) * perOctave);
  let [total, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  return {
    add(value) {
      const bin = Math.floor((Math.log2(value) - octaves.from) * perOctave);
      const at = Math.max(0, Math.min(bins.length - 1, bin));
      bins[at] = (bins[at] as number) + 1;
      total++;
      least = Math.min(least, value);
      most = Math.max(most, value);
    },
    count: () => total,
    quantile(p) {
      if (!(p >= 0 && p <= 1)) throw mismatch("bad-input", "quantile", "a share from 0 to 1", String(p));
      if (total === 0) return undefined;
      if (p === 0 || p === 1) return p === 0 ? least : most;
      let seen = 0;
      for (let at = 0; at < bins.length; at++) {
        seen += bins[at] as number;
        if (seen < p * total || seen === 0) continue;
        const middle = 2 ** (octaves.from + (at + 0.5) / perOctave);
        return Math.max(least, Math.min(most, middle));
      }
      return most;
    },
  };
}
