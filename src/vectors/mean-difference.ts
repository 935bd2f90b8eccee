import type { PairRows } from "./read-pair-rows.ts";

/**
 * Fits the direction of contrastive activation addition: mean of the positive rows − mean of the negative rows, `[width]`.
 *
 * Its length is kept: it is how far apart the two sides lie, and a concept that is hardly there gives a short vector.
 *
 * @see Rimsky et al., Steering Llama 2 via Contrastive Activation Addition, https://arxiv.org/abs/2312.06681
 */
export function meanDifference({ pairs, width, positive, negative }: PairRows): Float64Array {
  const sum = new Float64Array(width);
  for (let i = 0; i < pairs; i++)
    for (let j = 0; j < width; j++) sum[j] = sum[j]! + (positive[i * width + j]! - negative[i * width + j]!);
  return sum.map((value) => value / pairs);
}
