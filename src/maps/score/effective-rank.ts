import { mismatch } from "../../errors.ts";
import { symmetricEigen } from "../../linalg/eigen.ts";
import { multiply, multiplyTransposed } from "../../linalg/multiply.ts";
import type { Affine } from "../fit/fit-ridge.ts";
import type { Moments } from "../moments.ts";

/**
 * The number of directions that a map's output occupies: exp(−Σ πₖ ln πₖ), π the eigenvalues of `A Cxx Aᵀ` over their sum.
 *
 * Between 1 (all rows land on a line) and dTarget (variance alike in all directions); k equal directions give k. It depends on the rows:
 * the source's spread is part of it. 0 for a map that takes every row to one point.
 *
 * @throws bad-input if the widths differ
 * @see Roy and Vetterli, "The effective rank", EUSIPCO 2007, of the covariance of the output
 */
export function effectiveRank({ A }: Pick<Affine, "A">, { Cxx }: Pick<Moments, "Cxx">): number {
  if (A.cols !== Cxx.rows) throw mismatch("bad-input", "map", `one from ${Cxx.rows} dimensions`, `one from ${A.cols}`);
  const { values } = symmetricEigen(multiplyTransposed(multiply(A, Cxx), A));
  // Below rounding an eigenvalue may come out negative: it is 0.
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  if (!(total > 0)) return 0;
  let entropy = 0;
  for (const value of values) {
    const share = value / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}
