import { factorCholesky, solveCholesky } from "../../linalg/cholesky.ts";
import { estimateCondition } from "../../linalg/condition.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import type { Moments } from "../moments.ts";
import { inverseDeviations } from "./inverse-deviations.ts";

/**
 * Up to this condition number a triangular solve keeps half the digits, and no direction is near the limit where rank is decided. Beyond,
 * directions that never varied would enter with rounding noise divided by lambda.
 */
const maxCondition = 1e8;

/**
 * Solves the ridge equations `A D⁻¹ (R + λ I) = Cyx D⁻¹ / n` by one Cholesky factor: A `[dTarget, dSource]`, about a tenth of the work of
 * an eigendecomposition. Undefined where there is no factor or it says too little, so that directions must be told apart first.
 */
export function solveRidge({ n, meanX, Cxx, Cyx }: Moments, lambda: number): Matrix | undefined {
  const d = Cxx.rows;
  const inverse = inverseDeviations(Cxx, meanX, n);
  const S = createMatrix(d, d);
  for (let i = 0; i < d; i++) {
    const factor = (inverse[i] as number) / n;
    const row = i * d;
    for (let j = 0; j < i; j++) S.data[row + j] = (Cxx.data[row + j] as number) * (factor * (inverse[j] as number));
    // A constant dimension has a correlation of 0 with everything; with 1 here its coefficients come out as zeros.
    S.data[row + i] = factor > 0 ? 1 + lambda : 1;
  }
  const factor = factorCholesky(S);
  if (!factor.isPositiveDefinite) return undefined;
  // The eigenvalues of R sum to d at most, which bounds the condition number without an estimate for all but the least penalties.
  if (!(d + lambda <= maxCondition * lambda) && !(estimateCondition(S, factor.L) <= maxCondition)) return undefined;
  return scaleColumns(solveCholesky(factor.L, scaleColumns(Cyx, inverse, 1 / n)), inverse);
}

/** A with column j multiplied by factor · factors[j], a copy. */
export function scaleColumns(A: Matrix, factors: Float64Array, factor = 1): Matrix {
  const { rows, cols } = A;
  const result = createMatrix(rows, cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0, at = i * cols; j < cols; j++, at++)
      result.data[at] = (A.data[at] as number) * (factor * (factors[j] as number));
  return result;
}
