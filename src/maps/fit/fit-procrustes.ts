import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiply } from "../../linalg/multiply.ts";
import { svd } from "../../linalg/svd.ts";
import type { Moments } from "../moments.ts";
import { type Affine, intercept } from "./fit-ridge.ts";

export interface ProcrustesOptions {
  /** Multiplies the rotation by the one factor that fits best; without it lengths are kept as they are. Default false. */
  readonly scaled?: boolean | undefined;
}

/** A rotation between two spaces, with one scale. */
export interface ProcrustesFit extends Affine {
  /** A = scale · Q; 1 unless asked for. */
  readonly scale: number;
  /** Semi-orthogonal `[dTarget, dSource]`: QᵀQ = I if tall or square, QQᵀ = I if wide. */
  readonly Q: Matrix;
  /**
   * Directions that source and target share, the rank of Cyx. Below min(dSource, dTarget) the rows leave the rest of Q open: it is some
   * semi-orthogonal completion, and where it takes those directions means nothing.
   */
  readonly rank: number;
  readonly warnings: readonly string[];
}

/**
 * Fits the rotation (or reflection) that carries source to target, with `scaled` times one factor: y ≈ c Q x + p, Q semi-orthogonal.
 *
 * Q = U Vᵀ from the thin SVD Cyx = U Σ Vᵀ, which maximises tr(Qᵀ Cyx), the covariance of Q x with y. What that minimises depends on
 * the shape, as Σ‖y − cQx‖² = tr Cyy − 2c tr(QᵀCyx) + c² tr(Q Cxx Qᵀ):
 * - **square or tall** (dTarget ≥ dSource): Q keeps every length, tr(Q Cxx Qᵀ) = tr Cxx whatever Q, and Q is the least-squares solution
 *   among all such matrices; with c = tr Σ/tr Cxx it is so jointly.
 * - **wide** (dTarget < dSource): Q drops dSource − dTarget directions, tr(Q Cxx Qᵀ) depends on which, and Q is *not* the least-squares
 *   solution, which has no closed form. It minimises Σ‖x − Qᵀy‖², the way back, and equally Σ‖(y, 0) − Rx‖² over square rotations R of
 *   which it is the upper part (the target padded with zeros). c = tr Σ/tr(Q Cxx Qᵀ) is the least-squares factor for this Q.
 *
 * Dimensions weigh by their variance: one that is 10⁴ times the rest decides alone. Standardise or whiten first ({@link toSpace}) if it
 * should not. p = ȳ − A x̄.
 *
 * @throws bad-input if there are fewer than two rows, a value is not finite, or source and target do not vary together at all
 * @see Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966)
 * @example
 * const { A, p, scale } = fitProcrustes(moments, { scaled: true });
 */
export function fitProcrustes(moments: Moments, { scaled = false }: ProcrustesOptions = {}): ProcrustesFit {
  const { n, meanX, meanY, Cxx, Cyx } = moments;
  if (!(n >= 2)) throw mismatch("bad-input", "rows to fit", "at least 2", String(n));
  const { U, s, Vt } = svd(Cyx);
  const floor = Math.max(Cyx.rows, Cyx.cols) * Number.EPSILON * (s[0] ?? 0);
  const rank = s.filter((value) => value > floor).length;
  if (rank === 0)
    throw mismatch("bad-input", "rows to rotate", "a source and a target that vary together", "no covariance at all");
  const Q = multiply(U, Vt);
  const scale = scaled ? inner(Q, Cyx) / inner(multiply(Q, Cxx), Q) : 1;
  const A = createMatrix(
    Q.rows,
    Q.cols,
    Q.data.map((value) => scale * value),
  );
  const most = Math.min(Cyx.rows, Cyx.cols);
  const warnings =
    rank < most
      ? [`source and target share ${rank} of ${most} directions: the rotation of the others is arbitrary`]
      : [];
  return { A, p: intercept(A, meanX, meanY), scale, Q, rank, warnings };
}

function inner(A: Matrix, B: Matrix): number {
  let sum = 0;
  for (let at = 0; at < A.data.length; at++) sum += (A.data[at] as number) * (B.data[at] as number);
  return sum;
}
