import { mismatch } from "../../errors.ts";
import { multiply } from "../../linalg/multiply.ts";
import type { Affine } from "./fit-ridge.ts";

/**
 * The map that applies `first` and then `second`: x ↦ B (A x + p) + q, as one.
 *
 * @throws bad-input if the first ends in another width than the second starts from
 */
export function composeAffine(first: Affine, second: Affine): Affine {
  const { A: B, p: q } = second;
  if (B.cols !== first.A.rows)
    throw mismatch("bad-input", "maps to join", `a second map from ${first.A.rows} dimensions`, `from ${B.cols}`);
  const p = q.map((value, i) => {
    let sum = value;
    for (let j = 0; j < B.cols; j++) sum += (B.data[i * B.cols + j] as number) * (first.p[j] as number);
    return sum;
  });
  return { A: multiply(B, first.A), p };
}
