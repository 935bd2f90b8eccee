import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply } from "../linalg/multiply.ts";
import { randomSemiOrthogonal } from "../linalg/orthonormal.ts";
import type { Random } from "../linalg/random.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import type { CollectedRows } from "./collect-rows.ts";
import { type Affine, fitRidgePath, intercept, type RidgePath } from "./fit-ridge.ts";
import type { Interval, MapScores, PredictionScore, Quartiles, TokenIdentityScore } from "./map-scores.ts";
import { diagonal, type Moments } from "./moments.ts";
import { toResidualMoments, toValidationResiduals } from "./residual-moments.ts";
import { type Predict, predictAffine, type RowErrors, scoreRows } from "./score-rows.ts";

/** The map to score, and the regression it came from. */
export interface ScoreMapOptions {
  readonly map: Affine;
  readonly path: RidgePath;
  readonly lambda: number;
  /** Penalties that may be chosen for the map on residuals; default as for the map itself. */
  readonly lambdas?: readonly number[] | undefined;
  readonly random: Random;
}

const resamples = 1000;
const level = 0.95;

/**
 * Scores a map on held-out windows, with an interval, beside three nulls and the token table.
 *
 * - mean: ȳ of the training rows for every row.
 * - shuffled: the same regression, same λ, on the training rows paired at random.
 * - random orthogonal: c Q x with Q random semi-orthogonal and c the best single scale on the training rows.
 * - token identity: see {@link TokenIdentityScore}. With m(t) the training means of token t in both models, the table predicts
 *   m_y(t); the map on residuals B is the same regression of y − m_y(t) on x − m_x(t), its λ chosen anew on the validation rows, and
 *   predicts m_y(t) + B (x − m_x(t)). `beyond` = 1 − SSE of that/SSE of the table, on held-out rows; tokens the training rows lack get the global means.
 * - interval: windows drawn anew with replacement, 1000 times; SSE and SST are summed over what was drawn.
 */
export function scoreMap(collected: CollectedRows, { map, path, lambda, lambdas, random }: ScoreMapOptions): MapScores {
  const { train, shuffled, heldOut } = collected;
  const centre = train.meanY;
  const score = (affine: Affine): RowErrors => scoreRows(predictAffine(affine), heldOut, centre);
  const errors = score(map);
  const r2ByDimension = toR2ByDimension(errors);
  const varying = r2ByDimension.filter(Number.isFinite);
  // Shuffling leaves the source rows as they were, so their decomposition serves again.
  const unrelated = fitRidgePath(shuffled, path.basis).solve(lambda);
  return {
    ...toScore(errors),
    rows: errors.rows,
    windows: heldOut.length,
    r2Interval: bootstrapInterval(errors, random),
    r2PerDimension: toQuartiles(varying),
    ...(varying.length > 0 && { explainedVariance: varying.reduce((sum, value) => sum + value, 0) / varying.length }),
    r2ByDimension,
    mse: errors.sse / (errors.rows * centre.length),
    nulls: {
      mean: toScore(score({ A: createMatrix(map.A.rows, map.A.cols), p: centre })),
      shuffled: toScore(score(unrelated)),
      randomOrthogonal: toScore(score(fitRandomOrthogonal(train, random))),
    },
    tokenIdentity: scoreTokenIdentity(collected, lambdas),
  };
}

function toScore({ r2, cosine }: RowErrors): PredictionScore {
  return { r2, cosine };
}

function bootstrapInterval({ sseByWindow, sstByWindow }: RowErrors, random: Random): Interval {
  const values = Float64Array.from({ length: resamples }, () => {
    let sse = 0;
    let sst = 0;
    for (let draw = 0; draw < sseByWindow.length; draw++) {
      const w = random.integer(sseByWindow.length);
      sse += sseByWindow[w] as number;
      sst += sstByWindow[w] as number;
    }
    return 1 - sse / sst;
  }).sort();
  const tail = (1 - level) / 2;
  return { low: quantile(values, tail), high: quantile(values, 1 - tail), level, resamples };
}

/** R² by dimension; NaN for those that do not vary on the held-out rows. */
function toR2ByDimension({ sseByDimension, sstByDimension }: RowErrors): Float64Array {
  return sseByDimension.map((sse, i) => {
    const r2 = 1 - sse / (sstByDimension[i] as number);
    return Number.isFinite(r2) ? r2 : Number.NaN;
  });
}

function toQuartiles(r2s: Float64Array): Quartiles {
  const values = r2s.toSorted();
  return { lower: quantile(values, 0.25), median: quantile(values, 0.5), upper: quantile(values, 0.75) };
}

/** The q-quantile of ascending values, linear between neighbours (numpy's default); 0 for none. */
function quantile(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? 0;
  return low + (place - Math.floor(place)) * (high - low);
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

function scoreTokenIdentity(
  { train, table, validation, validationTable, heldOut }: CollectedRows,
  lambdas: readonly number[] | undefined,
): TokenIdentityScore {
  const { meanX, meanY } = train;
  const path = fitRidgePath(toResidualMoments(train, table));
  const residuals = toValidationResiduals({ moments: validation, table: validationTable }, { moments: train, table });
  // Where the token decides the whole state, as in a model without context, there is nothing left to choose by.
  const hasRest = diagonal(residuals.Cyy).some((value) => value > 0);
  const lambda = hasRest ? chooseLambda(path, residuals, lambdas ?? defaultLambdas(path)).lambda : 1;
  const residualMap = path.solve(lambda);
  const predictResidual = predictAffine({ A: residualMap.A, p: new Float64Array(meanY.length) });
  const fallback = { x: meanX, y: meanY };
  let unseen = 0;

  const predictTable: Predict = ({ tokens }) => {
    const result = createMatrix(tokens.length, meanY.length);
    tokens.forEach((token, row) => {
      result.data.set((table.find(token) ?? fallback).y, row * meanY.length);
    });
    return result;
  };
  const predictBoth: Predict = (window) => {
    const result = predictTable(window);
    const X = window.X.slice();
    window.tokens.forEach((token, row) => {
      const means = table.find(token);
      if (!means) unseen++;
      const { x } = means ?? fallback;
      for (let j = 0; j < x.length; j++) {
        const at = row * x.length + j;
        X[at] = (X[at] as number) - (x[j] as number);
      }
    });
    const beyond = predictResidual({ ...window, X }).data;
    for (let at = 0; at < beyond.length; at++) result.data[at] = (result.data[at] as number) + (beyond[at] as number);
    return result;
  };

  const alone = scoreRows(predictTable, heldOut, meanY);
  const both = scoreRows(predictBoth, heldOut, meanY);
  return {
    table: alone.r2,
    beyond: hasRest && alone.sse > 0 ? 1 - both.sse / alone.sse : 0,
    tokensSeen: table.size,
    unseenShare: unseen / both.rows,
  };
}
