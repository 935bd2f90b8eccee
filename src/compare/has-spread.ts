import type { Matrix } from "../linalg/matrix.ts";

/**
 * True if the rows of X differ in some column by more than rounding (2⁻⁵⁰ of its largest value): else there is nothing to be alike in, and what is left
 * after centring is noise of the last bits.
 */
export function hasSpread({ rows, cols, data }: Matrix): boolean {
  for (let j = 0; j < cols; j++) {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < rows; i++) {
      const value = data[i * cols + j] as number;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (most - least > 4 * Number.EPSILON * Math.max(Math.abs(least), Math.abs(most))) return true;
  }
  return false;
}
