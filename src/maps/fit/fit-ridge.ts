import { mismatch } from "../../errors.ts";
import { symmetricEigen } from "../../linalg/eigen.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiply, multiplyTransposed } from "../../linalg/multiply.ts";
import type { Moments } from "../moments.ts";
import { inverseDeviations } from "./inverse-deviations.ts";
import { scaleColumns, solveRidge } from "./solve-ridge.ts";

/** The coefficients of an affine map. */
export interface Affine {
  /** `[dTarget, dSource]` */
  readonly A: Matrix;
  /** `[dTarget]` */
  readonly p: Float64Array;
}

/** The standardised source covariance of a fit, decomposed once for every penalty. */
export interface SourceBasis {
  /** Eigenvalues of the source's correlation matrix, largest first, `[dSource]`; their mean is 1 where no dimension is constant. */
  readonly eigenvalues: Float64Array;
  /** Rows turn a centred source state into standardised principal components: V D⁻¹, `[dSource, dSource]`. */
  readonly W: Matrix;
  /** Largest over smallest eigenvalue among dimensions that vary; infinite if some combination of them never varied. */
  readonly condition: number;
  /** Eigenvalues above rounding noise. */
  readonly rank: number;
}

/** Every ridge solution of one set of rows. */
export interface RidgePath {
  readonly basis: SourceBasis;
  /** Covariance of the target with the standardised components, `[dTarget, dSource]`. */
  readonly G: Matrix;
  readonly meanX: Float64Array;
  readonly meanY: Float64Array;
  /** Factor by which each component enters under penalty `lambda`. */
  filter(lambda: number): Float64Array;
  /** The map that minimises Σ‖y − A x − p‖² + n λ Σᵢⱼ (Aᵢⱼ sⱼ)². @throws bad-input for a negative penalty */
  solve(lambda: number): Affine;
}

/**
 * Fits every ridge regression of y on x at once: centred, the source standardised dimension by dimension.
 *
 * With s the standard deviations of x, `A = Cyx D⁻¹ (R + λ I)⁻¹ D⁻¹ / n`, where D = diag(s) and R is the correlation matrix. λ is thus a
 * multiple of R's mean eigenvalue (1) and means the same at every site and scale. λ = 0 is ordinary least squares of smallest norm:
 * components that never varied are left out. Dimensions that are constant get zero coefficients. p = ȳ − A x̄.
 *
 * One eigendecomposition of `[dSource, dSource]` serves all λ; pass `basis` to reuse that of the same source rows.
 *
 * @throws bad-input if there are fewer than two rows or a value is not finite
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd ed., 3.4.1
 */
export function fitRidgePath(moments: Moments, basis: SourceBasis = decomposeSource(moments)): RidgePath {
  const { n, Cyx, meanX, meanY } = moments;
  const G = multiplyTransposed(Cyx, basis.W);
  for (let at = 0; at < G.data.length; at++) G.data[at] = (G.data[at] as number) / n;
  const filter = (lambda: number): Float64Array => {
    checkLambda(lambda);
    return basis.eigenvalues.map((value, k) => (k < basis.rank ? 1 / (value + lambda) : 0));
  };
  const solve = (lambda: number): Affine => {
    const A = multiply(scaleColumns(G, filter(lambda)), basis.W);
    return { A, p: intercept(A, meanX, meanY) };
  };
  return { basis, G, meanX, meanY, filter, solve };
}

/**
 * Fits one ridge regression: {@link fitRidgePath} at one penalty, by a Cholesky factor where that is safe.
 *
 * The factor costs about a tenth of the decomposition that serves every penalty. Where R + λ I has none, or a condition number above
 * 10⁸ so that rank must be decided first, the decomposition is used, and directions that never varied are left out as there.
 *
 * @throws bad-input as there
 * @example
 * const { A, p } = fitRidge(moments, { lambda: 0.01 });
 */
export function fitRidge(moments: Moments, { lambda }: { readonly lambda: number }): Affine {
  checkLambda(lambda);
  checkRows(moments.n);
  const A = solveRidge(moments, lambda);
  return A ? { A, p: intercept(A, moments.meanX, moments.meanY) } : fitRidgePath(moments).solve(lambda);
}

function checkLambda(lambda: number): void {
  if (!(lambda >= 0) || !Number.isFinite(lambda))
    throw mismatch("bad-input", "lambda", "a number of at least 0", String(lambda));
}

function checkRows(n: number): void {
  if (!(n >= 2)) throw mismatch("bad-input", "rows to fit", "at least 2", String(n));
}

/**
 * Standardises and decomposes the source covariance of some rows.
 *
 * @throws bad-input if there are fewer than two rows or a value is not finite
 */
export function decomposeSource({ n, meanX, Cxx }: Pick<Moments, "n" | "meanX" | "Cxx">): SourceBasis {
  checkRows(n);
  const d = Cxx.rows;
  const inverse = inverseDeviations(Cxx, meanX, n);
  const R = createMatrix(d, d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++)
      R.data[i * d + j] = ((Cxx.data[i * d + j] as number) / n) * ((inverse[i] as number) * (inverse[j] as number));
  const { values, vectors } = symmetricEigen(R);
  const largest = values[0] as number;
  const rank = values.findIndex((value) => !(value > d * Number.EPSILON * largest));
  const varying = inverse.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const found = rank < 0 ? d : rank;
  return {
    eigenvalues: values,
    W: scaleColumns(vectors, inverse),
    rank: found,
    condition: found === 0 || found < varying ? Number.POSITIVE_INFINITY : largest / (values[found - 1] as number),
  };
}

/**
 * The intercept of a map through the means, p = ȳ − A x̄.
 *
 * @throws bad-input if it is not finite, as then a row was not, or the map is too steep for float64
 */
export function intercept(A: Matrix, meanX: Float64Array, meanY: Float64Array): Float64Array {
  return meanY.map((value, i) => {
    let sum = value;
    const row = i * A.cols;
    for (let j = 0; j < A.cols; j++) sum -= (A.data[row + j] as number) * (meanX[j] as number);
    if (!Number.isFinite(sum))
      throw mismatch("bad-input", `moments, target dimension ${i}`, "finite values", `an intercept of ${sum}`);
    return sum;
  });
}
