import { mismatch } from "../../errors.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { type FeatureMap, featureDirection } from "./feature-map.ts";

/** A feature and how much of it, negative to take it away. */
export interface FeatureWeight {
  readonly feature: number;
  /** Default 1. */
  readonly weight?: number;
}

/**
 * Makes a steering vector of the target model from features of the source by their indices: `Σ weight · B[feature]`, of natural length: what the
 * features, active by so much, add to the target's hidden states.
 *
 * @throws bad-input for no feature, weights that cancel out, a feature out of range, or one that was never active where the map was fitted
 */
export function featureVector(map: FeatureMap, features: readonly FeatureWeight[]): SteeringVector {
  if (features.length === 0) throw mismatch("bad-input", "features", "at least one", "none");
  const sum = new Float64Array(map.B.cols);
  for (const { feature, weight = 1 } of features)
    featureDirection(map, feature).forEach((value, i) => {
      sum[i] = (sum[i] as number) + weight * value;
    });
  if (sum.every((value) => value === 0))
    throw mismatch("bad-input", "features", "weights that do not cancel out", "a vector of length 0");
  const named = features.map(({ feature, weight = 1 }) => (weight === 1 ? `${feature}` : `${weight} × ${feature}`));
  const name = `feature ${named.join(" + ")} of ${map.sae.name}`;
  return {
    directions: [{ site: map.target.site, vector: Float32Array.from(sum), medianNorm: map.target.medianNorm }],
    provenance: {
      kind: "transferred",
      model: map.target.model,
      modelHint: undefined,
      method: `features mapped to hidden states, from ${map.source.model.name}`,
      concept: name,
      pairs: undefined,
      readAt: undefined,
      seed: map.fit.seed,
      trimtab: trimtabVersion(),
    },
  };
}
