import { areaUnderCurve } from "./area-under-curve.ts";
import { project } from "./pair-differences.ts";
import type { PairRows } from "./read-pair-rows.ts";

/** How well a direction tells the two sides of pairs it was not fitted on; undefined below four pairs. */
export interface Separation {
  /** Share of pairs whose positive side projects higher than its negative side. Chance is 0.5. */
  readonly positiveShare: number;
  /** Chance that some positive row projects higher than some negative row, ties half (area under the ROC curve). Chance is 0.5. */
  readonly auc: number;
  /** Distance of the sides' mean projections in units of their pooled standard deviation. */
  readonly dPrime: number;
}

/** Fits a direction, `[width]`, from the rows of a contrast set. */
export type FitDirection = (rows: PairRows) => Float64Array;

/**
 * Measures separation on held-out pairs: fits on the pairs with even index and measures on the odd ones, then the other way round, and
 * averages both.
 */
export function crossValidate(rows: PairRows, fit: FitDirection): Separation | undefined {
  if (rows.pairs < 4) return undefined;
  const halves = [0, 1].map((parity) => takePairs(rows, (i) => i % 2 === parity)) as [PairRows, PairRows];
  const [a, b] = [measureSeparation(halves[1], fit(halves[0])), measureSeparation(halves[0], fit(halves[1]))];
  return {
    positiveShare: (a.positiveShare + b.positiveShare) / 2,
    auc: (a.auc + b.auc) / 2,
    dPrime: (a.dPrime + b.dPrime) / 2,
  };
}

/** Measures how well a direction `[width]` separates the two sides of the given rows. */
export function measureSeparation(rows: PairRows, direction: Float64Array): Separation {
  const { pairs, width } = rows;
  const on = (side: Float32Array): Float64Array =>
    project({ rows: pairs, cols: width, data: Float64Array.from(side) }, direction);
  const [positive, negative] = [on(rows.positive), on(rows.negative)];
  const above = positive.reduce((sum, x, i) => sum + (x > negative[i]! ? 1 : x === negative[i]! ? 0.5 : 0), 0);
  const [p, n] = [meanAndVariance(positive), meanAndVariance(negative)];
  const deviation = Math.sqrt((p.variance + n.variance) / 2);
  const difference = p.mean - n.mean;
  return {
    positiveShare: above / pairs,
    auc: areaUnderCurve(positive, negative),
    dPrime: difference === 0 ? 0 : difference / deviation,
  };
}

function meanAndVariance(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}

function takePairs(rows: PairRows, isTaken: (index: number) => boolean): PairRows {
  const { width } = rows;
  const indexes = Array.from({ length: rows.pairs }, (_, i) => i).filter(isTaken);
  const take = (side: Float32Array): Float32Array => {
    const taken = new Float32Array(indexes.length * width);
    for (const [to, from] of indexes.entries()) taken.set(side.subarray(from * width, (from + 1) * width), to * width);
    return taken;
  };
  return { pairs: indexes.length, width, positive: take(rows.positive), negative: take(rows.negative) };
}
