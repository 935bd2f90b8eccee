import { mismatch } from "../errors.ts";
import { factorCholesky, solveCholesky } from "../linalg/cholesky.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { gram, multiplyTransposed, transposedMultiply } from "../linalg/multiply.ts";
import type { LaplacianBasis } from "./laplacian-basis.ts";

export interface FunctionalMapOptions {
  /**
   * Weight of commuting with the two Laplacians, as a multiple of the mean squared coefficient of the descriptors. Default 0.1.
   * 0 leaves it out, which needs at least as many descriptors as basis functions.
   */
  readonly alpha?: number | undefined;
}

/**
 * Fits the matrix C `[kTo, kFrom]` that carries functions on one graph to functions on another: coefficients in the one's Laplacian basis to
 * coefficients in the other's.
 *
 * Known are m pairs of functions that belong together, the descriptors F `[nFrom, m]` and G `[nTo, m]`, such as the distances of all rows to anchor
 * rows whose counterparts are known. With their coefficients a = Φᵀ F and b = Ψᵀ G, and Λ the eigenvalues, C minimises
 *
 *   ‖C a − b‖² + α s Σᵢⱼ ((λᵢ − μⱼ) Cᵢⱼ)²,   s = ‖a‖²/k
 *
 * The second term says that C should commute with the Laplacians: smooth functions stay smooth. It makes C nearly diagonal where the anchors leave it
 * open. Each row of C is a least-squares problem of its own, solved exactly. Of the published objective it leaves out the term that makes C commute
 * with the descriptors as operators, whose cost grows with k⁴.
 *
 * @throws bad-input if the descriptors are not as many on both sides, or not of these graphs' rows, or leave C open
 * @see Ovsjanikov et al., "Functional maps", ACM TOG 31 (2012); Fumero et al., "Latent Functional Maps", arXiv 2406.14183
 */
export function fitFunctionalMap(
  from: LaplacianBasis,
  to: LaplacianBasis,
  { F, G }: { readonly F: Matrix; readonly G: Matrix },
  { alpha = 0.1 }: FunctionalMapOptions = {},
): Matrix {
  if (!(alpha >= 0) || !Number.isFinite(alpha))
    throw mismatch("bad-input", "alpha", "a number of at least 0", String(alpha));
  if (F.cols !== G.cols || F.cols === 0)
    throw mismatch("bad-input", "descriptors", "as many on both sides, at least one", `${F.cols} and ${G.cols}`);
  for (const [matrix, { functions }] of [
    [F, from],
    [G, to],
  ] as const)
    if (matrix.rows !== functions.rows)
      throw mismatch("bad-input", "descriptors", `${functions.rows} rows, as the graph`, String(matrix.rows));
  return solveFunctionalMap(from.values, to.values, {
    a: transposedMultiply(from.functions, F),
    b: transposedMultiply(to.functions, G),
    alpha,
  });
}

/** The same from the descriptors' coefficients: a `[kFrom, m]`, b `[kTo, m]`. @throws bad-input if they leave C open */
export function solveFunctionalMap(
  valuesFrom: Float64Array,
  valuesTo: Float64Array,
  { a, b, alpha }: { readonly a: Matrix; readonly b: Matrix; readonly alpha: number },
): Matrix {
  const k = valuesFrom.length;
  const normal = gram(a);
  const right = multiplyTransposed(b, a);
  let scale = 0;
  for (let j = 0; j < k; j++) scale += (normal.data[j * k + j] as number) / k;
  const C = createMatrix(valuesTo.length, k);
  for (let i = 0; i < valuesTo.length; i++) {
    const S = createMatrix(k, k, normal.data.slice());
    // A rounding's worth of ridge: where λᵢ = μⱼ the regulariser says nothing of Cᵢⱼ, and few anchors may not either.
    for (let j = 0; j < k; j++) {
      const gap = (valuesFrom[j] as number) - (valuesTo[i] as number);
      S.data[j * k + j] = (S.data[j * k + j] as number) + scale * (alpha * gap * gap + 1e-9);
    }
    const factor = factorCholesky(S);
    if (!factor.isPositiveDefinite)
      throw mismatch("bad-input", "functional map", "descriptors that vary", `a pivot of ${factor.value}`, {
        hint: "give more anchors, or a larger alpha",
      });
    const row = createMatrix(1, k, right.data.slice(i * k, (i + 1) * k));
    C.data.set(solveCholesky(factor.L, row).data, i * k);
  }
  return C;
}
