import { formatSite } from "../engine/site.ts";
import { seededRandom } from "../linalg/random.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import type { AffineMap, FitRecord, MapEnd } from "./affine-map.ts";
import { alignmentOf, type Collection, planWidths } from "./collect/collection.ts";
import { type FittingMoments, toFittingMoments } from "./collect/fitting-moments.ts";
import { onlyProducts, sitesOf } from "./collect/map-sites.ts";
import { medianNorm } from "./collect/norm-histogram.ts";
import { chooseLambda, defaultLambdas } from "./fit/choose-lambda.ts";
import { checkMaxSources, chooseSources, orderSources } from "./fit/choose-sources.ts";
import { type Affine, decomposeSource, fitRidge, fitRidgePath, type SourceBasis } from "./fit/fit-ridge.ts";
import { type ChosenFit, type FitChoice, fitWith } from "./fit/fit-with.ts";
import { swapMoments } from "./fit/swap-moments.ts";
import type { JointMoments } from "./joint-moments.ts";
import type { MapLayers } from "./layer-plan.ts";
import { diagonal, type Moments, toGroupCross, toGroupMoments } from "./moments.ts";
import type { MapScores, PredictionScore } from "./score/map-scores.ts";
import { mapWarnings } from "./score/map-warnings.ts";
import { toResidualMoments, toValidationResiduals } from "./score/residual-moments.ts";
import { scoreMap } from "./score/score-map.ts";
import { scoreMoments } from "./score/score-moments.ts";
import { scoreRoundTrip } from "./score/score-round-trip.ts";
import { predictAffine, scoreRows, toHeldPairs } from "./score/score-rows.ts";
import { scoreTokenIdentity } from "./score/score-token-identity.ts";

export interface SolveMapsOptions extends FitChoice {
  /** Maps to fit, by layer. */
  readonly maps: readonly MapLayers[];
  /**
   * Source layers that a map from several keeps at most: those that add most, found on the validation rows, and none that adds less than
   * 0.001 to R² there. Default: all named.
   */
  readonly maxSources?: number | undefined;
  /** Coefficients found elsewhere, by AdamW, instead of a fit from moments; for a single map. */
  readonly descended?: Affine | undefined;
  /** Written into the file as the time it was made, ISO 8601. */
  readonly createdAt?: string | undefined;
  readonly onMap?: ((done: number, total: number) => void) | undefined;
}

export interface SolvedMaps {
  readonly maps: readonly AffineMap[];
  /** What a reader of the scores should know, in sentences. */
  readonly warnings: readonly string[];
  /** What was done as asked and is worth knowing, in sentences: nothing to mend. */
  readonly notes: readonly string[];
}

/** Enough to keep directions that barely occurred from growing without bound, little enough to cost no R² elsewhere. */
const smallPenalty = 1e-3;
/** Rows, or their weight, below which nothing can be fitted at all. */
const leastWeight = 2;

/**
 * Fits and scores maps from a collection, without a second pass over the text.
 *
 * What maps share is computed once: the decomposition of each group of source sites, the residuals about the token means. Only products
 * that the maps need are touched.
 *
 * @throws bad-input for no maps, layers that were not collected, options that do not belong together, or rows too few or too alike to fit
 */
export function solveMaps(collection: Collection, options: SolveMapsOptions): SolvedMaps {
  const { maps: wanted, onMap } = options;
  checkMaxSources(options.maxSources);
  const workbench = openWorkbench(onlyProducts(collection, wanted));
  const maps = wanted.map((layers, at) => {
    const map = solveMap(workbench, layers, options);
    onMap?.(at + 1, wanted.length);
    return map;
  });
  const named = maps.length > 1;
  const warnings = maps.flatMap((map) => mapWarnings(map, { isNamed: named }));
  return { maps, warnings: [...new Set(warnings)], notes: [] };
}

/**
 * Fits maps by the same choices and scores them on the held-out rows, without the record, the nulls and whatever else a map to keep needs.
 *
 * @throws as {@link solveMaps}
 */
