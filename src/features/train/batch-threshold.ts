import type { Block } from "./blocks.ts";
import { createEntries } from "./entries.ts";
import { preActivations } from "./gradients.ts";
import { selectBatchTopK } from "./select.ts";
import type { TrainingState } from "./training-state.ts";

/** Batches over which the threshold is a mean: it then varies by less than a part in a hundred. */
const batches = 32;

/**
 * The threshold that lets a `batchtopk` autoencoder code one row at a time: the mean, over batches, of the smallest coefficient that was
 * among the largest of its batch.
 *
 * @see Bussmann et al., arXiv 2412.06410, eq. 7
 */
export function batchThreshold(state: TrainingState, { rows }: Block, order: Int32Array, width: number): number {
  const { settings, parameters, inputScale } = state;
  const { batch, k } = settings;
  const X = new Float64Array(batch * width);
  let sum = 0;
  let count = 0;
  for (let b = 0; b < batches && (b + 1) * batch <= order.length; b++) {
    for (let i = 0; i < batch; i++) {
      const from = (order[b * batch + i] as number) * width;
      for (let t = 0; t < width; t++) X[i * width + t] = (rows[from + t] as number) * inputScale;
    }
    const active = createEntries(batch * 64);
    selectBatchTopK(preActivations(X, parameters), Math.round(k * batch), active);
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < active.count; at++) least = Math.min(least, active.value[at] as number);
    if (active.count === 0) continue;
    sum += least;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}
