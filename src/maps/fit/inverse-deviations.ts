import type { Matrix } from "../../linalg/matrix.ts";

/** A dimension that varies by less than this share of its mean is constant: what is left is rounding of the mean, far below float32. */
const constancy = 2 ** -40;

/**
 * One over the standard deviation of every dimension, 0 for those that are constant, `[d]`.
 *
 * `C` is the centred sum of products `[d, d]` of rows of total weight `n` about `mean` `[d]`.
 */
export function inverseDeviations(C: Matrix, mean: Float64Array, n: number): Float64Array {
  return mean.map((centre, j) => {
    const deviation = Math.sqrt((C.data[j * C.cols + j] as number) / n);
    return deviation > constancy * Math.abs(centre) ? 1 / deviation : 0;
  });
}
