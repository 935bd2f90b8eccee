import { formatSite, isSameSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { AffineMap } from "../maps/affine-map.ts";
import { identityDifferences } from "../vectors/identity-differences.ts";
import type { Sae } from "./sae.ts";

/** The pair of maps that carry an autoencoder, and what is allowed but worth saying. */
export interface CheckedCarryingMaps {
  readonly forward: AffineMap;
  readonly backward: AffineMap;
  readonly warnings: readonly string[];
}

/**
 * Finds among the maps of two files those that carry an autoencoder: forward from where it reads, by one source layer, and back from that
 * map's target to where it reads.
 *
 * An autoencoder that does not say its model or site goes by a single map of its width, with a warning.
 *
 * @throws incompatible if there is none, or the maps do not belong together
 */
export function checkCarryingMaps(
  sae: Sae,
  forwards: readonly AffineMap[],
  backwards: readonly AffineMap[],
): CheckedCarryingMaps {
  const { origin, width } = sae;
  const forward = forwards.find(
    ({ sources: [end, more] }) =>
      end && !more && end.model.width === width && (!origin.site || isSameSite(end.site, origin.site)),
  );
  const at = origin.site ? formatSite(origin.site) : "its site";
  if (!forward)
    throw mismatch(
      "incompatible",
      "map",
      `one from ${at} of ${origin.model ?? "the autoencoder's model"}, width ${width}`,
      forwards.map(describe).join(", ").slice(0, 160) || "none",
      { hint: "fit it with trimtab fit --layers, from the layer that the autoencoder reads" },
    );
  const end = forward.sources[0]!;
  const backward = backwards.find(
    ({ sources: [start, more], target }) =>
      start &&
      !more &&
      isSameSite(start.site, forward.target.site) &&
      isSameSite(target.site, end.site) &&
      identityDifferences(start.model, forward.target.model).length === 0 &&
      identityDifferences(target.model, end.model).length === 0,
  );
  if (!backward)
    throw mismatch(
      "incompatible",
      "map back",
      `one from ${formatSite(forward.target.site)} of ${forward.target.model.name} to ${formatSite(end.site)} of ${end.model.name}`,
      backwards.map(describe).join(", ").slice(0, 160) || "none",
      { hint: "fit it from the same moments: trimtab fit --moments FILE --layers A:B --reverse" },
    );
  const warnings: string[] = [];
  if (origin.modelSha256 === undefined || !origin.site)
    warnings.push(
      `the autoencoder does not say ${origin.site ? "which file" : "where in which file"} it was trained on; the map starts at ${formatSite(end.site)} of ${end.model.name}`,
    );
  else if (origin.modelSha256 !== end.model.sha256)
    warnings.push(`the autoencoder was trained on another file (${origin.model}) than the map (${end.model.name})`);
  return { forward, backward, warnings };
}

function describe({ sources, target }: AffineMap): string {
  const from = sources.map(({ site }) => formatSite(site)).join(" + ");
  return `${from} of ${sources[0]!.model.name} to ${formatSite(target.site)} of ${target.model.name}`;
}
