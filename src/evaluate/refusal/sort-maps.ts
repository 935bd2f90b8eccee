import type { ModelIdentity } from "../../engine/description.ts";
import { mismatch } from "../../errors.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { identityDifferences } from "../../vectors/identity-differences.ts";

/** Maps between two models, by the model they lead to. */
export interface SortedMaps {
  readonly toTarget: readonly AffineMap[];
  readonly toSource: readonly AffineMap[];
}

/**
 * Sorts maps by direction: from the source model to the target, or back. A map's ends are known by digest, or, for other quantisations, by architecture,
 * size and tokenizer.
 *
 * @throws incompatible for a map between other models; bad-input for two maps to one layer of one model
 */
export function sortMaps(maps: readonly AffineMap[], source: ModelIdentity, target: ModelIdentity): SortedMaps {
  const ends = ({ sources, target: end }: AffineMap) => [sources[0]!.model, end.model] as const;
  const fits = (map: AffineMap, from: ModelIdentity, to: ModelIdentity): number => {
    const [a, b] = ends(map);
    if (a.sha256 === from.sha256 && b.sha256 === to.sha256) return 2;
    return identityDifferences(a, from).length === 0 && identityDifferences(b, to).length === 0 ? 1 : 0;
  };
  const toTarget: AffineMap[] = [];
  const toSource: AffineMap[] = [];
  for (const map of maps) {
    const [there, back] = [fits(map, source, target), fits(map, target, source)];
    if (there === 0 && back === 0) {
      const [a, b] = ends(map);
      throw mismatch(
        "incompatible",
        "map",
        `one between ${source.name} and ${target.name}`,
        `one from ${a.name} to ${b.name}`,
        { hint: "trimtab inspect says what a map joins" },
      );
    }
    (there >= back ? toTarget : toSource).push(map);
  }
  for (const [list, { name }] of [
    [toTarget, target],
    [toSource, source],
  ] as const) {
    const layers = list.map((map) => map.target.site.layer);
    const twice = layers.find((layer, i) => layers.indexOf(layer) !== i);
    if (twice !== undefined)
      throw mismatch("bad-input", "maps", `one map to layer ${twice} of ${name}`, "more", {
        hint: "which of them is meant cannot be told; give one of the files",
      });
  }
  return { toTarget, toSource };
}
