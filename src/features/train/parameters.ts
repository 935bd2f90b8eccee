import type { Random } from "../../linalg/random.ts";
import type { TrainSettings } from "./settings.ts";

/** What is learnt, float64; shapes as in `Sae`. The same shape serves gradients and the moments of Adam. */
export interface Parameters {
  /** `[features, width]`. */
  readonly encoder: Float64Array;
  /** `[features]`. */
  readonly encoderBias: Float64Array;
  /** `[features, width]`, rows of length 1. */
  readonly decoder: Float64Array;
  /** `[width]`. */
  readonly decoderBias: Float64Array;
  /** `[features]`: logarithms of the thresholds, of `jumprelu`; empty for the others. */
  readonly logThreshold: Float64Array;
}

export const parameterNames = ["encoder", "encoderBias", "decoder", "decoderBias", "logThreshold"] as const;

/** Zeros in the shape of the parameters. */
export function createParameters({ kind, features }: TrainSettings, width: number): Parameters {
  return {
    encoder: new Float64Array(features * width),
    encoderBias: new Float64Array(features),
    decoder: new Float64Array(features * width),
    decoderBias: new Float64Array(width),
    logThreshold: new Float64Array(kind === "jumprelu" ? features : 0),
  };
}

/**
 * Draws where training starts: decoder rows uniform on the sphere, the encoder equal to them (so that a feature first reads what it
 * writes), the decoder's bias at `mean`.
 */
export function drawParameters(settings: TrainSettings, mean: Float64Array, random: Random): Parameters {
  const width = mean.length;
  const parameters = createParameters(settings, width);
  const { encoder, decoder, decoderBias } = parameters;
  for (let at = 0; at < decoder.length; at++) decoder[at] = random.normal();
  normaliseRows(decoder, width);
  encoder.set(decoder);
  decoderBias.set(mean);
  return parameters;
}

/** Scales every row to length 1 in place; a row of zeros stays. */
export function normaliseRows(rows: Float64Array, width: number): void {
  for (let start = 0; start < rows.length; start += width) {
    let square = 0;
    for (let t = start; t < start + width; t++) square += (rows[t] as number) ** 2;
    if (square === 0) continue;
    const factor = 1 / Math.sqrt(square);
    for (let t = start; t < start + width; t++) rows[t] = (rows[t] as number) * factor;
  }
}

/** Takes from each row of the gradient what points along the row itself: it would only change a length that is put back to 1. */
export function removeParallel(gradient: Float64Array, rows: Float64Array, width: number): void {
  for (let start = 0; start < rows.length; start += width) {
    let along = 0;
    for (let t = start; t < start + width; t++) along += (gradient[t] as number) * (rows[t] as number);
    if (along === 0) continue;
    for (let t = start; t < start + width; t++) gradient[t] = (gradient[t] as number) - along * (rows[t] as number);
  }
}
