import type { Alignment } from "../../activations/align/alignment.ts";
import type { Corpus } from "../../activations/corpus.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { isSameSite, type Site } from "../../engine/site.ts";
import { fromStored, type StoredVector, toStored } from "../../evaluate/stored-vector.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { type CollectProgress, collectMoments } from "../../maps/collect/collect-moments.ts";
import type { Collection } from "../../maps/collect/collection.ts";
import type { CollectedLayers } from "../../maps/collect/plan-layers.ts";
import { reverseCollection } from "../../maps/collect/reverse-collection.ts";
import { defaultRows, fitCollection } from "../../maps/fit-map.ts";
import { defaultLayerPair, type LayerPair } from "../../maps/layer-pairs.ts";
import { sweepLayers } from "../../maps/score/sweep-layers.ts";
import { scoreFits } from "../../maps/solve-maps.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { transferVector } from "../../vectors/transfer.ts";

/** The scores of one map of one seed. */
export interface MapCell {
  readonly layers: LayerPair;
  /** How the rows were paired, as `formatAlignment` writes it. */
  readonly alignment: string;
  readonly r2: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly beyond: number;
  readonly tokenTable: number;
  readonly mean: number;
  readonly shuffled: number;
  readonly rotation: number;
  readonly untrained: number | null;
  readonly rows: { readonly fitted: number; readonly heldOut: number };
  readonly warnings: readonly string[];
  /** The source's vectors carried by the map, in the concepts' order; in place of one that it cannot carry, why. */
  readonly carried: readonly (StoredVector | string)[];
}

/** One end of a pair. */
export interface MapEndInput {
  readonly name: string;
  readonly width: number;
  readonly blocks: number;
  /** Opens it, or answers with the open one, while the one named `beside` stays open. */
  readonly open: (beside: string) => Promise<OpenModel>;
  /** The same of its copy that was never trained; `undefined`: that null is not taken. */
  readonly openUntrained: ((beside: string) => Promise<OpenModel>) | undefined;
  /** Where it is read; `null`: at the layer that the pair picks. */
  readonly layer: number | null;
  /** Vectors of the concepts at every layer that may be picked. */
  readonly vectors: readonly (SteeringVector | string)[];
}

export interface MeasureMapsOptions {
  readonly corpus: Corpus;
  readonly maxRows: number | undefined;
  readonly context: number | undefined;
  /** How rows are paired; by default by token, of different tokenizers by spans of text. */
  readonly align: Alignment | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CollectProgress) => void) | undefined;
}

/**
 * Fits and scores the maps between two models, both ways, and carries their vectors: the text is read once for the two directions, and once
 * more by each model's untrained copy. With one model given twice there is one map, onto itself. Models are opened only when something has
 * to be read.
 *
 * @param measure - answers a direction from what is stored, or computes it: `(source, target, compute)`
 * @returns source to target, and back
 * @throws what `collectMoments` and `fitCollection` throw
 */
export async function measureMaps(
  a: MapEndInput,
  b: MapEndInput,
  options: MeasureMapsOptions,
  measure: (source: MapEndInput, target: MapEndInput, compute: () => Promise<MapCell>) => Promise<MapCell>,
): Promise<readonly MapCell[]> {
  let reading: Promise<Collection> | undefined;
  const read = (): Promise<Collection> => {
    reading ??= readBoth(a, b, options);
    return reading;
  };
  const forward = await measure(a, b, async () => solve(a, b, await read(), options));
  if (a.name === b.name) return [forward];
  return [forward, await measure(b, a, async () => solve(b, a, reverseCollection(await read()), options))];
}

async function readBoth(a: MapEndInput, b: MapEndInput, options: MeasureMapsOptions): Promise<Collection> {
  const source = await a.open(b.name);
  return collectMoments(source, await b.open(a.name), toReading(a, b, options));
}

