import { formatSite, isSameSite, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { type AffineMap, carryDirection, type MapEnd } from "../maps/affine-map.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import { identityDifferences } from "./identity-differences.ts";
import { type MapEndName, type SteeringVector, vectorNorm } from "./steering-vector.ts";

export interface TransferOptions {
  /**
   * Adds the map's bias, `A v + p`, as the paper writes it. Default false: a direction is a difference of states, in which the bias
   * cancels; where it was measured, ‖p‖ was 1 to 6 times ‖A v‖ and drowned the concept.
   */
  readonly withBias?: boolean;
}

export interface Transfer {
  readonly vector: SteeringVector;
  /** Length of the vector before. */
  readonly sourceNorm: number;
  /** Length of `A v`, before any bias. */
  readonly targetNorm: number;
  /** ‖p‖ / ‖A v‖: how much louder than the concept the bias would be. */
  readonly biasRatio: number;
  /** Sites of the vector that the map does not start from. */
  readonly leftOut: readonly Site[];
  /** Things that are allowed but worth saying. */
  readonly warnings: readonly string[];
}

/**
 * Carries a steering vector into the model at the map's other end: `A v`, or `A v + p` by option.
 *
 * The direction at the map's source site becomes one at its target site, with its length as the map makes it (not renormalised); the
 * target's median norm comes from the map.
 *
 * @throws incompatible if the vector is of another model than the map's source, of another width, or has no direction at its site;
 *   bad-input if nothing of the vector is left after the map
 */
export function transferVector(
  vector: SteeringVector,
  map: Pick<AffineMap, "sources" | "target" | "A" | "p">,
  { withBias = false }: TransferOptions = {},
): Transfer {
  const { sources, target } = map;
  const [source] = sources;
  if (source === undefined || sources.length > 1)
    throw mismatch("unsupported", "map", "one source site", `${sources.length}`);
  const warnings = checkSource(vector, source);
  const direction = vector.directions.find(({ site }) => isSameSite(site, source.site));
  const sites = vector.directions.map(({ site }) => formatSite(site));
  if (!direction)
    throw mismatch(
      "incompatible",
      "vector",
      `a direction at ${formatSite(source.site)}, where the map starts`,
      sites.join(", "),
      {
        hint: "extract the vector at the map's source layer, or fit a map from the vector's layer",
      },
    );
  if (direction.vector.length !== source.model.width)
    throw mismatch(
      "incompatible",
      "vector",
      `width ${source.model.width}, the map's source`,
      `${direction.vector.length}`,
    );
  const carried = carryDirection(map, direction.vector);
  const targetNorm = vectorNorm(carried);
  if (!(targetNorm > 0))
    throw mismatch("bad-input", "carried vector", "a length above 0", String(targetNorm), {
      hint: "the map knows nothing of this direction",
    });
  const biasRatio = vectorNorm(map.p) / targetNorm;
  const values = withBias ? carried.map((value, i) => value + map.p[i]!) : carried;
  return {
    vector: {
      directions: [{ site: target.site, vector: Float32Array.from(values), medianNorm: target.medianNorm }],
      provenance: {
        ...vector.provenance,
        kind: "transferred",
        model: target.model,
        modelHint: target.model.architecture,
        trimtab: trimtabVersion(),
        source: { vector: vector.provenance, map: { source: toName(source), target: toName(target) }, withBias },
      },
    },
    sourceNorm: vectorNorm(direction.vector),
    targetNorm,
    biasRatio,
    leftOut: vector.directions.map(({ site }) => site).filter((site) => !isSameSite(site, source.site)),
    warnings,
  };
}

function checkSource(vector: SteeringVector, source: MapEnd): string[] {
  const { model } = vector.provenance;
  if (!model) return [`the vector does not say which model it is of; the map starts from ${source.model.name}`];
  const differences = identityDifferences(model, source.model);
  if (differences.length > 0)
    throw mismatch("incompatible", "vector", `one of ${source.model.name}, the map's source`, `one of ${model.name}`, {
      hint: `they differ in ${differences.join(", ")}`,
    });
  return model.sha256 === source.model.sha256
    ? []
    : [
        `the vector was read on another file (${model.name}, ${model.quantisation}) than the map (${source.model.quantisation})`,
      ];
}

function toName({ model, site }: MapEnd): MapEndName {
  return { model: model.name, sha256: model.sha256, site: formatSite(site) };
}
