import { mismatch } from "../errors.ts";
import { factorCholesky, solveLower } from "./cholesky.ts";
import { createMatrix, type Matrix, transpose } from "./matrix.ts";
import { gram } from "./multiply.ts";
import type { Random } from "./random.ts";

/**
 * Makes the rows of G `[k, n]`, k ≤ n, orthonormal while keeping their span row by row: Q with `G = L Q`, `Q Qᵀ = I`.
 *
 * CholeskyQR, run twice: the first pass loses about cond(G)² · 2⁻⁵² of orthogonality and the second wins it back, all of it in blocked
 * products. Good for cond(G) up to about 10⁷; beyond, the Gram matrix has no factor and that is an error.
 *
 * @throws bad-input if there are more rows than columns or the rows are (nearly) linearly dependent
 * @see Yamamoto, Nakatsukasa, Yanagisawa, Fukaya, ETNA 44 (2015): roundoff error analysis of CholeskyQR2
 */
export function orthonormaliseRows(G: Matrix): Matrix {
  if (G.rows > G.cols)
    throw mismatch("bad-input", "orthonormal rows", `at most ${G.cols} rows of width ${G.cols}`, `${G.rows}`);
  let Q = G;
  for (let pass = 0; pass < 2; pass++) {
    const factor = factorCholesky(gram(Q));
    if (!factor.isPositiveDefinite)
      throw mismatch(
        "bad-input",
        "orthonormal rows",
        "linearly independent rows",
        `row ${factor.pivot} in the span of those before it`,
      );
    Q = transpose(solveLower(factor.L, transpose(Q)));
  }
  return Q;
}

/**
 * Draws a random semi-orthogonal matrix `[rows, cols]`: orthonormal rows if it is wide, orthonormal columns if it is tall, uniform over
 * all of them (the Q of a Gaussian matrix with a positive triangular factor).
 *
 * @see Mezzadri, Notices of the AMS 54 (2007): how to generate random matrices from the classical compact groups
 */
export function randomSemiOrthogonal(rows: number, cols: number, random: Random): Matrix {
  const [short, long] = rows <= cols ? [rows, cols] : [cols, rows];
  const G = createMatrix(short, long);
  for (let i = 0; i < G.data.length; i++) G.data[i] = random.normal();
  const Q = orthonormaliseRows(G);
  return rows <= cols ? Q : transpose(Q);
}