function toReading(
  a: MapEndInput,
  b: MapEndInput,
  { corpus, maxRows, context, align, seed, signal, onProgress }: MeasureMapsOptions,
): Parameters<typeof collectMoments>[2] {
  // Either may be the source of a map, and the wider one needs more rows.
  const width = Math.max(a.width, b.width);
  return {
    corpus,
    layers: toLayers(a, b),
    maxRows: maxRows ?? defaultRows(width),
    context,
    align,
    seed,
    hasCurve: false,
    signal,
    onProgress,
  };
}

/** The last block's output is read by the unembedding alone, and a vector there has no block left to act through. */
function toLayers(a: MapEndInput, b: MapEndInput): CollectedLayers {
  const layersOf = ({ layer, blocks }: MapEndInput): number[] => (layer === null ? steerableLayers(blocks) : [layer]);
  return { kind: "all-pairs", sources: layersOf(a), targets: layersOf(b) };
}

/** Every layer but the last one; of a model of one block that. */
export function steerableLayers(blocks: number): number[] {
  return Array.from({ length: Math.max(1, blocks - 1) }, (_, layer) => layer);
}

async function solve(
  source: MapEndInput,
  target: MapEndInput,
  collection: Collection,
  options: MeasureMapsOptions,
): Promise<MapCell> {
  const layers = await chooseLayers(source, target, collection, options.signal);
  const maps = [{ sources: [layers.source], target: layers.target }];
  const { maps: solved, warnings } = fitCollection(collection, { layers: { kind: "pairs", maps } });
  const map = solved[0] as AffineMap;
  const { scores, fit } = map;
  return {
    layers,
    alignment: collection.plan.alignment ?? "ids",
    r2: scores.r2,
    interval: { low: scores.r2Interval.low, high: scores.r2Interval.high },
    beyond: scores.tokenIdentity.beyond,
    tokenTable: scores.tokenIdentity.table,
    mean: scores.nulls.mean.r2,
    shuffled: scores.nulls.shuffled.r2,
    rotation: scores.nulls.randomOrthogonal.r2,
    untrained: await scoreUntrained(source, target, layers, options),
    rows: { fitted: fit.rows.train, heldOut: fit.rows.heldOut },
    warnings,
    carried: source.vectors.map((vector) => (typeof vector === "string" ? vector : carry(vector, map))),
  };
}

async function chooseLayers(
  source: MapEndInput,
  target: MapEndInput,
  collection: Collection,
  signal: AbortSignal | undefined,
): Promise<LayerPair> {
  if (source.layer !== null && target.layer !== null) return { source: source.layer, target: target.layer };
  const { picked } = await sweepLayers(collection, { signal });
  return picked ?? defaultLayerPair(source.blocks, target.blocks);
}

async function scoreUntrained(
  source: MapEndInput,
  target: MapEndInput,
  layers: LayerPair,
  options: MeasureMapsOptions,
): Promise<number | null> {
  if (!source.openUntrained) return null;
  const model = await target.open(source.name);
  const ends = [
    { ...source, layer: layers.source },
    { ...target, layer: layers.target },
  ] as const;
  const collection = await collectMoments(await source.openUntrained(target.name), model, toReading(...ends, options));
  const scored = scoreFits(collection, { maps: [{ sources: [layers.source], target: layers.target }] });
  return scored[0]?.r2 ?? null;
}

function carry(vector: SteeringVector, map: AffineMap): StoredVector | string {
  const site = map.sources[0]?.site as Site;
  const found = atSite(vector, site);
  if (typeof found === "string") return found;
  try {
    return toStored(transferVector(found, map).vector);
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

/** The vector's direction at one of its sites, as a vector of its own; in words if it has none there. */
export function atSite(vector: SteeringVector, site: Site): SteeringVector | string {
  const directions = vector.directions.filter((direction) => isSameSite(direction.site, site));
  return directions.length === 0 ? `the vector has no direction at layer ${site.layer}` : { ...vector, directions };
}

/** A vector that a map carried, as it was stored; in words if there is none. */
export function fromCarried(carried: StoredVector | string): SteeringVector | string {
  return typeof carried === "string" ? carried : fromStored(carried);
}
