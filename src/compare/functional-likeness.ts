import type { Matrix } from "../linalg/matrix.ts";
import { transpose } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";

/**
 * How near a functional map C is to one between two spaces of equal shape: `1 − ‖off(CᵀC)‖²/‖CᵀC‖²`, off(·) without the diagonal.
 *
 * Where distances along both graphs are the same, C is orthogonal, CᵀC diagonal and this is 1. Chance is far from 0: a
 * square C of independent normals gives 1/2, and one fitted to few or wrong anchors gives anything, most of all under a strong regulariser, which makes
 * it diagonal by itself. Judge it beside its null. 0 for C = 0.
 *
 * @see Fumero et al., "Latent Functional Maps", arXiv 2406.14183, section 3
 */
export function functionalLikeness(C: Matrix): number {
  const P = gram(transpose(C));
  let [diagonal, all] = [0, 0];
  for (let i = 0; i < P.rows; i++)
    for (let j = 0; j < P.cols; j++) {
      const squared = (P.data[i * P.cols + j] as number) ** 2;
      all += squared;
      if (i === j) diagonal += squared;
    }
  return all > 0 ? diagonal / all : 0;
}

/**
 * Share of one side's smoothest functions that lies within the other's: `‖Ψᵀ Φ‖²/k`, for C = Ψᵀ Φ of two orthonormal bases at the same rows. The mean
 * squared cosine of the angles between the two spaces of functions; k/n for unrelated rows.
 *
 * @see Björck and Golub, "Numerical methods for computing angles between linear subspaces", Mathematics of Computation 27 (1973)
 */
export function functionalOverlap(C: Matrix): number {
  return C.data.reduce((sum, value) => sum + value * value, 0) / Math.min(C.rows, C.cols);
}
