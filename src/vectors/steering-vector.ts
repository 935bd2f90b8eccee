import type { ReadPosition } from "../activations/read-position.ts";
import type { ModelIdentity } from "../engine/description.ts";
import { formatSite, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";

/** What is added to the residual stream at one site. */
export interface Direction {
  readonly site: Site;
  /** `[width]`, with its natural length: a difference of means is not normalised. */
  readonly vector: Float32Array;
  /** Median row norm of the model's hidden states at the site: the unit of relative strengths. */
  readonly medianNorm: number | undefined;
}

/** A concept as a direction at one site or at several, all of one width, each site once. */
export interface SteeringVector {
  readonly directions: readonly Direction[];
  readonly provenance: VectorProvenance;
}

/** Where a vector comes from. */
export interface VectorProvenance {
  /** `native`: read on the model it steers; `transferred`: carried there by a map; `random`: a control; `imported`: a stranger's file. */
  readonly kind: "native" | "transferred" | "random" | "imported" | "combined";
  /** The model it steers. */
  readonly model: ModelIdentity | undefined;
  /** Architecture named by a control-vector file (llama.cpp's name, or Hugging Face's `model_type` in files of repeng). */
  readonly modelHint: string | undefined;
  readonly method: string;
  readonly concept: string | undefined;
  /** Contrast pairs it was read from. */
  readonly pairs: number | undefined;
  readonly readAt: ReadPosition | undefined;
  readonly seed: number | undefined;
  /** Version of Trimtab that made it; empty for files of other programs. */
  readonly trimtab: string;
  /** Of a transferred vector: what was carried, and by which maps. */
  readonly source?: TransferSource;
}

export interface TransferSource {
  readonly vector: VectorProvenance;
  readonly maps: TransferMaps;
  /** The map's bias was added to the carried direction (`A v + p`). */
  readonly withBias: boolean;
}

/** The maps of a transfer, from one model to one other. */
export interface TransferMaps {
  readonly source: ModelName;
  readonly target: ModelName;
  /** For each map the sites it joins, such as `resid_post.12`. */
  readonly sites: readonly { readonly sources: readonly string[]; readonly target: string }[];
}

/** Enough of a model to find it again. */
export interface ModelName {
  readonly name: string;
  readonly sha256: string;
}

/** Euclidean length, summed in float64. */
export function vectorNorm(vector: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * Checks that a vector can steer at all and returns it: at least one direction, one width, each site once, all numbers finite.
 *
 * @throws bad-input naming `where`
 */
export function checkSteeringVector(vector: SteeringVector, where = "steering vector"): SteeringVector {
  const width = vector.directions[0]?.vector.length;
  if (!width) throw mismatch("bad-input", where, "at least one direction", "none");
  const seen = new Set<string>();
  for (const { site, vector: values, medianNorm } of vector.directions) {
    const name = formatSite(site);
    if (seen.has(name)) throw mismatch("bad-input", where, "each site once", `${name} again`);
    seen.add(name);
    if (values.length !== width)
      throw mismatch("bad-input", where, `width ${width} at every site`, `${values.length} at ${name}`);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw mismatch("bad-input", where, "finite numbers", `${values[bad]} at ${name}[${bad}]`);
    if (medianNorm !== undefined && !(Number.isFinite(medianNorm) && medianNorm > 0))
      throw mismatch("bad-input", where, "a positive median norm", `${medianNorm} at ${name}`);
  }
  return vector;
}

/** Width of the model that the vector is for. */
export function vectorWidth(vector: SteeringVector): number {
  return vector.directions[0]?.vector.length ?? 0;
}
