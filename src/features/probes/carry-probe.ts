import { formatSite, isSameSite } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { createMatrix } from "../../linalg/matrix.ts";
import { transposedMultiply } from "../../linalg/multiply.ts";
import { type AffineMap, carryDirection, type MapEnd } from "../../maps/affine-map.ts";
import { formatLayers } from "../../maps/layer-plan.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import { identityDifferences } from "../../vectors/identity-differences.ts";
import { type FittedProbe, inner } from "./fit-probe.ts";
import { type CarriedProbe, checkProbe, type Probe } from "./probe.ts";

/**
 * Reads a probe through a map from the new model to the old one, h_old ≈ B h_new + q: the score w·(B h + q) + b of the state that the map
 * predicts is the plane `Bᵀ w`, `b + w·q` of the new model. Exact for a map that is; any probe can be carried so.
 *
 * B is `[old width, new width]`.
 *
 * @see Chen et al., arXiv 2506.06609
 */
export function pullBackPlane(probe: FittedProbe, map: Pick<AffineMap, "A" | "p">): FittedProbe {
  const w = createMatrix(probe.weights.length, 1, probe.weights);
  checkWidth(probe, map.A.rows);
  return {
    weights: transposedMultiply(map.A, w).data,
    bias: probe.bias + inner(probe.weights, map.p),
    centre: undefined,
  };
}

/**
 * Carries the direction of a difference of means by a map to the new model, h_new ≈ A h_old + p: `A w`, and the point halfway between the
 * classes with it, `A c + p`, where the threshold stands. Exact for the class means of a map that is: they move as all points do.
 *
 * The weights of other probes are no difference of states (they answer to how dimensions vary), so those cannot go forward.
 *
 * @throws bad-input for a probe without `centre`
 */
export function pushForwardPlane(probe: FittedProbe, map: Pick<AffineMap, "A" | "p">): FittedProbe {
  if (!probe.centre)
    throw mismatch("bad-input", "probe", "a difference of means to carry forward", "one that is not", {
      hint: "carry it through a map from the new model to the old one: trimtab fit NEW OLD, or fit --moments FILE --reverse",
    });
  checkWidth(probe, map.A.cols);
  const weights = carryDirection(map, probe.weights);
  const centre = carryDirection(map, probe.centre).map((value, i) => value + map.p[i]!);
  return { weights, bias: -inner(weights, centre), centre };
}

/** A carried probe, and what is allowed but worth saying. */
export interface ProbeTransfer {
  readonly probe: Probe;
  readonly by: CarriedProbe["by"];
  readonly map: AffineMap;
  readonly warnings: readonly string[];
}

/**
 * Carries a probe to the model at the other end of a map, whichever way the map goes: backward through one that ends where the probe
 * reads, else forward by one that begins there. Of several maps the first that fits is used, backward ones before forward ones.
 *
 * @throws incompatible if no map has an end where the probe reads; bad-input if nothing of the probe is left, or it cannot go the only way
 */
export function carryProbe(probe: Probe, maps: readonly AffineMap[]): ProbeTransfer {
  const backward = maps.find((map) => isAt(probe, map.target) && map.sources.length === 1);
  const forward = maps.find((map) => map.sources.length === 1 && isAt(probe, map.sources[0]!));
  const map = backward ?? forward;
  if (!map) throw noMap(probe, maps);
  const by = backward ? "backward" : "forward";
  const [old, end] = backward ? [map.target, map.sources[0]!] : [map.sources[0]!, map.target];
  const plane = backward ? pullBackPlane(probe, map) : pushForwardPlane(probe, map);
  if (plane.weights.every((value) => value === 0))
    throw mismatch("bad-input", "carried probe", "some weight", "all 0", { hint: "the map knows nothing of it" });
  const { model } = probe.provenance;
  const step: CarriedProbe = {
    by,
    from: { name: model.name, sha256: model.sha256, site: formatSite(probe.site) },
    map: { r2: map.scores.r2, corpus: map.fit.corpus.name },
  };
  return {
    probe: checkProbe({
      ...plane,
      site: end.site,
      provenance: {
        ...probe.provenance,
        model: end.model,
        carried: [...probe.provenance.carried, step],
        recalibrated: undefined,
        trimtab: trimtabVersion(),
      },
    }),
    by,
    map,
    warnings:
      model.sha256 === old.model.sha256
        ? []
        : [
            `the probe was trained on another file (${model.name}, ${model.quantisation}) than the map (${old.model.quantisation})`,
          ],
  };
}

function isAt({ provenance, site }: Probe, end: MapEnd): boolean {
  return isSameSite(site, end.site) && identityDifferences(provenance.model, end.model).length === 0;
}

function noMap({ provenance, site }: Probe, maps: readonly AffineMap[]): Error {
  const [first] = maps;
  const has = first
    ? `${first.sources[0]!.model.name} → ${first.target.model.name}, layers ${maps
        .map(({ sources, target }) =>
          formatLayers({ sources: sources.map(({ site: { layer } }) => layer), target: target.site.layer }),
        )
        .join(", ")
        .slice(0, 100)}`
    : "no map";
  return mismatch(
    "incompatible",
    "maps",
    `one that begins or ends at ${formatSite(site)} of ${provenance.model.name}, where the probe reads, with one source layer`,
    has,
    { hint: "fit one there with trimtab fit --layers, or train the probe at another layer" },
  );
}

function checkWidth({ weights }: FittedProbe, width: number): void {
  if (weights.length !== width)
    throw mismatch("bad-input", "map", `an end of width ${weights.length}, the probe's`, `${width}`);
}
