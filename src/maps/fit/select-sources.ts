import type { JointMoments } from "../joint-moments.ts";
import { type Moments, toGroupMoments } from "../moments.ts";
import { scoreMoments } from "../score/score-moments.ts";
import type { Affine } from "./fit-ridge.ts";

/** A source site that joins those before it, by position, and the validation R² of the map from all so far. */
export interface SelectedSource {
  readonly site: number;
  readonly r2: number;
}

export interface SelectSourcesOptions {
  /** Fits every map that is tried. */
  readonly fit: (moments: Moments) => Affine;
  /** Sites taken at most; default all. */
  readonly most?: number | undefined;
  /** Ends once a further site would add no more than this to the validation R². Default: goes on to the end. */
  readonly leastGain?: number | undefined;
}

/**
 * Orders source sites by what each adds, greedily: the best alone first, then the one that raises the validation R² most, and so on.
 *
 * Every candidate is a map from the joined states. k candidates cost about k²/2 fits; by ridge regression at one penalty the largest
 * takes `(k · d)³/3` multiplications.
 *
 * @see Efroymson, "Multiple regression analysis", Mathematical Methods for Digital Computers (1960): forward selection
 */
export function selectSources(
  { training, validation }: { readonly training: JointMoments; readonly validation: JointMoments },
  { sources, target }: { readonly sources: readonly number[]; readonly target: number },
  { fit, most = sources.length, leastGain = Number.NEGATIVE_INFINITY }: SelectSourcesOptions,
): SelectedSource[] {
  const selected: SelectedSource[] = [];
  while (selected.length < Math.min(most, sources.length)) {
    const taken = selected.map(({ site }) => site);
    const candidates = sources
      .filter((site) => !taken.includes(site))
      .map((site) => {
        const group = [...taken, site];
        const map = fit(toGroupMoments(training, group, target));
        return { site, r2: scoreMoments(map, toGroupMoments(validation, group, target)).r2 };
      });
    const best = candidates.reduce((a, b) => (b.r2 > a.r2 ? b : a));
    const before = selected.at(-1);
    if (before && !(best.r2 - before.r2 > leastGain)) break;
    selected.push(best);
  }
  return selected;
}
