import { mismatch } from "../errors.ts";
import type { CollectedLayers } from "./collect/plan-layers.ts";
import { type LayerSet, parseLayerSet, resolveLayerSet } from "./layer-plan.ts";

/** Layers of both models that are compared each with each, as they are named before the models are known. */
export interface LayerGrid {
  readonly sources: LayerSet;
  readonly targets: LayerSet;
}

/** Every layer of both models. */
export const wholeGrid: LayerGrid = { sources: "all", targets: "all" };

const side = String.raw`(all|\d{1,5}(?:-\d{1,5})?(?:[+,]\d{1,5}(?:-\d{1,5})?){0,999})`;
const grid = new RegExp(`^${side}:${side}$`);

/**
 * Reads `SOURCES:TARGETS`, each `all` or layers and ranges joined by commas: every source layer with every target layer.
 *
 * A layer plan means something else by the same signs: there `0+1:3` is one map from two layers, here `0,1:3` is two pairs.
 *
 * @throws usage if the text is anything else
 * @example
 * parseLayerGrid("4-10:8-20"); // 7 times 13 pairs
 * parseLayerGrid("all:0,2,4-6");
 */
export function parseLayerGrid(text: string): LayerGrid {
  const match = grid.exec(text);
  if (!match)
    throw mismatch("usage", "layers", "SOURCES:TARGETS such as all:all, 4-10:8-20 or 0,2:all", JSON.stringify(text), {
      hint: "layers are 0-based: layer l is the output of block l",
    });
  const [sources, targets] = [match[1] as string, match[2] as string].map((part) =>
    parseLayerSet(part.replaceAll(",", "+"), text),
  ) as [LayerSet, LayerSet];
  return { sources, targets };
}

/**
 * Names the layers of a grid for two models of so many blocks: ascending, each once.
 *
 * @throws usage for a layer that a model has not
 */
export function resolveLayerGrid(
  { sources, targets }: LayerGrid,
  sourceBlocks: number,
  targetBlocks: number,
): Extract<CollectedLayers, { kind: "all-pairs" }> {
  return {
    kind: "all-pairs",
    sources: ascending(resolveLayerSet(sources, sourceBlocks, "source")),
    targets: ascending(resolveLayerSet(targets, targetBlocks, "target")),
  };
}

function ascending(layers: readonly number[]): readonly number[] {
  return [...new Set(layers)].sort((a, b) => a - b);
}
