import type { ModelIdentity } from "../engine/description.ts";
import { formatSite, isSameSite, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { MapEnd } from "../maps/affine-map.ts";
import { formatLayers } from "../maps/layer-plan.ts";
import { identityDifferences } from "./identity-differences.ts";
import type { SteeringVector } from "./steering-vector.ts";

interface MapEnds {
  readonly sources: readonly MapEnd[];
  readonly target: MapEnd;
}

/**
 * Checks that maps can carry a vector: they join one model to one other, each target site once, the vector is of the first, and at
 * least one of them starts where the vector has directions. Returns the models, and what is allowed but worth saying.
 *
 * @throws incompatible, bad-input
 */
export function checkCarries(
  vector: SteeringVector,
  maps: readonly MapEnds[],
): { readonly source: ModelIdentity; readonly target: ModelIdentity; readonly warnings: readonly string[] } {
  const { source, target } = checkEnds(maps);
  const warnings = checkModel(vector, source);
  const wrong = vector.directions.find(({ vector: { length } }) => length !== source.width);
  if (wrong)
    throw mismatch("incompatible", "vector", `width ${source.width}, the map's source`, `${wrong.vector.length}`);
  if (!maps.some(({ sources }) => sources.every(({ site }) => hasDirection(vector, site))))
    throw noDirection(vector, maps);
  return { source, target, warnings };
}

function checkEnds(maps: readonly MapEnds[]): { readonly source: ModelIdentity; readonly target: ModelIdentity } {
  const source = maps[0]?.sources[0]?.model;
  if (!source || maps.some(({ sources }) => sources.length === 0))
    throw mismatch("bad-input", "maps", "at least one, from at least one site", "none");
  const target = maps[0]!.target.model;
  const seen: Site[] = [];
  for (const map of maps) {
    if (map.sources.some(({ model }) => model.sha256 !== source.sha256) || map.target.model.sha256 !== target.sha256)
      throw mismatch("bad-input", "maps", "maps from one model to one other", "maps of several models");
    const { site } = map.target;
    if (seen.some((other) => isSameSite(other, site)))
      throw mismatch("bad-input", "maps", "each target site once", `${formatSite(site)} again`);
    seen.push(site);
  }
  return { source, target };
}

function checkModel(vector: SteeringVector, source: ModelIdentity): string[] {
  const { model } = vector.provenance;
  if (!model) return [`the vector does not say which model it is of; the map starts from ${source.name}`];
  const differences = identityDifferences(model, source);
  if (differences.length > 0)
    throw mismatch("incompatible", "vector", `one of ${source.name}, the map's source`, `one of ${model.name}`, {
      hint: `they differ in ${differences.join(", ")}`,
    });
  return model.sha256 === source.sha256
    ? []
    : [
        `the vector was read on another file (${model.name}, ${model.quantisation}) than the map (${source.quantisation})`,
      ];
}

function hasDirection(vector: SteeringVector, site: Site): boolean {
  return vector.directions.some((direction) => isSameSite(direction.site, site));
}

function noDirection(vector: SteeringVector, maps: readonly MapEnds[]): ReturnType<typeof mismatch> {
  const has = vector.directions.map(({ site }) => formatSite(site)).join(", ");
  const [first] = maps as readonly [MapEnds];
  const wanted =
    maps.length === 1
      ? `${first.sources.length > 1 ? "directions" : "a direction"} at ${first.sources.map(({ site }) => formatSite(site)).join(", ")}, where the map starts`
      : `directions at every source layer of one of the maps, ${maps.map(toText).join(", ").slice(0, 200)}`;
  const without = vector.directions.map(({ site }) => site.layer);
  // Control vectors of llama.cpp and repeng begin at layer 1, and `all:…` maps at layer 0.
  const onlyFirst = maps.every(({ sources }) =>
    sources.every(({ site }) => site.layer === 0 || without.includes(site.layer)),
  );
  // Only a vector that begins at layer 1 and goes on can be one of theirs.
  const lacksFirst = without.length > 1 && !without.includes(0);
  const last = first.sources[0]!.model.blocks - 1;
  return mismatch("incompatible", "vector", wanted, has, {
    hint:
      onlyFirst && lacksFirst
        ? `a control vector has no layer 0: fit the map from the others, such as --layers 1-${last}:${first.target.site.layer}`
        : `extract the vector at ${layersOf(maps)}, where the map reads, or fit a map from the vector's layers`,
  });
}

function layersOf(maps: readonly MapEnds[]): string {
  const layers = [...new Set(maps.flatMap(({ sources }) => sources.map(({ site }) => site.layer)))];
  return `layer${layers.length > 1 ? "s" : ""} ${layers
    .sort((a, b) => a - b)
    .join(", ")
    .slice(0, 100)}`;
}

function toText({ sources, target }: MapEnds): string {
  return formatLayers({ sources: sources.map(({ site }) => site.layer), target: target.site.layer });
}
