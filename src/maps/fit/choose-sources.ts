import { mismatch } from "../../errors.ts";
import type { FittingMoments } from "../collect/fitting-moments.ts";
import { type Moments, toGroupMoments } from "../moments.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import { fitRidge, fitRidgePath } from "./fit-ridge.ts";
import { type SelectSourcesOptions, selectSources } from "./select-sources.ts";

/** Below this gain of validation R² a further source layer is not worth its width. */
const leastGain = 1e-3;

/**
 * The sources named, or those of them that add most, in the order named: at most `maxSources`, and none that adds less than 0.001 to the R²
 * of the validation rows.
 *
 * Candidates are ridge regressions at the penalty that the first source alone would choose.
 */
export function chooseSources(
  moments: FittingMoments,
  named: readonly number[],
  target: number,
  maxSources: number | undefined,
): readonly number[] {
  if (maxSources === undefined || named.length <= maxSources) return named;
  const first = [named[0] as number];
  const path = fitRidgePath(toGroupMoments(moments.withoutValidation, first, target));
  const { lambda } = chooseLambda(path, toGroupMoments(moments.validation, first, target), defaultLambdas(path));
  const fit = (group: Moments) => fitRidge(group, { lambda });
  const chosen = orderSources(moments, { sources: named, target }, { fit, most: maxSources, leastGain });
  return named.filter((site) => chosen.includes(site));
}

/** Sources in the order of what they add on the validation rows, to maps that have not seen those. */
export function orderSources(
  { withoutValidation, validation }: FittingMoments,
  sites: { readonly sources: readonly number[]; readonly target: number },
  options: SelectSourcesOptions,
): number[] {
  return selectSources({ training: withoutValidation, validation }, sites, options).map(({ site }) => site);
}

/** Checks how many source layers a map may keep. @throws bad-input for anything but an integer of at least 1, or none */
export function checkMaxSources(maxSources: number | undefined): void {
  if (maxSources !== undefined && !(Number.isSafeInteger(maxSources) && maxSources >= 1))
    throw mismatch("bad-input", "maxSources", "an integer of at least 1", String(maxSources));
}
