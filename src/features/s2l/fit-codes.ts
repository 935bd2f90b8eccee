import { mismatch, TrimtabError } from "../../errors.ts";
import { factorCholesky, solveCholesky } from "../../linalg/cholesky.ts";
import { createMatrix, type Matrix, transpose } from "../../linalg/matrix.ts";
import type { CodeMoments } from "./code-moments.ts";
import { solveByGradients } from "./solve-by-gradients.ts";
import { toDense } from "./sparse-gram.ts";

/** Coefficients of a map from features to hidden states: `y ≈ f B + p`. */
export interface FeatureCoefficients {
  /** `[features, targetWidth]`: row j is what one unit of feature j adds. */
  readonly B: Matrix;
  /** `[targetWidth]`. */
  readonly p: Float64Array;
}

export interface FitCodesOptions {
  /** Penalty as a multiple of the mean variance of the features that ever were active. */
  readonly lambda: number;
  /** Fit pairs without a relation instead, from the shuffled sums. */
  readonly shuffled?: boolean;
  /** `factor` is dense and exact, `gradients` conjugate gradients on the sparse sums. Default by size. */
  readonly solver?: "factor" | "gradients";
}

/** Up to so many features the dense factor takes under 300 MB and a few seconds. */
const mostDense = 6144;

/**
 * Fits hidden states of the target on features of the source by ridge regression: minimises `Σ‖y − f B − p‖² + n λ v̄ ‖B‖²`, centred, v̄ the
 * mean variance of the features that were ever active.
 *
 * One penalty for all features, not one in proportion to each one's variance: a feature that was active in three rows would else be fitted
 * to these three. Features that were never active get 0.
 *
 * @throws bad-input for fewer than two rows, no active feature, or a penalty that is not above 0; internal if the equations cannot be solved
 */
export function fitCodes(
  moments: CodeMoments,
  { lambda, shuffled = false, solver }: FitCodesOptions,
): FeatureCoefficients {
  const { n, features, targetWidth, sumCodes, sumTarget } = moments;
  if (!(n >= 2)) throw mismatch("bad-input", "rows to fit", "at least 2", String(n));
  if (!(lambda > 0 && Number.isFinite(lambda)))
    throw mismatch("bad-input", "lambda", "a number above 0", String(lambda));
  const penalty = n * lambda * meanVariance(moments);
  if (!(penalty > 0))
    throw mismatch("bad-input", "features", "some that are active in some rows and not in all alike", "none");
  const C = centredProducts(shuffled ? moments.shuffled : moments, moments);
  const isDense = (solver ?? (features <= mostDense ? "factor" : "gradients")) === "factor";
  const B = isDense ? solveByFactor(moments, penalty, C) : solveByGradients(moments, penalty, C);
  const p = sumTarget.map((sum) => sum / n);
  for (let j = 0, at = 0; j < features; j++)
    for (let i = 0; i < targetWidth; i++, at++)
      p[i] = (p[i] as number) - ((sumCodes[j] as number) / n) * (B.data[at] as number);
  return { B, p };
}

/**
 * Σ f yᵀ − Σf Σyᵀ / n of the rows summed, brought to as many as there are rows to fit: a window alone in its unit has no other to be put
 * beside, so of shuffled rows there may be fewer, or none.
 */
function centredProducts(
  { n, sumCodes, sumTarget, cross }: CodeMoments["shuffled"],
  { n: all, features, targetWidth }: CodeMoments,
): Matrix {
  const C = createMatrix(features, targetWidth);
  if (n === 0) return C;
  for (let j = 0, at = 0; j < features; j++)
    for (let i = 0; i < targetWidth; i++, at++)
      C.data[at] = ((cross[at] as number) - ((sumCodes[j] as number) * (sumTarget[i] as number)) / n) * (all / n);
  return C;
}

function meanVariance({ n, gram, sumCodes, active }: CodeMoments): number {
  let total = 0;
  gram.forEach((i, j, sum) => {
    if (i === j) total += sum / n - ((sumCodes[i] as number) / n) ** 2;
  });
  const seen = active.reduce((count, rows) => count + Number(rows > 0), 0);
  return seen === 0 ? 0 : total / seen;
}

function solveByFactor({ n, features, gram, sumCodes }: CodeMoments, penalty: number, C: Matrix): Matrix {
  const S = toDense(gram);
  for (let i = 0; i < features; i++) {
    for (let j = 0; j < features; j++)
      S.data[i * features + j] =
        (S.data[i * features + j] as number) - ((sumCodes[i] as number) * (sumCodes[j] as number)) / n;
    S.data[i * features + i] = (S.data[i * features + i] as number) + penalty;
  }
  const factor = factorCholesky(S);
  if (!factor.isPositiveDefinite)
    throw new TrimtabError("internal", `internal: sums of codes have no factor at feature ${factor.pivot}`);
  return transpose(solveCholesky(factor.L, transpose(C)));
}
