import type { Matrix } from "../linalg/matrix.ts";
import { transpose } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";

/**
 * How near a functional map C is to one between two spaces of equal shape: `1 − ‖off(CᵀC)‖²/‖CᵀC‖²`, off(·) without the diagonal.
 *
 * Where distances along both graphs are the same, C is orthogonal, CᵀC diagonal and this is 1. It is never 0: a random C of k columns gives about
 * 2/k of it. 0 for C = 0.
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
