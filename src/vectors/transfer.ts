import { formatSite, isSameSite, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { type AffineMap, carryDirection } from "../maps/affine-map.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import { checkCarries } from "./check-carries.ts";
import { type Direction, type SteeringVector, type TransferSource, vectorNorm } from "./steering-vector.ts";
import { warnOfRows } from "./warn-of-rows.ts";

/** What of a map carries a vector; with `fit`, the transfer can tell whether the map saw such rows as the vector was read from. */
export interface CarryingMap extends Pick<AffineMap, "sources" | "target" | "A" | "p"> {
  readonly fit?: Pick<AffineMap["fit"], "rowSelection" | "alignment">;
}

export interface TransferOptions {
  /**
   * Adds the map's bias, `A v + p`, as the paper writes it. Default false: a direction is a difference of states, in which the bias
   * cancels; where it was measured, ‖p‖ was 1 to 6 times ‖A v‖ and drowned the concept.
   */
  readonly withBias?: boolean;
}

/** One map's part in a transfer. */
export interface CarriedDirection {
  readonly sources: readonly Site[];
  readonly target: Site;
  /** Length of what went in: of several directions, the root of the sum of their squares. */
  readonly sourceNorm: number;
  /** Length of `A v`, before any bias. */
  readonly targetNorm: number;
  /** ‖p‖ / ‖A v‖: how much louder than the concept the bias would be. */
  readonly biasRatio: number;
}

/** A map that had nothing to carry. */
export interface UnusedMap {
  readonly sources: readonly Site[];
  readonly target: Site;
  /** Its source sites that the vector has no direction at; none if it sent what it was given to 0. */
  readonly missing: readonly Site[];
}

export interface Transfer {
  readonly vector: SteeringVector;
  /** By target layer, as the vector's directions. */
  readonly carried: readonly CarriedDirection[];
  readonly unused: readonly UnusedMap[];
  /** Sites of the vector that no used map starts from. */
  readonly leftOut: readonly Site[];
  /** Things that are allowed but worth saying. */
  readonly warnings: readonly string[];
}

/**
 * Carries a steering vector into the model at the maps' other end: `A v` at each map's target site, or `A v + p` by option.
 *
 * v is the vector's direction at the map's source site; for a map from several sites, its directions there one after the other in the
 * map's order, so that `A v = Σ Aᵢ vᵢ`. A map whose sources the vector lacks, even one of them, is left unused. Lengths are as the maps
 * make them (not renormalised); median norms come from the maps.
 *
 * Directions of neighbouring layers say much the same: carried to several target layers, their effects add up along the stream, as
 * they do in the model they come from.
 *
 * @throws incompatible if the vector is of another model than the maps' source, of another width, or no map can be used; bad-input for
 *   no map, maps of several models or two with one target site, and if nothing of the vector is left after them
 */
export function transferVector(
  vector: SteeringVector,
  maps: CarryingMap | readonly CarryingMap[],
  { withBias = false }: TransferOptions = {},
): Transfer {
  const all = isList(maps) ? maps : [maps];
  const { source, target, warnings } = checkCarries(vector, all);
  const directions: Direction[] = [];
  const carried: CarriedDirection[] = [];
  const unused: UnusedMap[] = [];
  const selections: string[] = [];
  for (const map of all.toSorted((a, b) => a.target.site.layer - b.target.site.layer)) {
    const ends = { sources: map.sources.map(({ site }) => site), target: map.target.site };
    const missing = ends.sources.filter((site) => !findDirection(vector, site));
    const v = missing.length > 0 ? undefined : joinDirections(vector, ends.sources);
    const moved = v && carryDirection(map, v);
    const targetNorm = moved ? vectorNorm(moved) : 0;
    if (!v || !moved || targetNorm === 0) {
      unused.push({ ...ends, missing });
      continue;
    }
    carried.push({ ...ends, sourceNorm: vectorNorm(v), targetNorm, biasRatio: vectorNorm(map.p) / targetNorm });
    if (map.fit) selections.push(rowsOf(map.fit));
    const values = withBias ? moved.map((value, i) => value + map.p[i]!) : moved;
    directions.push({ site: ends.target, vector: Float32Array.from(values), medianNorm: map.target.medianNorm });
  }
  if (carried.length === 0)
    throw mismatch("bad-input", "carried vector", "a length above 0", "0", {
      hint: "the map knows nothing of this direction",
    });
  return {
    vector: {
      directions,
      provenance: {
        ...vector.provenance,
        kind: "transferred",
        model: target,
        modelHint: target.architecture,
        trimtab: trimtabVersion(),
        source: { vector: vector.provenance, maps: toNames(source, target, carried), withBias },
      },
    },
    carried,
    unused,
    leftOut: vector.directions
      .map(({ site }) => site)
      .filter((site) => !carried.some(({ sources }) => sources.some((used) => isSameSite(used, site)))),
    warnings: [
      ...warnings,
      ...warnOfRows(vector.provenance.readAt, selections),
      ...unused
        .filter(({ missing }) => missing.length === 0)
        .map(({ target: site }) => `the map to ${formatSite(site)} knows nothing of this direction and was not used`),
    ],
  };
}

/** Which rows a map saw: of pieces of text read at their last token, last tokens; means of tokens lie where the tokens do. */
function rowsOf({ rowSelection, alignment }: NonNullable<CarryingMap["fit"]>): string {
  return alignment?.by.endsWith("@last") ? "last" : rowSelection;
}

function findDirection(vector: SteeringVector, site: Site): Direction | undefined {
  return vector.directions.find((direction) => isSameSite(direction.site, site));
}

function joinDirections(vector: SteeringVector, sites: readonly Site[]): Float64Array {
  return Float64Array.from(sites.flatMap((site) => [...findDirection(vector, site)!.vector]));
}

function toNames(
  source: { readonly name: string; readonly sha256: string },
  target: { readonly name: string; readonly sha256: string },
  carried: readonly CarriedDirection[],
): TransferSource["maps"] {
  return {
    source: { name: source.name, sha256: source.sha256 },
    target: { name: target.name, sha256: target.sha256 },
    sites: carried.map(({ sources, target: site }) => ({
      sources: sources.map(formatSite),
      target: formatSite(site),
    })),
  };
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
