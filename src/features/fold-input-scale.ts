import type { Sae } from "./sae.ts";

/**
 * The same autoencoder with an input scale of 1: encoder times s, decoder and decoder bias over s. Its features and reconstructions are
 * the same, up to the rounding of float32; of one without a scale, the same object.
 */
export function foldInputScale(sae: Sae): Sae {
  const { inputScale: s } = sae;
  if (s === 1) return sae;
  return {
    ...sae,
    encoder: sae.encoder.map((value) => value * s),
    decoder: sae.decoder.map((value) => value / s),
    decoderBias: sae.decoderBias.map((value) => value / s),
    inputScale: 1,
  };
}
