import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiply } from "../../linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../linalg/orthonormal.ts";
import type { Random } from "../../linalg/random.ts";
import { type Affine, intercept } from "../fit/fit-ridge.ts";
import type { CrossMoments, Moments } from "../moments.ts";
import { bootstrapR2, quantile } from "./bootstrap-r2.ts";
import { effectiveRank } from "./effective-rank.ts";
import type { MapScores, PredictionScore, Quartiles } from "./map-scores.ts";
import { type HeldPair, predictAffine, type RowErrors, scoreRows } from "./score-rows.ts";
import { withoutRelation } from "./without-relation.ts";

/** What a map is scored with. */
export interface ScoreMapData {
  /** Moments of the rows that fitted it. */
  readonly training: Moments;
  /** The source rows beside target rows of other windows. */
  readonly shuffled: CrossMoments;
  readonly heldOut: readonly HeldPair[];
}

export interface ScoreMapOptions {
  /** The same fit for other rows. */
  readonly refit: (moments: Moments) => Affine;
  readonly random: Random;
}

/** The scores that need no other maps, nor how rows were read. */
export type PlainScores = Omit<MapScores, "tokenIdentity" | "learningCurve" | "roundTrip" | "sourceGains" | "weighted">;

/**
 * Scores a map on held-out windows, with an interval, beside three nulls.
 *
 * - mean: ȳ of the training rows for every row.
 * - shuffled: the same fit, same penalty, on the training rows beside target rows of other windows.
 * - random orthogonal: c Q x with Q random semi-orthogonal and c the best single scale on the training rows.
 * - interval: groups of windows drawn anew with replacement, 1000 times; SSE and SST are summed over what was drawn.
 */
export function scoreMap(
  map: Affine,
  { training, shuffled, heldOut }: ScoreMapData,
  { refit, random }: ScoreMapOptions,
): PlainScores {
  const centre = training.meanY;
  const score = (affine: Affine): RowErrors => scoreRows(predictAffine(affine), heldOut, centre);
  const errors = score(map);
  const r2ByDimension = errors.sseByDimension.map((sse, i) => {
    const sst = errors.sstByDimension[i] as number;
    return sst > 0 ? 1 - sse / sst : Number.NaN;
  });
  const mean = { A: createMatrix(map.A.rows, map.A.cols), p: centre };
  const varying = r2ByDimension.filter(Number.isFinite).sort();
  return {
    ...toScore(errors),
    rows: errors.rows,
    windows: heldOut.length,
    r2Interval: bootstrapR2(errors.groups, random),
    r2PerDimension: toQuartiles(varying),
    ...(varying.length > 0 && { explainedVariance: varying.reduce((sum, value) => sum + value, 0) / varying.length }),
    r2ByDimension,
    mse: errors.sse / (errors.weight * centre.length),
    effectiveRank: effectiveRank(map, training),
    nulls: {
      mean: toScore(score(mean)),
      // Where no unit had two windows to shuffle there is nothing to fit: all that is known is the mean.
      shuffled: toScore(score(shuffled.n > 0 ? refit(withoutRelation(training, shuffled)) : mean)),
      randomOrthogonal: toScore(score(fitRandomOrthogonal(training, random))),
    },
  };
}

function toScore({ r2, cosine }: RowErrors): PredictionScore {
  return { r2, cosine };
}

/** Quartiles of ascending values. */
function toQuartiles(sorted: Float64Array): Quartiles {
  return { lower: quantile(sorted, 0.25), median: quantile(sorted, 0.5), upper: quantile(sorted, 0.75) };
}

function fitRandomOrthogonal({ Cxx, Cyx, meanX, meanY }: Moments, random: Random): Affine {
  const Q = randomSemiOrthogonal(Cyx.rows, Cyx.cols, random);
  const squares = inner(multiply(Q, Cxx), Q);
  const scale = squares > 0 ? inner(Q, Cyx) / squares : 0;
  const A = createMatrix(
    Q.rows,
    Q.cols,
    Q.data.map((value) => scale * value),
  );
  return { A, p: intercept(A, meanX, meanY) };
}

function inner(A: Matrix, B: Matrix): number {
  return A.data.reduce((sum, value, at) => sum + value * (B.data[at] as number), 0);
}
