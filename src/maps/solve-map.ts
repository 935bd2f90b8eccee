import type { ModelIdentity } from "../engine/description.ts";
import type { Site } from "../engine/site.ts";
import { seededRandom } from "../linalg/random.ts";
import type { AffineMap, FitRecord, RowCounts } from "./affine-map.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import type { CollectedRows } from "./collect-rows.ts";
import { fitRidgePath } from "./fit-ridge.ts";
import { scoreMap } from "./score-map.ts";

export interface SolveMapOptions {
  readonly source: { readonly model: ModelIdentity; readonly site: Site };
  readonly target: { readonly model: ModelIdentity; readonly site: Site };
  readonly lambdas?: readonly number[] | undefined;
  readonly seed: number;
  readonly record: Pick<FitRecord, "corpus" | "context" | "version" | "createdAt">;
  readonly counts: Pick<RowCounts, "total" | "leftOut">;
}

/** Below this many training rows per source dimension the coefficients are mostly penalty or noise. */
const minRowsPerDimension = 10;
/** Above this condition number some directions of the source barely occurred. */
const maxCondition = 1e8;

/** Solves and scores a map from collected rows; see `fitMap`. */
export function solveMap(
  collected: CollectedRows,
  { source, target, lambdas, seed, record, counts }: SolveMapOptions,
): { readonly map: AffineMap; readonly warnings: readonly string[] } {
  const { train, validation, medianNorm } = collected;
  const path = fitRidgePath(train);
  const { lambda, tried } = chooseLambda(path, validation, lambdas ?? defaultLambdas(path));
  const affine = path.solve(lambda);
  const scores = scoreMap(collected, { map: affine, path, lambda, lambdas, random: seededRandom(seed) });
  const fit: FitRecord = {
    method: lambda === 0 ? "ols" : "ridge",
    lambda,
    tried,
    condition: path.basis.condition,
    seed,
    rows: { ...counts, train: train.n, validation: validation.n, heldOut: scores.rows },
    space: "standardised",
    choice: tried.length > 1 ? "validation" : "given",
    rowSelection: "all",
    ...record,
  };
  const map: AffineMap = {
    sources: [{ ...source, medianNorm: medianNorm.source }],
    target: { ...target, medianNorm: medianNorm.target },
    ...affine,
    fit,
    scores,
  };
  return { map, warnings: toWarnings(map) };
}

function toWarnings({ A, fit, scores }: AffineMap): string[] {
  const warnings: string[] = [];
  const perDimension = fit.rows.train / A.cols;
  if (perDimension < minRowsPerDimension)
    warnings.push(
      `${perDimension.toFixed(1)} training rows per source dimension; below ${minRowsPerDimension} a map is mostly penalty or noise: read more text`,
    );
  if (fit.rows.leftOut.sink > 0)
    warnings.push(
      `${fit.rows.leftOut.sink} of ${fit.rows.total} rows were longer than 10 times the median and left out`,
    );
  if (!(fit.condition <= maxCondition))
    warnings.push(
      `the source states are nearly dependent (condition ${fit.condition.toExponential(1)}): some directions barely occurred in this text`,
    );
  const largest = Math.max(...fit.tried.map((entry) => entry.lambda));
  if (fit.tried.length > 1 && fit.lambda === largest)
    warnings.push(`the largest penalty tried (${largest}) was chosen: the rows say little about the map`);
  if (scores.r2Interval.low <= 0)
    warnings.push("held-out R² is not clearly above zero: the map predicts no better than the mean");
  if (scores.tokenIdentity.beyond <= 0)
    warnings.push("the map explains nothing beyond the identity of the current token");
  return warnings;
}
