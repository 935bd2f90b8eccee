import { fitLogisticRows, type LogisticOptions } from "./logistic-rows.ts";
import { pairDifferences, toNaturalLength } from "./pair-differences.ts";
import type { PairRows } from "./read-pair-rows.ts";

export type ProbeOptions = LogisticOptions;

/**
 * Fits a logistic probe that tells positive rows from negative ones ({@link fitLogisticRows}), and returns its weights as a direction of
 * activation space, `[width]`: the gradient of the log-odds with respect to x. Unlike a difference of means it turns away from dimensions that
 * vary for other reasons. Returned with the root mean square projection of the pair differences as its length.
 *
 * @throws bad-input if λ is not above 0; internal if Newton's method does not converge
 */
export function probeDirection(rows: PairRows, options: ProbeOptions = {}): Float64Array {
  const { pairs, width, positive, negative } = rows;
  const data = new Float32Array(2 * pairs * width);
  data.set(positive);
  data.set(negative, positive.length);
  const labels = new Uint8Array(2 * pairs).fill(1, 0, pairs);
  const { weights } = fitLogisticRows({ rows: 2 * pairs, width, data, labels }, options);
  return toNaturalLength(weights, pairDifferences(rows));
}
