import { mismatch } from "../../errors.ts";
import type { Collection } from "../../maps/collect/collection.ts";
import { toFittingMoments } from "../../maps/collect/fitting-moments.ts";
import { tokenMean } from "../../maps/collect/token-sums.ts";
import { type Affine, decomposeSource, fitRidgePath, type SourceBasis } from "../../maps/fit/fit-ridge.ts";
import { fitWith } from "../../maps/fit/fit-with.ts";
import { toGroupCross, toPairMoments } from "../../maps/moments.ts";
import { scoreMoments } from "../../maps/score/score-moments.ts";
import { withoutRelation } from "../../maps/score/without-relation.ts";

/** A map between two layers with what it scores, and the same fit on pairs without a relation. */
export interface PairMap {
  readonly map: Affine;
  readonly shuffled: Affine;
  readonly lambda: number;
  readonly r2: number;
}

/** Maps between any two layers of a collection, by one fit. */
export interface PairMaps {
  /** Rows that the maps are fitted on. */
  readonly rows: number;
  of(source: number, target: number): PairMap;
  /** Mean state of a target layer, `[dTarget]`. */
  mean(target: number): Float64Array;
  /** Mean state of a token there; undefined for one that was not seen. */
  tokenMean(token: number, target: number): Float64Array | undefined;
}

/** Opens the maps of a collection; what the maps of one source layer share is computed once. */
export function openPairMaps(collection: Collection): PairMaps {
  const { plan, tokens, shuffled } = collection;
  const moments = toFittingMoments(collection);
  const bases = new Map<number, SourceBasis>();
  const siteOf = (sites: typeof plan.sourceSites, layer: number, from: number): number => {
    const at = sites.findIndex((site) => site.layer === layer);
    if (at < 0)
      throw mismatch("bad-input", "layer", `one of ${sites.map((site) => site.layer).join(", ")}`, `${layer}`);
    return from + at;
  };
  const targetSite = (layer: number): number => siteOf(plan.targetSites, layer, plan.sourceSites.length);
  return {
    rows: moments.rows.training,
    of(source, target) {
      const [from, to] = [siteOf(plan.sourceSites, source, 0), targetSite(target)];
      const training = toPairMoments(moments.training, from, to);
      const basis = bases.get(from) ?? decomposeSource(training);
      bases.set(from, basis);
      const { affine, record } = fitWith(
        { training, validation: toPairMoments(moments.validation, from, to), folds: undefined, basis },
        {},
      );
      const unrelated = withoutRelation(training, toGroupCross(shuffled, [from], to));
      return {
        map: affine,
        shuffled: fitRidgePath(unrelated, basis).solve(record.lambda),
        lambda: record.lambda,
        r2: scoreMoments(affine, toPairMoments(moments.heldOut, from, to)).r2,
      };
    },
    mean: (target) => moments.training.means[targetSite(target)] as Float64Array,
    tokenMean: (token, target) => tokenMean(tokens.fitted, token, targetSite(target)),
  };
}
