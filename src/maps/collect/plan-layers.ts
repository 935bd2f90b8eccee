import { mismatch } from "../../errors.ts";
import type { BlockName } from "../joint-moments.ts";
import type { MapLayers, ResolvedLayerPlan } from "../layer-plan.ts";

/** Layers to read: those of the maps named, or some of both models, each with each. */
export type CollectedLayers =
  | { readonly kind: "maps"; readonly maps: readonly MapLayers[] }
  | { readonly kind: "all-pairs"; readonly sources: readonly number[]; readonly targets: readonly number[] };

/** Layers in ascending order and the products that are needed; sites are numbered sources first, then targets. */
export interface LayerProducts {
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly blocks: readonly BlockName[];
}

/**
 * Says which layers are read and which products kept: every site with itself, every target with its sources, and the sources of one map
 * with one another. Nothing else: memory is what the maps need, not the square of all that is read.
 *
 * @throws bad-input for no map at all or a layer out of range
 */
export function planLayers(layers: CollectedLayers, sourceBlocks: number, targetBlocks: number): LayerProducts {
  const maps: readonly MapLayers[] =
    layers.kind === "maps"
      ? layers.maps
      : layers.sources.flatMap((source) => layers.targets.map((target) => ({ sources: [source], target })));
  if (maps.length === 0) throw mismatch("bad-input", "layers", "at least one map", "none");
  const sources = ascending(maps.flatMap((map) => map.sources));
  const targets = ascending(maps.map(({ target }) => target));
  checkLayers(sources, sourceBlocks, "source layer");
  checkLayers(targets, targetBlocks, "target layer");
  const keys = new Set<string>();
  const add = (a: number, b: number): void => {
    keys.add(`${Math.max(a, b)}:${Math.min(a, b)}`);
  };
  for (let site = 0; site < sources.length + targets.length; site++) add(site, site);
  for (const map of maps) {
    const group = map.sources.map((layer) => sources.indexOf(layer));
    for (const a of group) {
      add(sources.length + targets.indexOf(map.target), a);
      for (const b of group) add(a, b);
    }
  }
  const blocks = [...keys].map((key) => {
    const [row, col] = key.split(":").map(Number) as [number, number];
    return { row, col };
  });
  return { sources, targets, blocks: blocks.sort((a, b) => a.row - b.row || a.col - b.col) };
}

/** The layers that a plan reads: those of its maps, or every pair where the best are still to be found. */
export function toCollectedLayers(
  plan: ResolvedLayerPlan,
  sourceBlocks: number,
  targetBlocks: number,
): CollectedLayers {
  if (plan.kind === "pairs") return { kind: "maps", maps: plan.maps };
  const all = (blocks: number): readonly number[] => Array.from({ length: blocks }, (_, layer) => layer);
  return { kind: "all-pairs", sources: all(sourceBlocks), targets: all(targetBlocks) };
}

function ascending(layers: readonly number[]): readonly number[] {
  return [...new Set(layers)].sort((a, b) => a - b);
}

function checkLayers(layers: readonly number[], blocks: number, what: string): void {
  const bad = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= blocks);
  if (bad !== undefined) throw mismatch("bad-input", what, `a layer from 0 to ${blocks - 1}`, String(bad));
}
