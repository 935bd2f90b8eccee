import type { TrainSettings } from "./settings.ts";

/** Bytes that a training holds, by what they are for. */
export interface TrainingMemory {
  /** Parameters, gradients and Adam's two means, float64. */
  readonly parameters: number;
  /** One batch: its pre-activations, its active places, its rows. */
  readonly batch: number;
  /** Rows held together, once there are so many. */
  readonly rows: number;
}

/** Estimates the memory of a training on rows of some width, the model not counted. */
export function estimateTraining(
  { kind, features, k, batch, bufferRows }: TrainSettings,
  width: number,
): TrainingMemory {
  const values = 2 * features * width + (kind === "jumprelu" ? 2 : 1) * features + width;
  // Of jumprelu and batchtopk a row may have several times k.
  const places = 16 * batch * Math.max(64, 4 * k);
  return {
    parameters: 4 * 8 * values,
    batch: 8 * batch * (features + 3 * width) + places,
    rows: 4 * bufferRows * width,
  };
}
