import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { BlockName } from "../joint-moments.ts";
import { formatLayers, type MapLayers } from "../layer-plan.ts";
import type { Collection, CollectionPlan } from "./collection.ts";

/** Places of a map's layers among the sites of a collection. @throws bad-input for layers that were not collected */
export function sitesOf(
  { sourceSites, targetSites }: CollectionPlan,
  layers: MapLayers,
): { readonly sources: readonly number[]; readonly target: number } {
  const sources = layers.sources.map((layer) => siteOf(sourceSites, layer, "source"));
  return { sources, target: sourceSites.length + siteOf(targetSites, layers.target, "target") };
}

function siteOf(sites: readonly Site[], layer: number, what: string): number {
  const found = sites.findIndex((site) => site.layer === layer);
  if (found < 0)
    throw mismatch(
      "bad-input",
      `${what} layer`,
      `one of ${sites.map((site) => site.layer).join(", ")}`,
      String(layer),
      {
        hint: "only layers that were collected can be fitted",
      },
    );
  return found;
}

/** A collection with the products that some maps need. @throws bad-input for no maps, or layers that were not collected together */
export function onlyProducts(collection: Collection, maps: readonly MapLayers[]): Collection {
  const { plan, parts } = collection;
  if (maps.length === 0) throw mismatch("bad-input", "layers", "at least one map", "none");
  const needed = new Set<string>();
  for (const layers of maps) {
    const { sources, target } = sitesOf(plan, layers);
    for (const a of [...sources, target]) for (const b of [...sources, target]) if (a >= b) needed.add(`${a}:${b}`);
    const missing = [...needed].find((name) => !plan.blocks.some(({ row, col }) => `${row}:${col}` === name));
    if (missing !== undefined)
      throw mismatch("bad-input", "layers", "layers that were collected together", formatLayers(layers), {
        hint: "collect moments with these --layers",
      });
  }
  const isNeeded = ({ row, col }: BlockName): boolean => needed.has(`${row}:${col}`);
  return {
    ...collection,
    plan: { ...plan, blocks: plan.blocks.filter(isNeeded) },
    parts: parts.map((part) => ({ ...part, blocks: part.blocks.filter(isNeeded) })),
  };
}
