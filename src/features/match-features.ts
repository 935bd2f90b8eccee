import { mismatch } from "../errors.ts";
import { createPairSums } from "./pair-sums.ts";
import type { SparseRows } from "./sparse-rows.ts";

/** A feature of one autoencoder and the feature of another that is most often active with it. */
export interface FeatureMatch {
  readonly source: number;
  readonly target: number;
  /** Pearson correlation of their activations over the rows. */
  readonly correlation: number;
}

/** Sums of two autoencoders' codes over the same rows. */
export interface GrowingMatches {
  /** Adds codes of the same rows: of the source, of the target. */
  add(source: SparseRows, target: SparseRows): void;
  /** Matches one to one, best first; see {@link createMatches}. */
  matches(options?: { readonly least?: number; readonly leastActive?: number }): readonly FeatureMatch[];
}

/**
 * Opens the sums that tell which features of two autoencoders belong together, by when they are active, not by what they write.
 *
 * `matches` pairs greedily by correlation: the two features that agree most first, each feature once, down to `least` (default 0.3), among those
 * active in at least `leastActive` rows (default 10). A row costs the product of the active features of both.
 *
 * @throws bad-input from `add` for different numbers of rows
 */
export function createMatches(sourceFeatures: number, targetFeatures: number): GrowingMatches {
  let n = 0;
  const source = createSums(sourceFeatures);
  const target = createSums(targetFeatures);
  const products = createPairSums(targetFeatures);
  return {
    add(a, b) {
      if (a.rows !== b.rows || a.cols !== sourceFeatures || b.cols !== targetFeatures)
        throw mismatch(
          "bad-input",
          "codes to match",
          `equally many rows of ${sourceFeatures} and ${targetFeatures} features`,
          `${a.rows} of ${a.cols} and ${b.rows} of ${b.cols}`,
        );
      n += a.rows;
      source.add(a);
      target.add(b);
      for (let row = 0; row < a.rows; row++)
        for (let i = a.offsets[row] as number; i < (a.offsets[row + 1] as number); i++) {
          const [feature, value] = [a.indices[i] as number, a.values[i] as number];
          for (let j = b.offsets[row] as number; j < (b.offsets[row + 1] as number); j++)
            products.add(feature, b.indices[j] as number, value * (b.values[j] as number));
        }
    },
    matches({ least = 0.3, leastActive = 10 } = {}) {
      const found: FeatureMatch[] = [];
      products.forEach((i, j, product) => {
        if ((source.active[i] as number) < leastActive || (target.active[j] as number) < leastActive) return;
        const covariance = product / n - source.mean(i, n) * target.mean(j, n);
        const correlation = covariance / Math.sqrt(source.variance(i, n) * target.variance(j, n));
        if (correlation >= least) found.push({ source: i, target: j, correlation });
      });
      // Of equals, the lower features: the order of the rows must not matter.
      found.sort((a, b) => b.correlation - a.correlation || a.source - b.source || a.target - b.target);
      const [usedSource, usedTarget] = [new Set<number>(), new Set<number>()];
      return found.filter(({ source: i, target: j }) => {
        if (usedSource.has(i) || usedTarget.has(j)) return false;
        usedSource.add(i);
        usedTarget.add(j);
        return true;
      });
    },
  };
}

function createSums(features: number) {
  const [sums, squares] = [new Float64Array(features), new Float64Array(features)];
  const active = new Int32Array(features);
  const mean = (j: number, n: number): number => (sums[j] as number) / n;
  return {
    active,
    mean,
    variance: (j: number, n: number): number => (squares[j] as number) / n - mean(j, n) ** 2,
    add({ indices, values }: SparseRows): void {
      indices.forEach((j, k) => {
        const value = values[k] as number;
        sums[j] = (sums[j] as number) + value;
        squares[j] = (squares[j] as number) + value * value;
        active[j] = (active[j] as number) + 1;
      });
    },
  };
}
