import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiply, transposedMultiply } from "../../linalg/multiply.ts";
import { svd } from "../../linalg/svd.ts";
import type { Moments } from "../moments.ts";
import { type Affine, fitRidgePath, intercept, type RidgePath } from "./fit-ridge.ts";
import { scaleColumns } from "./solve-ridge.ts";

/** Reduced-rank regressions of one set of rows at one penalty, for every rank. */
export interface ReducedRankPath {
  readonly lambda: number;
  /** Directions of the target, best first, as columns `[dTarget, k]`, k = min(dSource, dTarget). */
  readonly U: Matrix;
  /** The ridge map in those directions, Uᵀ A `[k, dSource]`: what a rank keeps are its first rows. */
  readonly B: Matrix;
  /** Share of the full map's fitted variance (its penalty included) by direction, `[k]`. */
  readonly shares: Float64Array;
  /** Largest rank that still adds anything: directions that source and target share. */
  readonly maxRank: number;
  readonly meanX: Float64Array;
  readonly meanY: Float64Array;
  /** The best map of a rank; of more than `maxRank`, the full one. @throws bad-input for a rank that is not an integer from 1 to k */
  solve(rank: number): Affine;
}

/**
 * Fits reduced-rank ridge regression for every rank at once: minimises Σ‖y − A x − p‖² + n λ Σᵢⱼ (Aᵢⱼ sⱼ)² over A of rank r.
 *
 * The ridge map A is found first; its fitted values, with the rows √(nλ) D of the penalty under them, have the covariance
 * M = A (Cxx + nλD²) Aᵀ; with U its leading eigenvectors the solution is U_r U_rᵀ A. They come from an SVD of a root of M, so one
 * decomposition of the source and one of `[dTarget, dSource]` serve every rank. λ as in {@link fitRidge}, whose map is that of full
 * rank. Target directions weigh by their variance: in a whitened target ({@link toSpace}) they are the canonical directions instead.
 *
 * @throws bad-input as {@link fitRidgePath}
 * @see Mukherjee and Zhu, "Reduced rank ridge regression", Statistical Analysis and Data Mining 4 (2011)
 */
export function fitReducedRankPath(
  moments: Moments,
  { lambda, path = fitRidgePath(moments) }: { readonly lambda: number; readonly path?: RidgePath },
): ReducedRankPath {
  const { G, basis, meanX, meanY } = path;
  const filter = path.filter(lambda);
  // A = G F W with F the filter, and A (Cxx + nλD²) Aᵀ = n G F Gᵀ: a root of it is G √F.
  const { U, s } = svd(scaleColumns(G, filter.map(Math.sqrt)));
  const B = multiply(scaleColumns(transposedMultiply(U, G), filter), basis.W);
  const total = s.reduce((sum, value) => sum + value * value, 0);
  const floor = Math.max(G.rows, G.cols) * Number.EPSILON * (s[0] ?? 0);
  const k = s.length;
  const solve = (rank: number): Affine => {
    if (!Number.isSafeInteger(rank) || rank < 1 || rank > k)
      throw mismatch("bad-input", "rank", `an integer from 1 to ${k}`, String(rank));
    const A = multiply(leadingColumns(U, rank), createMatrix(rank, B.cols, B.data.slice(0, rank * B.cols)));
    return { A, p: intercept(A, meanX, meanY) };
  };
  return {
    lambda,
    U,
    B,
    shares: s.map((value) => (total > 0 ? (value * value) / total : 0)),
    maxRank: s.filter((value) => value > floor).length,
    meanX,
    meanY,
    solve,
  };
}

/**
 * Fits one reduced-rank ridge regression: {@link fitReducedRankPath} at one rank.
 *
 * @throws bad-input as there
 * @example
 * const { A, p } = fitReducedRank(moments, { rank: 32, lambda: 0.01 });
 */
export function fitReducedRank(
  moments: Moments,
  { rank, lambda }: { readonly rank: number; readonly lambda: number },
): Affine {
  return fitReducedRankPath(moments, { lambda }).solve(rank);
}

function leadingColumns(A: Matrix, cols: number): Matrix {
  const result = createMatrix(A.rows, cols);
  for (let i = 0; i < A.rows; i++) result.data.set(A.data.subarray(i * A.cols, i * A.cols + cols), i * cols);
  return result;
}
