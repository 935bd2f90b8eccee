import { fitRidge } from "./fit-ridge.ts";
import type { JointMoments } from "./joint-moments.ts";
import { toGroupMoments } from "./moments.ts";
import { scoreMoments } from "./score-moments.ts";

/** A source site that joins those before it, by position, and the validation R² of the map from all so far. */
export interface SelectedSource {
  readonly site: number;
  readonly r2: number;
}

export interface SelectSourcesOptions {
  /** Ridge penalty of every map tried. */
  readonly lambda: number;
  /** Sites taken at most; default all. */
  readonly most?: number | undefined;
  /** Ends once a further site would add no more than this to the validation R². Default: goes on to the end. */
  readonly leastGain?: number | undefined;
}

/**
 * Orders source sites by what each adds, greedily: the best alone first, then the one that raises the validation R² most, and so on.
 *
 * Every candidate is a ridge regression from the joined states at one penalty; k candidates cost about k²/2 solves, the largest of
 * `(k · d)³/3` multiplications.
 *
 * @see Efroymson, "Multiple regression analysis", Mathematical Methods for Digital Computers (1960): forward selection
 */
export function selectSources(
  { training, validation }: { readonly training: JointMoments; readonly validation: JointMoments },
  { sources, target }: { readonly sources: readonly number[]; readonly target: number },
  { lambda, most = sources.length, leastGain = Number.NEGATIVE_INFINITY }: SelectSourcesOptions,
): SelectedSource[] {
  const selected: SelectedSource[] = [];
  while (selected.length < Math.min(most, sources.length)) {
    const taken = selected.map(({ site }) => site);
    const candidates = sources
      .filter((site) => !taken.includes(site))
      .map((site) => {
        const group = [...taken, site];
        const map = fitRidge(toGroupMoments(training, group, target), { lambda });
        return { site, r2: scoreMoments(map, toGroupMoments(validation, group, target)).r2 };
      });
    const best = candidates.reduce((a, b) => (b.r2 > a.r2 ? b : a));
    const before = selected.at(-1);
    if (before && !(best.r2 - before.r2 > leastGain)) break;
    selected.push(best);
  }
  return selected;
}
