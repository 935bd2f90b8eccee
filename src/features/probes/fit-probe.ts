import {
  classMeans,
  countClasses,
  fitLogisticRows,
  type LabelledRows,
  type Plane,
} from "../../vectors/logistic-rows.ts";
import type { Probe, ProbeKind } from "./probe.ts";

export interface FitProbeOptions {
  /** Default logistic. */
  readonly kind?: ProbeKind;
  /** Penalty of the logistic regression on standardised dimensions, λ/2 ‖w‖². Default 1. */
  readonly lambda?: number;
}

/** What of a probe the rows decide. */
export type FittedProbe = Pick<Probe, "weights" | "bias" | "centre">;

/**
 * Fits a linear probe to labelled rows.
 *
 * `logistic`: the penalised logistic regression of {@link fitLogisticRows}; scores are log-odds. `mean-difference`: w = μ⁺ − μ⁻ and the
 * threshold halfway, b = −w·(μ⁺ + μ⁻)/2: nothing is inverted, so it needs fewer rows and survives a map better, and it is blind to how
 * other things vary.
 *
 * @throws bad-input if a class has no rows, or λ is not above 0
 * @see Marks and Tegmark, arXiv 2310.06824 (difference of means as a probe); Alain and Bengio, arXiv 1610.01644
 */
export function fitProbe(rows: LabelledRows, { kind = "logistic", lambda }: FitProbeOptions = {}): FittedProbe {
  if (kind === "logistic")
    return { ...fitLogisticRows(rows, lambda === undefined ? {} : { lambda }), centre: undefined };
  const { positive, negative } = classMeans(rows);
  const weights = positive.map((value, j) => value - negative[j]!);
  const centre = positive.map((value, j) => (value + negative[j]!) / 2);
  return { weights, bias: -inner(weights, centre), centre };
}

/** The inner product of two vectors. */
export function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/**
 * Moves a probe's threshold to halfway between the mean scores of the two classes of a few labelled rows; its direction stays.
 *
 * @throws bad-input if a class has no rows
 */
export function recalibrate(plane: Plane, scores: Float64Array, labels: Uint8Array): Plane {
  const { positive, negative } = countClasses({ rows: scores.length, labels });
  let halfway = 0;
  for (const [i, score] of scores.entries()) halfway += score / (2 * (labels[i] === 1 ? positive : negative));
  return { weights: plane.weights, bias: plane.bias - halfway };
}
