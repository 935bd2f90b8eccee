import type { Sae } from "../../src/features/sae.ts";

/** Features 2j and 2j + 1 are the positive and the negative part of dimension j: codes that lose nothing. */
export function signSae(width: number): Sae {
  const features = 2 * width;
  const encoder = new Float32Array(features * width);
  for (let j = 0; j < width; j++) {
    encoder[2 * j * width + j] = 1;
    encoder[(2 * j + 1) * width + j] = -1;
  }
  return {
    width,
    features,
    activation: "relu",
    encoder,
    encoderBias: new Float32Array(features),
    decoder: encoder.slice(),
    decoderBias: new Float32Array(width),
    threshold: undefined,
    k: undefined,
    gate: undefined,
    subtractsDecoderBias: false,
    inputScale: 1,
    origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: undefined, facts: {} },
  };
}
