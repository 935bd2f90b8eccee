import { mismatch } from "../errors.ts";
import type { Sae } from "./sae.ts";
import type { SparseRows } from "./sparse-rows.ts";

/**
 * Decodes sparse features `[rows, features]` into hidden states `[rows, width]`: `x̂ = (f W_dec + b_dec) / s`, summed in float64.
 *
 * @throws bad-input if the columns are not the autoencoder's features
 */
export function decodeRows(sae: Sae, F: SparseRows): Float32Array {
  const { width, features, decoder, decoderBias, inputScale } = sae;
  if (F.cols !== features)
    throw mismatch(
      "bad-input",
      "features",
      `${features} columns, one for each feature of the autoencoder`,
      String(F.cols),
    );
  const result = new Float32Array(F.rows * width);
  const sum = new Float64Array(width);
  for (let i = 0; i < F.rows; i++) {
    sum.set(decoderBias);
    for (let k = F.offsets[i] as number; k < (F.offsets[i + 1] as number); k++) {
      const value = F.values[k] as number;
      const start = (F.indices[k] as number) * width;
      for (let j = 0; j < width; j++) sum[j] = (sum[j] as number) + value * (decoder[start + j] as number);
    }
    if (inputScale !== 1) for (let j = 0; j < width; j++) sum[j] = (sum[j] as number) / inputScale;
    result.set(sum, i * width);
  }
  return result;
}
