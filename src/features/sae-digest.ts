import { createHash } from "node:crypto";
import type { Sae } from "./sae.ts";

/** sha256 (hex) of all that decides an autoencoder's codes and reconstructions, whatever file it was read from. */
export function saeDigest(sae: Sae): string {
  const { width, features, activation, k, subtractsDecoderBias, inputScale, gate } = sae;
  const digest = createHash("sha256");
  digest.update(JSON.stringify({ width, features, activation, k, subtractsDecoderBias, inputScale }));
  for (const values of [
    sae.encoder,
    sae.encoderBias,
    sae.decoder,
    sae.decoderBias,
    sae.threshold,
    gate?.bias,
    gate?.logScale,
  ])
    digest.update(values ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength) : "none");
  return digest.digest("hex");
}
