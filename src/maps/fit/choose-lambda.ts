import { mismatch } from "../../errors.ts";
import { createMatrix, transpose } from "../../linalg/matrix.ts";
import { gram, multiply, multiplyTransposed } from "../../linalg/multiply.ts";
import { diagonal, type Moments } from "../moments.ts";
import type { RidgePath } from "./fit-ridge.ts";
import { scaleColumns } from "./solve-ridge.ts";

/** Ridge penalties with their R² on validation rows, and the best of them. */
export interface LambdaChoice {
  readonly lambda: number;
  readonly tried: readonly { readonly lambda: number; readonly r2: number }[];
}

/** Above this condition number, ordinary least squares is not among the choices: its coefficients would be mostly rounding and noise. */
const maxOlsCondition = 1e10;

/** Multiples of the mean eigenvalue from 10⁻⁶ to 10², two a decade: below, ridge is least squares; above, nearly the mean. */
const lambdaGrid: readonly number[] = Array.from({ length: 17 }, (_, i) => 10 ** (-6 + i / 2));

/** The penalties tried unless others are named: the grid, and 0 where least squares is well conditioned. */
export function defaultLambdas(path: RidgePath): readonly number[] {
  return path.basis.condition < maxOlsCondition ? [0, ...lambdaGrid] : lambdaGrid;
}

/**
 * Scores every penalty on rows that did not fit it, from their moments alone, and returns the best; the larger of equals.
 *
 * With G the path's covariances, f the filter of λ and z = W (x − x̄) the components: SSE(λ) = Σ‖y − ȳ‖² − 2 Σ f·diag(Gᵀ Cyz) +
 * fᵀ((Gᵀ G) ∘ Czz) f + n‖ȳ − ŷ(x̄)‖². The products are taken once, so a penalty costs no more than `dSource · (dSource + dTarget)`.
 *
 * @throws bad-input if no penalty is given or the validation rows do not vary
 */
export function chooseLambda(path: RidgePath, validation: Moments, lambdas: readonly number[]): LambdaChoice {
  if (lambdas.length === 0) throw mismatch("bad-input", "lambdas", "at least one penalty", "none");
  const { G, basis, meanX, meanY } = path;
  const { W } = basis;
  const d = W.rows;
  const total = diagonal(validation.Cyy).reduce((sum, value) => sum + value, 0);
  if (!(total > 0))
    throw mismatch("bad-input", "validation rows", "target states that vary", `a total variance of ${total}`);
  const Czz = multiplyTransposed(multiply(W, validation.Cxx), W);
  const Cyz = multiplyTransposed(validation.Cyx, W);
  const GG = gram(transpose(G));
  const cross = new Float64Array(d);
  for (let at = 0; at < G.data.length; at++)
    cross[at % d] = (cross[at % d] as number) + (G.data[at] as number) * (Cyz.data[at] as number);
  const shift = Float64Array.from({ length: d }, (_, k) => {
    let sum = 0;
    for (let j = 0; j < d; j++)
      sum += (W.data[k * d + j] as number) * ((validation.meanX[j] as number) - (meanX[j] as number));
    return sum;
  });

  // All penalties at once: rows of F are their filters.
  const F = createMatrix(lambdas.length, d, Float64Array.from(lambdas.flatMap((lambda) => [...path.filter(lambda)])));
  const squares = createMatrix(
    d,
    d,
    GG.data.map((value, at) => value * (Czz.data[at] as number)),
  );
  const FS = multiply(F, squares);
  const moved = multiplyTransposed(F, scaleColumns(G, shift));
  const tried = lambdas.map((lambda, row) => {
    let sse = total;
    for (let k = 0, at = row * d; k < d; k++, at++)
      sse += (F.data[at] as number) * ((FS.data[at] as number) - 2 * (cross[k] as number));
    for (let i = 0, at = row * G.rows; i < G.rows; i++, at++) {
      const gap = (validation.meanY[i] as number) - (meanY[i] as number) - (moved.data[at] as number);
      sse += validation.n * gap * gap;
    }
    return { lambda, r2: 1 - sse / total };
  });
  const best = tried.reduce((a, b) => (b.r2 > a.r2 || (b.r2 === a.r2 && b.lambda > a.lambda) ? b : a));
  return { lambda: best.lambda, tried };
}
