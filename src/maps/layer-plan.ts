import { mismatch, type TrimtabError } from "../errors.ts";

/** Layers `first` to `last`, both included. */
export interface LayerRange {
  readonly first: number;
  readonly last: number;
}

/** Layers as they are named before a model is known: every layer, or ranges in the order written. */
export type LayerSet = "all" | readonly LayerRange[];

/** Which layers to join, as written: a map for every target layer, each from all the source layers beside it; or the best pairs, found out. */
export type LayerPlan =
  | { readonly kind: "auto" }
  | {
      readonly kind: "pairs";
      readonly pairs: readonly { readonly sources: LayerSet; readonly targets: "all" | LayerRange }[];
    };

/** The layers of one map: A's columns are the sources in this order. */
export interface MapLayers {
  readonly sources: readonly number[];
  readonly target: number;
}

/** Which maps to fit between two models, each target layer once. */
export type ResolvedLayerPlan =
  | { readonly kind: "auto" }
  | { readonly kind: "pairs"; readonly maps: readonly MapLayers[] };

/** Every layer of the deepest models, named one by one, takes less. */
const maxLength = 10_000;

/**
 * Reads which layers to join: `SOURCES:TARGETS`, several of them divided by commas, or `auto`.
 *
 * SOURCES are layers and ranges joined by `+`, or `all`: one map from all of them together. TARGETS are a layer, a range or `all`: one
 * map for each. Whether the models have them is for {@link resolveLayerPlan}.
 *
 * @throws usage if the text is anything else
 * @example
 * parseLayerPlan("8:12,10:15"); // two maps
 * parseLayerPlan("0+1+2:3"); // one map from three layers
 * parseLayerPlan("4-10:12"); // one map from seven layers
 * parseLayerPlan("8:all"); // layer 8 to every layer of the target
 * parseLayerPlan("all:all"); // every target layer from all source layers
 */
export function parseLayerPlan(text: string): LayerPlan {
  if (text === "auto") return { kind: "auto" };
  if (text.length > maxLength) throw wrongPlan(`${text.length} characters`, `at most ${maxLength} characters`);
  const pairs = text.split(",").map((item) => {
    const [sources, targets, ...more] = item.split(":");
    if (sources === undefined || targets === undefined || more.length > 0) throw wrongPlan(JSON.stringify(item));
    return {
      sources: parseLayerSet(sources, item),
      targets: targets === "all" ? ("all" as const) : parseRange(targets, item),
    };
  });
  return { kind: "pairs", pairs };
}

/** Writes a plan as {@link parseLayerPlan} reads it. */
export function formatLayerPlan(plan: LayerPlan): string {
  if (plan.kind === "auto") return "auto";
  return plan.pairs
    .map(({ sources, targets }) => {
      const from = sources === "all" ? sources : sources.map(formatRange).join("+");
      return `${from}:${targets === "all" ? targets : formatRange(targets)}`;
    })
    .join(",");
}

/**
 * Names the maps of a plan for two models of so many blocks, in the order written.
 *
 * @throws usage for a layer that a model has not, a source layer named twice in one map, or a target layer named twice at all
 */
export function resolveLayerPlan(plan: LayerPlan, sourceBlocks: number, targetBlocks: number): ResolvedLayerPlan {
  if (plan.kind === "auto") return plan;
  const seen = new Set<number>();
  const maps = plan.pairs.flatMap(({ sources, targets }) => {
    const from = resolveLayerSet(sources, sourceBlocks, "source");
    const twice = from.find((layer, at) => from.indexOf(layer) < at);
    if (twice !== undefined) throw wrongPlan(`source layer ${twice} again`, "each source layer of a map once");
    return resolveLayerSet(targets === "all" ? targets : [targets], targetBlocks, "target").map((target) => {
      if (seen.has(target))
        throw mismatch("usage", "layers", "each target layer once", `${target} again`, {
          hint: "join the sources of one target layer with +, such as 8+10:12",
        });
      seen.add(target);
      return { sources: from, target };
    });
  });
  return { kind: "pairs", maps };
}

/** Writes the layers of one map as a plan of its own, such as `8:12` or `0-2+5:3`; three or more in a row become a range. */
export function formatLayers({ sources, target }: MapLayers): string {
  const runs: { first: number; last: number }[] = [];
  for (const layer of sources) {
    const run = runs.at(-1);
    if (run && run.last + 1 === layer) run.last = layer;
    else runs.push({ first: layer, last: layer });
  }
  const ranges = runs.flatMap(({ first, last }) =>
    last === first + 1 ? [toRange(first), toRange(last)] : [{ first, last }],
  );
  return formatLayerPlan({ kind: "pairs", pairs: [{ sources: ranges, targets: toRange(target) }] });
}

/** Reads layers and ranges joined by `+`, or `all`; `item` is the text that an error shows. @throws usage */
export function parseLayerSet(text: string, item: string = text): LayerSet {
  return text === "all" ? text : text.split("+").map((part) => parseRange(part, item));
}

function parseRange(text: string, item: string): LayerRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) throw wrongPlan(JSON.stringify(item));
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  if (last < first) throw wrongPlan(JSON.stringify(item), `ranges that rise, such as ${last}-${first}`);
  return { first, last };
}

function formatRange({ first, last }: LayerRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function toRange(layer: number): LayerRange {
  return { first: layer, last: layer };
}

/**
 * The layers of a set, which is bounded by the model's blocks before it is written out.
 *
 * @throws usage for a layer that the model has not
 */
export function resolveLayerSet(set: LayerSet, blocks: number, side: "source" | "target"): number[] {
  const ranges = set === "all" ? [{ first: 0, last: blocks - 1 }] : set;
  for (const { last } of ranges)
    if (last >= blocks)
      throw mismatch("usage", `${side} layer`, `a layer from 0 to ${blocks - 1}`, String(last), { hint: layersHint });
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (count > blocks) throw wrongPlan(`${count} ${side} layers`, `at most the ${blocks} that the model has`);
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

const layersHint = "layers are 0-based: layer l is the output of block l";

function wrongPlan(
  got: string,
  expected = "SOURCES:TARGETS such as 12:20, 8:12,10:15, 0+1+2:3, 4-10:12, all:all or auto",
): TrimtabError {
  return mismatch("usage", "layers", expected, got.slice(0, 80), { hint: layersHint });
}
