import { mismatch } from "../../errors.ts";
import type { FitMethod, FitRecord, FitSpace } from "../affine-map.ts";
import type { Moments } from "../moments.ts";
import { scoreMoments } from "../score/score-moments.ts";
import { chooseLambda, defaultLambdas } from "./choose-lambda.ts";
import { chooseRank } from "./choose-rank.ts";
import { crossValidateLambda } from "./cross-validate-lambda.ts";
import { fitOls } from "./fit-ols.ts";
import { fitProcrustes } from "./fit-procrustes.ts";
import { fitReducedRank, fitReducedRankPath } from "./fit-reduced-rank.ts";
import { type Affine, decomposeSource, fitRidge, fitRidgePath, type SourceBasis } from "./fit-ridge.ts";
import { toSpace } from "./to-space.ts";

/** How a map is fitted from its moments. */
export interface FitChoice {
  /** Default ridge. */
  readonly method?: Exclude<FitMethod, "adamw"> | undefined;
  /** Default: raw for Procrustes and reduced rank, standardised for the others, which does not change least squares. */
  readonly space?: FitSpace | undefined;
  /** Ridge penalties to choose from; one is taken as given. */
  readonly lambdas?: readonly number[] | undefined;
  /** Rank of a reduced-rank map; chosen on the validation rows unless given. */
  readonly rank?: number | undefined;
}

/** The moments that a fit learns from and chooses by. */
export interface FitMoments {
  /** All rows that fit. */
  readonly training: Moments;
  /** Rows that choose; without folds these fitted nothing. */
  readonly validation: Moments;
  /** The training rows in parts that validate one another, where there are any. */
  readonly folds?: readonly Moments[] | undefined;
  /** Decomposition of the training rows' source, where it is known. */
  readonly basis?: SourceBasis | undefined;
}

/** A fitted map, what was chosen, and the same fit for other rows. */
export interface ChosenFit {
  readonly affine: Affine;
  readonly record: Pick<FitRecord, "method" | "space" | "lambda" | "tried" | "condition" | "choice"> &
    Partial<Pick<FitRecord, "rank" | "folds">>;
  /** Fits other moments in the same way, with what was chosen here. */
  readonly refit: (moments: Moments) => Affine;
}

/**
 * Fits a map by the method asked for and chooses what is left open, the penalty and the rank, on rows that did not fit it.
 *
 * @throws bad-input for options that do not belong together, or rows that do not vary
 */
export function fitWith(data: FitMoments, choice: FitChoice = {}): ChosenFit {
  const { method = "ridge", space = defaultSpace(method) } = choice;
  checkFitChoice(choice, { hasFolds: data.folds !== undefined });
  const { condition } = data.basis ?? decomposeSource(data.training);
  const fixed = (fit: (moments: Moments) => Affine): ChosenFit => {
    const refit = inSpace(space, fit);
    const record = { method, space, lambda: 0, tried: [], condition, choice: "given" } as const;
    return { affine: refit(data.training), record, refit };
  };
  if (method === "ols") return fixed(fitOls);
  if (method === "procrustes" || method === "scaled-procrustes")
    return fixed((moments) => fitProcrustes(moments, { scaled: method === "scaled-procrustes" }));
  const penalty = choosePenalty(data, space, choice.lambdas);
  const record = { method, space, condition, ...penalty };
  if (method === "ridge") {
    const refit = inSpace(space, (moments) => fitRidge(moments, { lambda: penalty.lambda }));
    const isKnown = space === "standardised" && data.basis !== undefined;
    const affine = isKnown ? fitRidgePath(data.training, data.basis).solve(penalty.lambda) : refit(data.training);
    return { affine, record: { ...record, method: penalty.lambda === 0 ? "ols" : "ridge" }, refit };
  }
  const rank = choice.rank ?? chooseRankIn(data, space, penalty.lambda);
  const ofRank = (most: (moments: Moments) => number) =>
    inSpace(space, (moments) => fitReducedRank(moments, { rank: most(moments), lambda: penalty.lambda }));
  return {
    affine: ofRank(() => rank)(data.training),
    record: { ...record, rank },
    // Of fewer sources, or directions that varied, no map has a higher rank than they are wide.
    refit: ofRank(({ Cyx }) => Math.min(rank, Cyx.rows, Cyx.cols)),
  };
}

function defaultSpace(method: FitMethod): FitSpace {
  return method === "ridge" || method === "ols" ? "standardised" : "raw";
}

/**
 * Checks that the options of a fit belong together, before anything is read for it.
 *
 * @throws bad-input if they do not, or a penalty or rank is out of range
 */
