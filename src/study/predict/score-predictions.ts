import { bootstrapIntervals } from "../../evaluate/bootstrap.ts";
import { leastSquaresSlope, mean, meanSquaredError, pearson, spearman, toFinite } from "../../evaluate/statistics.ts";
import type { PredictionAgreement } from "./predict-result.ts";

/** The numbers of an agreement, in the order in which they are computed. */
const scores = ["pearson", "spearman", "sign", "slope", "mse", "skill", "gainOverSmall"] as const;

/**
 * Scores predicted changes of items against the true ones, all predictions on the same bootstrap draws of items.
 *
 * @param predictions - each over the items
 * @param small - what the small model itself changes by: what a prediction has to beat
 * @throws bad-input if the lengths differ
 */
export function scorePredictions(
  predictions: readonly (readonly number[])[],
  truth: readonly number[],
  small: readonly number[],
  options: { readonly seed: number; readonly resamples?: number },
): PredictionAgreement[] {
  const of = (units: Int32Array): number[] => {
    const pick = (values: readonly number[]): Float64Array => Float64Array.from(units, (unit) => values[unit]!);
    const [drawn, own] = [pick(truth), pick(small)];
    return predictions.flatMap((values) => agreementOf(pick(values), drawn, own));
  };
  const values = of(Int32Array.from(truth.keys()));
  const intervals = bootstrapIntervals(truth.length, of, options);
  return predictions.map((_, at) => {
    const estimate = (score: number) => {
      const place = at * scores.length + score;
      return { value: toFinite(values[place]!), interval: intervals[place] ?? null };
    };
    return Object.fromEntries(scores.map((name, score) => [name, estimate(score)])) as unknown as PredictionAgreement;
  });
}

/** The scores of one prediction, for nulls of many draws. */
export function scoreOnce(
  predicted: readonly number[],
  truth: readonly number[],
): { readonly pearson: number | null; readonly skill: number | null } {
  const [r, , , , , skill] = agreementOf(
    Float64Array.from(predicted),
    Float64Array.from(truth),
    Float64Array.from(truth),
  );
  return { pearson: toFinite(r!), skill: toFinite(skill!) };
}

function agreementOf(predicted: Float64Array, truth: Float64Array, small: Float64Array): number[] {
  const mse = meanSquaredError(predicted, truth);
  const moved = Array.from(truth.keys()).filter((i) => truth[i] !== 0);
  const right = moved.filter((i) => Math.sign(predicted[i]!) === Math.sign(truth[i]!));
  return [
    pearson(predicted, truth),
    spearman(predicted, truth),
    right.length / moved.length,
    leastSquaresSlope(predicted, truth),
    mse,
    1 - mse / mean(truth.map((value) => value * value)),
    meanSquaredError(small, truth) - mse,
  ];
}
