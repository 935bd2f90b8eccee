import { mismatch } from "../errors.ts";
import { addProduct } from "../linalg/kernel.ts";
import { createActivation } from "./activate.ts";
import type { Sae } from "./sae.ts";
import { createSparseBuilder } from "./sparse-builder.ts";
import type { SparseRows } from "./sparse-rows.ts";

/** Pre-activations held at a time: 64 MiB of float64. Fewer rows at a time would convert the encoder more often, more would not be faster. */
const preActivations = 2 ** 23;
/** Values of the encoder converted to float64 at a time: 8 MiB, which stays in the second- or third-level cache. */
const tileValues = 2 ** 20;

/**
 * Encodes hidden states `[rows, width]` into sparse features `[rows, features]`, exactly as {@link Sae} defines them.
 *
 * Pre-activations are computed in float64 and rounded to float32 once they have passed the activation; memory beyond the result is
 * bounded whatever the number of rows. Of `topk` equal pre-activations, the feature of lower number wins.
 *
 * @throws bad-input if X is not whole rows of the autoencoder's width, or a value is NaN or infinite
 */
export function encodeRows(sae: Sae, X: Float32Array): SparseRows {
  const { width, features } = sae;
  if (X.length % width !== 0)
    throw mismatch(
      "bad-input",
      "hidden states",
      `rows of ${width} values, the width of the autoencoder`,
      `${X.length} values`,
      {
        hint: "this autoencoder was trained on a model of another width",
      },
    );
  const rows = X.length / width;
  const builder = createSparseBuilder(rows, features);
  const step = Math.max(16, Math.min(rows, Math.floor(preActivations / features)));
  const tile = Math.max(8, Math.min(features, Math.floor(tileValues / width)));
  const inputs = new Float64Array(Math.min(step, rows) * width);
  const pre = new Float64Array(Math.min(step, rows) * features);
  const encoder = new Float64Array(tile * width);
  const { start, addRow } = createActivation(sae);
  for (let from = 0; from < rows; from += step) {
    const m = Math.min(step, rows - from);
    toInputs(sae, X, { from, m }, inputs);
    if (start) for (let i = 0; i < m; i++) pre.set(start, i * features);
    else pre.fill(0, 0, m * features);
    for (let first = 0; first < features; first += tile) {
      const n = Math.min(tile, features - first);
      encoder.set(sae.encoder.subarray(first * width, (first + n) * width));
      addProduct(
        { data: pre, offset: first, stride: features },
        { data: inputs, offset: 0, stride: width },
        { data: encoder, offset: 0, stride: width },
        { m, n, k: width },
      );
    }
    for (let i = 0; i < m; i++) addRow(pre.subarray(i * features, (i + 1) * features), builder);
  }
  return builder.build();
}

/** Rows as the encoder takes them: scaled, less the decoder's bias where the autoencoder subtracts it. */
function toInputs(sae: Sae, X: Float32Array, { from, m }: { from: number; m: number }, inputs: Float64Array): void {
  const { width, inputScale, decoderBias, subtractsDecoderBias } = sae;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < width; j++) {
      const value = X[(from + i) * width + j] as number;
      if (!Number.isFinite(value))
        throw mismatch("bad-input", "hidden states", "finite values", `${value} in row ${from + i}, dimension ${j}`);
      inputs[i * width + j] = value * inputScale - (subtractsDecoderBias ? (decoderBias[j] as number) : 0);
    }
}