export function scoreFits(
  collection: Collection,
  { maps, ...choice }: FitChoice & Pick<SolveMapsOptions, "maps">,
): PredictionScore[] {
  const { plan, parts, heldOut } = onlyProducts(collection, maps);
  const moments = toFittingMoments({ ...collection, plan, parts });
  return maps.map((layers) => {
    const { sources, target } = sitesOf(plan, layers);
    const of = (joint: JointMoments) => toGroupMoments(joint, sources, target);
    const training = of(moments.training);
    const [validation, folds] = [of(moments.validation), moments.folds?.map(of)];
    const { affine } = fitWith({ training, validation, folds, basis: decomposeSource(training) }, choice);
    const pairs = toHeldPairs(heldOut, { sources, target, widths: planWidths(plan) });
    const { r2, cosine } = scoreRows(predictAffine(affine), pairs, training.meanY);
    return { r2, cosine };
  });
}

/** What the maps of one collection share. */
interface Workbench {
  readonly collection: Collection;
  readonly moments: FittingMoments;
  readonly residuals: { readonly fitted: JointMoments; readonly validation: JointMoments };
  /** Of the sources alone; `target` is any site they were collected with. */
  basisOf(sources: readonly number[], target: number, of: "states" | "residuals"): SourceBasis;
}

function openWorkbench(collection: Collection): Workbench {
  const moments = toFittingMoments(collection);
  // With folds the first validates the penalty on residuals, so the table has not seen it.
  const fitted = moments.withoutValidation;
  const { tokens } = collection;
  const residuals = {
    fitted: toResidualMoments(fitted, tokens.fitted),
    validation: toValidationResiduals(
      { moments: moments.validation, tokens: tokens.validation },
      { moments: fitted, tokens: tokens.fitted },
    ),
  };
  const bases = new Map<string, SourceBasis>();
  return {
    collection,
    moments,
    residuals,
    basisOf(sources, target, of) {
      const key = `${of}:${sources.join("+")}`;
      const joint = of === "states" ? moments.training : residuals.fitted;
      const basis = bases.get(key) ?? decomposeSource(toGroupMoments(joint, sources, target));
      bases.set(key, basis);
      return basis;
    },
  };
}

function solveMap(workbench: Workbench, layers: MapLayers, options: SolveMapsOptions): AffineMap {
  const { collection, moments } = workbench;
  const { plan } = collection;
  const { sources: named, target } = sitesOf(plan, layers);
  const sources = chooseSources(moments, named, target, options.maxSources);
  const of = (joint: JointMoments) => toGroupMoments(joint, sources, target);
  const training = of(moments.training);
  const validation = of(moments.validation);
  const folds = moments.folds?.map(of);
  const basis = workbench.basisOf(sources, target, "states");
  const fitted = options.descended
    ? toDescended(options.descended, basis)
    : fitWith({ training, validation, folds, basis }, options);
  const scores = scoreAll(workbench, fitted, { sources, target, choice: options });
  const end = (site: number, model: MapEnd["model"], at: MapEnd["site"]): MapEnd => ({
    model,
    site: at,
    medianNorm: medianNorm(collection.norms[site] as Float64Array),
  });
  return {
    sources: sources.map((site) => end(site, plan.source, plan.sourceSites[site] as MapEnd["site"])),
    target: end(target, plan.target, plan.targetSites[target - plan.sourceSites.length] as MapEnd["site"]),
    A: fitted.affine.A,
    p: fitted.affine.p,
    fit: toRecord(workbench, fitted, options.createdAt),
    scores,
  };
}

/** A map found by descent has no moments to be fitted to again: its nulls are those of ridge with a small penalty, an exact fit. */
function toDescended({ A, p }: Affine, { condition }: SourceBasis): ChosenFit {
  return {
    affine: { A, p },
    record: { method: "adamw", space: "raw", lambda: 0, tried: [], condition, choice: "given" },
    refit: (moments) => fitRidge(moments, { lambda: smallPenalty }),
  };
}

