import { quantile } from "../../evaluate/statistics.ts";
import type { SparseRows } from "../../features/sparse-rows.ts";

/** How features of one autoencoder are active on the same tokens as those of another, feature by feature. */
export interface FeatureSurvival {
  /** Features active in at least `leastActive` rows on the old model: those that are judged. */
  readonly judged: number;
  /** Of those, features that are never active once carried. */
  readonly silent: number;
  /** Pearson correlation of a feature's activations on the old model and carried: quartiles over the features judged; silent ones are 0. */
  readonly correlation: { readonly lower: number; readonly median: number; readonly upper: number };
  /** Share of the features judged with a correlation above 0.5. */
  readonly survives: number;
  /** Correlation of each feature `[features]`; NaN for those not judged. */
  readonly byFeature: Float64Array;
}

/** Fewer rows would make a correlation of chance. */
export const leastActive = 10;

/**
 * Correlates the activations of every feature on the old model's states with those of the carried feature on the new model's, over the
 * same tokens.
 *
 * @param before - `[n, features]`
 * @param after - `[n, features]`
 */
export function measureSurvival(before: SparseRows, after: SparseRows): FeatureSurvival {
  const { rows: n, cols } = before;
  const [f, g] = [sumFeatures(before), sumFeatures(after)];
  const products = new Float64Array(cols);
  const row = new Float64Array(cols);
  for (let i = 0; i < n; i++) {
    const [start, end] = [before.offsets[i]!, before.offsets[i + 1]!];
    for (let at = start; at < end; at++) row[before.indices[at]!] = before.values[at]!;
    for (let at = after.offsets[i]!; at < after.offsets[i + 1]!; at++) {
      const j = after.indices[at]!;
      products[j] = products[j]! + row[j]! * after.values[at]!;
    }
    for (let at = start; at < end; at++) row[before.indices[at]!] = 0;
  }
  const byFeature = new Float64Array(cols).fill(Number.NaN);
  let silent = 0;
  for (let j = 0; j < cols; j++) {
    if (f.counts[j]! < leastActive) continue;
    if (g.counts[j] === 0) silent++;
    const covariance = products[j]! / n - (f.sums[j]! / n) * (g.sums[j]! / n);
    const spread = Math.sqrt(variance(f, j, n) * variance(g, j, n));
    byFeature[j] = spread > 0 ? covariance / spread : 0;
  }
  const judged = byFeature.filter((value) => !Number.isNaN(value));
  return {
    judged: judged.length,
    silent,
    correlation: {
      lower: quantile(judged, 0.25),
      median: quantile(judged, 0.5),
      upper: quantile(judged, 0.75),
    },
    survives: judged.filter((value) => value > 0.5).length / judged.length,
    byFeature,
  };
}

interface FeatureSums {
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

function sumFeatures({ cols, indices, values }: SparseRows): FeatureSums {
  const [counts, sums, squares] = [new Float64Array(cols), new Float64Array(cols), new Float64Array(cols)];
  for (const [at, j] of indices.entries()) {
    const value = values[at]!;
    counts[j] = counts[j]! + 1;
    sums[j] = sums[j]! + value;
    squares[j] = squares[j]! + value * value;
  }
  return { counts, sums, squares };
}

function variance({ sums, squares }: FeatureSums, j: number, n: number): number {
  return Math.max(0, squares[j]! / n - (sums[j]! / n) ** 2);
}