export function checkFitChoice(choice: FitChoice, { hasFolds }: { readonly hasFolds: boolean }): void {
  const { method = "ridge", lambdas, rank } = choice;
  const { space = defaultSpace(method) } = choice;
  const isRidge = method === "ridge" || method === "reduced-rank";
  if (lambdas?.length === 0) throw mismatch("bad-input", "lambdas", "at least one penalty", "none");
  const bad = lambdas?.find((lambda) => !(lambda >= 0 && Number.isFinite(lambda)));
  if (bad !== undefined) throw mismatch("bad-input", "lambda", "a number of at least 0", String(bad));
  if (rank !== undefined && !(Number.isSafeInteger(rank) && rank >= 1))
    throw mismatch("bad-input", "rank", "an integer of at least 1", String(rank));
  if (rank !== undefined && method !== "reduced-rank")
    throw mismatch("bad-input", "rank", "none, or method reduced-rank", `rank ${rank} with ${method}`);
  if (lambdas !== undefined && !isRidge)
    throw mismatch("bad-input", "lambdas", "none, or method ridge or reduced-rank", `penalties with ${method}`);
  if (hasFolds && isRidge && space === "whitened" && lambdas?.length !== 1)
    throw mismatch("bad-input", "space", "standardised with cross-validation, or one penalty given", "whitened");
  if (hasFolds && method === "reduced-rank" && rank === undefined)
    throw mismatch("bad-input", "rank", "a rank with cross-validation, which chooses the penalty only", "none");
  if (method === "ridge" && space === "raw")
    throw mismatch("bad-input", "space", "standardised or whitened for ridge", "raw", {
      hint: "a ridge penalty on unscaled dimensions would shrink the small ones away",
    });
}

/** The same fit on coordinates changed, and changed back. */
function inSpace(space: FitSpace, fit: (moments: Moments) => Affine): (moments: Moments) => Affine {
  return (moments) => {
    const { moments: inside, restore } = toSpace(moments, space);
    return restore(fit(inside));
  };
}

function choosePenalty(
  data: FitMoments,
  space: FitSpace,
  lambdas: readonly number[] | undefined,
): Pick<FitRecord, "lambda" | "tried" | "choice"> & Partial<Pick<FitRecord, "folds">> {
  const [only] = lambdas ?? [];
  if (lambdas?.length === 1) return { lambda: only as number, tried: [], choice: "given" };
  if (data.folds) {
    const { lambda, tried } = crossValidateLambda(data.folds, { lambdas });
    return {
      lambda,
      tried: tried.map(({ lambda, r2 }) => ({ lambda, r2 })),
      choice: "cross-validation",
      folds: data.folds.length,
    };
  }
  if (space === "whitened") return { ...choosePenaltyWhitened(data, lambdas), choice: "validation" };
  const path = fitRidgePath(data.training, data.basis);
  const { lambda, tried } = chooseLambda(path, data.validation, lambdas ?? defaultLambdas(path));
  return { lambda, tried, choice: "validation" };
}

/** Validation rows stay in their own coordinates: every penalty's map is brought back to them and scored there. */
function choosePenaltyWhitened(
  { training, validation }: FitMoments,
  lambdas: readonly number[] | undefined,
): Pick<FitRecord, "lambda" | "tried"> {
  const { moments, restore } = toSpace(training, "whitened");
  const path = fitRidgePath(moments);
  const tried = (lambdas ?? defaultLambdas(path)).map((lambda) => ({
    lambda,
    r2: scoreMoments(restore(path.solve(lambda)), validation).r2,
  }));
  const best = tried.reduce((a, b) => (b.r2 > a.r2 || (b.r2 === a.r2 && b.lambda > a.lambda) ? b : a));
  return { lambda: best.lambda, tried };
}

function chooseRankIn({ training, validation }: FitMoments, space: FitSpace, lambda: number): number {
  if (space === "raw") return chooseRank(fitReducedRankPath(training, { lambda }), validation).rank;
  const { moments, restore } = toSpace(training, space);
  const path = fitReducedRankPath(moments, { lambda });
  // In changed coordinates every rank is scored for itself: powers of two, and all.
  const powers = Array.from({ length: 20 }, (_, i) => 2 ** i).filter((rank) => rank < path.maxRank);
  const ranks = [...powers, path.maxRank];
  const scored = ranks.map((rank) => ({ rank, r2: scoreMoments(restore(path.solve(rank)), validation).r2 }));
  return scored.reduce((a, b) => (b.r2 > a.r2 ? b : a)).rank;
}
