import { areaUnderCurve } from "../../vectors/area-under-curve.ts";
import { countClasses } from "../../vectors/logistic-rows.ts";

/** How well scores tell two classes. */
export interface ScoreMeasures {
  /** Share of rows on their side of 0; a score of exactly 0 counts as no. */
  readonly accuracy: number;
  /** Chance that a positive row scores above a negative one, ties half: no threshold enters. */
  readonly auroc: number;
}

/** Measures scores `[n]` against labels `[n]`. @throws bad-input if a class has no rows */
export function measureScores(scores: Float64Array, labels: Uint8Array): ScoreMeasures {
  countClasses({ rows: scores.length, labels });
  return {
    accuracy: accuracyOf(scores, labels),
    auroc: areaUnderCurve(
      scores.filter((_, i) => labels[i] === 1),
      scores.filter((_, i) => labels[i] !== 1),
    ),
  };
}

function accuracyOf(scores: Float64Array, labels: Uint8Array): number {
  let right = 0;
  for (const [i, score] of scores.entries()) right += score > 0 === (labels[i] === 1) ? 1 : 0;
  return right / scores.length;
}
