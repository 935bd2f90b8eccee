import type { Sae } from "./sae.ts";

/**
 * The same autoencoder with decoder rows of length 1: `W_dec / n`, `W_enc · n`, `b_enc · n`, so that reconstructions stay and activations are
 * in units of the hidden states. A threshold stays as it is: callers use this where the threshold, or the choice of the k largest, was made in
 * these units. Features whose decoder row is 0 are left alone.
 */
export function toUnitDecoder(sae: Sae): Sae {
  const { width } = sae;
  const encoder = sae.encoder.slice();
  const decoder = sae.decoder.slice();
  const encoderBias = sae.encoderBias.slice();
  for (let j = 0; j < sae.features; j++) {
    let sum = 0;
    for (let i = j * width; i < (j + 1) * width; i++) sum += (decoder[i] as number) ** 2;
    const norm = Math.sqrt(sum);
    if (norm === 0) continue;
    encoderBias[j] = (encoderBias[j] as number) * norm;
    for (let i = j * width; i < (j + 1) * width; i++) {
      decoder[i] = (decoder[i] as number) / norm;
      encoder[i] = (encoder[i] as number) * norm;
    }
  }
  return { ...sae, encoder, decoder, encoderBias };
}
