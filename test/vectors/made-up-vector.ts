import type { ModelIdentity } from "../../src/engine/description.ts";
import { residPost } from "../../src/engine/site.ts";
import type { SteeringVector, VectorProvenance } from "../../src/vectors/steering-vector.ts";

export function madeUpIdentity(width: number, name = "small"): ModelIdentity {
  return {
    name,
    sha256: name.repeat(10),
    architecture: "llama",
    width,
    blocks: 8,
    quantisation: "F16",
    tokenizerFingerprint: "tokens",
  };
}

/** A vector with the given numbers per layer. */
export function madeUpVector(
  layers: Readonly<Record<number, readonly number[]>>,
  provenance: Partial<VectorProvenance> = {},
  medianNorm: number | undefined = 10,
): SteeringVector {
  const directions = Object.entries(layers).map(([layer, values]) => ({
    site: residPost(Number(layer)),
    vector: Float32Array.from(values),
    medianNorm,
  }));
  return {
    directions,
    provenance: {
      kind: "native",
      model: madeUpIdentity(directions[0]?.vector.length ?? 0),
      modelHint: "llama",
      method: "mean-difference",
      concept: "happy",
      pairs: 12,
      readAt: { fromEnd: 2 },
      seed: undefined,
      trimtab: "0.1.0",
      ...provenance,
    },
  };
}
