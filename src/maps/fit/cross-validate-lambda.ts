import { mismatch } from "../../errors.ts";
import { addMoments, type Moments, subtractMoments } from "../moments.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import { fitRidgePath } from "./fit-ridge.ts";

/** How a penalty is picked from the scores: the best mean, or the largest penalty within one standard error of it. */
export type LambdaRule = "best" | "one-standard-error";

/** Ridge penalties with their cross-validated scores. */
export interface CrossValidation {
  /** The penalty that `rule` picks. */
  readonly lambda: number;
  readonly rule: LambdaRule;
  readonly tried: readonly CrossValidatedLambda[];
  /** Total weight of all folds. */
  readonly n: number;
}

export interface CrossValidatedLambda {
  readonly lambda: number;
  /** Mean over folds of R² on the fold that did not fit. */
  readonly r2: number;
  /** Standard deviation of the folds' R² over √K: a guide, as folds share most of their training rows. */
  readonly standardError: number;
  /** R² by fold, `[K]`. */
  readonly byFold: Float64Array;
}

export interface CrossValidationOptions {
  /** Penalties to try; default {@link defaultLambdas}, with 0 only if least squares is well conditioned without every fold. */
  readonly lambdas?: readonly number[] | undefined;
  readonly rule?: LambdaRule | undefined;
}

/**
 * Chooses a ridge penalty by K-fold cross-validation from the moments of K folds, without rows: each fold is subtracted from the whole,
 * every penalty is fitted on the rest and scored on the fold.
 *
 * One decomposition a fold. Folds should be whole documents: neighbouring rows share their context. R² of a fold is about that fold's
 * own mean, as in {@link chooseLambda}. Of equal means the larger penalty wins. `one-standard-error` takes the largest penalty whose
 * mean is within one standard error of the best one's: a smoother map for no loss that the folds could show.
 *
 * @throws bad-input for fewer than two folds, folds of different widths, an empty fold, or one whose target does not vary
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd ed., 7.10
 * @example
 * const { lambda } = crossValidateLambda(folds);
 * const { A, p } = fitRidge(folds.reduce(addMoments), { lambda });
 */
export function crossValidateLambda(
  folds: readonly Moments[],
  { lambdas, rule = "best" }: CrossValidationOptions = {},
): CrossValidation {
  if (folds.length < 2) throw mismatch("bad-input", "folds", "at least 2", String(folds.length));
  const empty = folds.findIndex(({ n }) => !(n > 0));
  if (empty >= 0) throw mismatch("bad-input", `fold ${empty}`, "rows", "none");
  const whole = folds.reduce((sum, fold) => addMoments(sum, fold));
  const scored = folds.map((fold) => {
    const path = fitRidgePath(subtractMoments(whole, fold));
    const { tried } = chooseLambda(path, fold, lambdas ?? defaultLambdas(path));
    return new Map(tried.map(({ lambda, r2 }) => [lambda, r2]));
  });
  const inAll = [...(scored[0] as Map<number, number>).keys()].filter((lambda) =>
    scored.every((fold) => fold.has(lambda)),
  );
  const tried = inAll.map((lambda) => {
    const byFold = Float64Array.from(scored, (fold) => fold.get(lambda) as number);
    return { lambda, ...meanAndError(byFold), byFold };
  });
  const best = tried.reduce((a, b) => (b.r2 > a.r2 || (b.r2 === a.r2 && b.lambda > a.lambda) ? b : a));
  const enough = best.r2 - best.standardError;
  const lambda =
    rule === "best"
      ? best.lambda
      : tried.reduce((most, entry) => (entry.r2 >= enough ? Math.max(most, entry.lambda) : most), best.lambda);
  return { lambda, rule, tried, n: whole.n };
}

function meanAndError(values: Float64Array): { readonly r2: number; readonly standardError: number } {
  const k = values.length;
  const r2 = values.reduce((sum, value) => sum + value, 0) / k;
  const squares = values.reduce((sum, value) => sum + (value - r2) ** 2, 0);
  return { r2, standardError: Math.sqrt(squares / (k - 1) / k) };
}
