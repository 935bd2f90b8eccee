import type { Site } from "../../engine/site.ts";
import type { Collection } from "../collect/collection.ts";
import { type FittingMoments, toFittingMoments } from "../collect/fitting-moments.ts";
import type { MapLayers } from "../layer-plan.ts";
import { toPairMoments } from "../moments.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import { crossValidateLambda } from "./cross-validate-lambda.ts";
import { decomposeSource, fitRidgePath } from "./fit-ridge.ts";

/** The R² of one source and target site, on rows that chose its penalty and did not fit it. */
export interface PairScore {
  readonly source: number;
  readonly target: number;
  readonly lambda: number;
  readonly r2: number;
}

/**
 * Scores every source site against every target site by ridge regression, on the validation rows or across the folds.
 *
 * The source is decomposed once for all its targets. The R² is that of the best penalty on the very rows that chose it: good for
 * ranking pairs, a little high as a score (seventeen penalties are few against thousands of rows).
 */
export function scorePairs(
  { training, validation, folds }: FittingMoments,
  {
    sources,
    targets,
    lambdas,
  }: { sources: readonly number[]; targets: readonly number[]; lambdas?: readonly number[] | undefined },
): PairScore[] {
  return sources.flatMap((source) => {
    const basis = folds ? undefined : decomposeSource(toPairMoments(training, source, targets[0] as number));
    return targets.map((target) => {
      if (folds) {
        const found = crossValidateLambda(
          folds.map((fold) => toPairMoments(fold, source, target)),
          { lambdas },
        );
        const best = found.tried.find(({ lambda }) => lambda === found.lambda);
        return { source, target, lambda: found.lambda, r2: best?.r2 ?? Number.NaN };
      }
      const path = fitRidgePath(toPairMoments(training, source, target), basis);
      const { lambda, tried } = chooseLambda(
        path,
        toPairMoments(validation, source, target),
        lambdas ?? defaultLambdas(path),
      );
      const best = tried.find((entry) => entry.lambda === lambda);
      return { source, target, lambda, r2: best?.r2 ?? Number.NaN };
    });
  });
}

/**
 * For every target layer of a collection the source layer that predicts it best, of those that it was collected with.
 *
 * @throws bad-input if the validation rows do not vary
 */
export function choosePairs(collection: Collection, lambdas?: readonly number[] | undefined): MapLayers[] {
  const { sourceSites, targetSites, blocks } = collection.plan;
  const moments = toFittingMoments(collection);
  const scores = sourceSites.flatMap((_, source) => {
    const targets = targetSites
      .map((_, at) => sourceSites.length + at)
      .filter((target) => blocks.some(({ row, col }) => row === target && col === source));
    return targets.length > 0 ? scorePairs(moments, { sources: [source], targets, lambdas }) : [];
  });
  return targetSites.map(({ layer }, at) => {
    const best = scores
      .filter(({ target }) => target === sourceSites.length + at)
      .reduce((a, b) => (b.r2 > a.r2 ? b : a));
    return { sources: [(sourceSites[best.source] as Site).layer], target: layer };
  });
}
