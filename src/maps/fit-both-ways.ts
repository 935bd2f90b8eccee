import type { AffineMap } from "./affine-map.ts";
import type { Collection } from "./collect/collection.ts";
import { toFittingMoments } from "./collect/fitting-moments.ts";
import { reverseCollection } from "./collect/reverse-collection.ts";
import { type Affine, fitRidge } from "./fit/fit-ridge.ts";
import { fitCollection } from "./fit-map.ts";
import { toGroupCross, toGroupMoments } from "./moments.ts";
import { withoutRelation } from "./score/without-relation.ts";

/** Maps between one site of each of two models, fitted by ridge on the same rows, and the same fits where rows were wrongly paired. */
export interface MapsBothWays {
  /** From the collection's source to its target. */
  readonly forward: AffineMap;
  readonly backward: AffineMap;
  /** Fitted, with the same penalty, on source rows beside target rows of other windows: what is carried through these is carried by nothing. */
  readonly shuffled: { readonly forward: Affine; readonly backward: Affine };
  readonly warnings: readonly string[];
}

/**
 * Fits the maps of a collection both ways, from one reading of the text, and their nulls.
 *
 * @throws bad-input for a collection of more than one site a side, or too small to split
 */
export function fitBothWays(collection: Collection): MapsBothWays {
  const forward = fitOneWay(collection);
  const backward = fitOneWay(reverseCollection(collection));
  return {
    forward: forward.map,
    backward: backward.map,
    shuffled: { forward: forward.shuffled, backward: backward.shuffled },
    warnings: [...new Set([...forward.warnings, ...backward.warnings])],
  };
}

function fitOneWay(collection: Collection): {
  readonly map: AffineMap;
  readonly shuffled: Affine;
  readonly warnings: readonly string[];
} {
  const { sourceSites, targetSites } = collection.plan;
  const layers = { sources: sourceSites.map(({ layer }) => layer), target: targetSites[0]!.layer };
  const { maps, warnings } = fitCollection(collection, { layers: { kind: "pairs", maps: [layers] } });
  const map = maps[0]!;
  const sites = sourceSites.map((_, site) => site);
  const training = toGroupMoments(toFittingMoments(collection).training, sites, sites.length);
  const unrelated = withoutRelation(training, toGroupCross(collection.shuffled, sites, sites.length));
  return { map, shuffled: fitRidge(unrelated, { lambda: map.fit.lambda }), warnings };
}