function toRecord({ collection, moments }: Workbench, { record }: ChosenFit, createdAt: string | undefined): FitRecord {
  const { plan, ledger } = collection;
  const { training, validation, heldOut } = moments.rows;
  return {
    ...record,
    seed: plan.seed,
    corpus: ledger.corpus,
    rows: { ...ledger.rows, train: training, validation: plan.folds > 1 ? 0 : validation, heldOut },
    context: plan.context,
    rowSelection: plan.rowSelection,
    ...alignmentOf(collection),
    version: trimtabVersion(),
    ...(createdAt !== undefined && { createdAt }),
  };
}

interface ScoreAllOptions {
  readonly sources: readonly number[];
  readonly target: number;
  readonly choice: FitChoice;
}

function scoreAll(workbench: Workbench, fitted: ChosenFit, { sources, target, choice }: ScoreAllOptions): MapScores {
  const { collection, moments } = workbench;
  const { plan } = collection;
  const of = (joint: JointMoments) => toGroupMoments(joint, sources, target);
  const training = of(moments.training);
  const table = toGroupCross(moments.withoutValidation, sources, target);
  const heldOut = toHeldPairs(collection.heldOut, { sources, target, widths: planWidths(plan) });
  const shuffled = toGroupCross(collection.shuffled, sources, target);
  const plain = scoreMap(
    fitted.affine,
    { training, shuffled, heldOut },
    { refit: fitted.refit, random: seededRandom(plan.seed) },
  );
  const backward = fitted.refit(swapMoments(training));
  // What descent would have come to on fewer rows is not known from moments.
  const pieces = fitted.record.method === "adamw" ? [] : moments.nested.slice(0, -1);
  const nested = pieces
    .filter(({ moments: { n } }) => n >= leastWeight)
    .map((piece) => ({ rows: piece.rows, r2: scoreMoments(fitPiece(of(piece.moments)), of(moments.heldOut)).r2 }));
  /** Chooses anew where it can: folds are pieces themselves, none of them is left to choose by. */
  function fitPiece(training: Moments): Affine {
    return moments.folds
      ? fitted.refit(training)
      : fitWith({ training, validation: of(moments.validation) }, choice).affine;
  }
  return {
    ...plain,
    tokenIdentity: scoreTokenIdentity(heldOut, collection.tokens.fitted, {
      sources,
      target,
      meanX: table.meanX,
      meanY: table.meanY,
      residualMap: fitResiduals(workbench, sources, target, choice.lambdas),
    }),
    ...(nested.length > 0 && { learningCurve: [...nested, { rows: moments.rows.training, r2: plain.r2 }] }),
    roundTrip: { r2: scoreRoundTrip(fitted.affine, backward, of(moments.heldOut)).r2 },
    // Weights need not be in sight among the few rows held out.
    ...((moments.training.n !== moments.rows.training || heldOut.some(({ weights }) => weights)) && { weighted: true }),
    ...(sources.length > 1 && { sourceGains: toGains(workbench, sources, target, fitted.refit) }),
  };
}

/** The map of what the token does not say; undefined where the token decides the whole state, as in a model without context. */
function fitResiduals(
  { residuals, basisOf }: Workbench,
  sources: readonly number[],
  target: number,
  lambdas: readonly number[] | undefined,
): Affine | undefined {
  const validation = toGroupMoments(residuals.validation, sources, target);
  if (!diagonal(validation.Cyy).some((value) => value > 0)) return undefined;
  const path = fitRidgePath(toGroupMoments(residuals.fitted, sources, target), basisOf(sources, target, "residuals"));
  const { lambda } = chooseLambda(path, validation, lambdas ?? defaultLambdas(path));
  return path.solve(lambda);
}

/** What each source adds by the same fit, in the order in which the validation rows would take them, scored on the held-out rows. */
function toGains(
  { collection: { plan }, moments }: Workbench,
  sources: readonly number[],
  target: number,
  fit: ChosenFit["refit"],
): NonNullable<MapScores["sourceGains"]> {
  const order = orderSources(moments, { sources, target }, { fit });
  return order.map((site, at) => {
    const group = order.slice(0, at + 1);
    const map = fit(toGroupMoments(moments.training, group, target));
    const { r2 } = scoreMoments(map, toGroupMoments(moments.heldOut, group, target));
    return { site: formatSite(plan.sourceSites[site] as MapEnd["site"]), r2 };
  });
}
