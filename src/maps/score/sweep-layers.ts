import { setImmediate as turn } from "node:timers/promises";
import { mismatch, TrimtabError } from "../../errors.ts";
import { seededRandom } from "../../linalg/random.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import { checkEnough } from "../collect/check-enough.ts";
import { alignmentOf, type Collection, planWidths } from "../collect/collection.ts";
import { type FittingMoments, toFittingMoments } from "../collect/fitting-moments.ts";
import { createTokenSums } from "../collect/token-sums.ts";
import { chooseLambda, defaultLambdas } from "../fit/choose-lambda.ts";
import { type Affine, decomposeSource, fitRidge, fitRidgePath, type SourceBasis } from "../fit/fit-ridge.ts";
import { fitWith } from "../fit/fit-with.ts";
import { addJointMoments, type JointMoments } from "../joint-moments.ts";
import { equalRelativeDepth, formatLayerPair, type LayerPair } from "../layer-pairs.ts";
import { diagonal, toGroupCross, toPairMoments } from "../moments.ts";
import { bootstrapR2, bootstrapR2Difference } from "./bootstrap-r2.ts";
import { linearCka } from "./linear-cka.ts";
import type { Interval } from "./map-scores.ts";
import { toResidualMoments, toValidationResiduals } from "./residual-moments.ts";
import { scoreMoments } from "./score-moments.ts";
import { type GroupErrors, predictAffine, scoreRows, toHeldPairs } from "./score-rows.ts";
import { type PrincipalSide, svccaOfSides, toPrincipalSide } from "./svcca.ts";
import type { BestPairs, SweepCell, SweepCriterion, SweepResult } from "./sweep-result.ts";
import { withoutRelation } from "./without-relation.ts";

export interface SweepOptions {
  /** Layers to compare; all that were collected unless named. */
  readonly sources?: readonly number[] | undefined;
  readonly targets?: readonly number[] | undefined;
  /** Ridge penalties to choose from; one is taken as given. */
  readonly lambdas?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every pair, with its scores. */
  readonly onPair?: ((done: number, total: number, cell: SweepCell) => void) | undefined;
}

/**
 * Scores every source layer with every target layer of a collection, by held-out R², R² beyond token identity, linear CKA and SVCCA,
 * each beside its value on shuffled pairs.
 *
 * R² is that of the ridge regression which `solveMaps` fits for the pair, its penalty chosen on the validation rows, its error taken from
 * the moments of the held-out rows; R² beyond token identity likewise, from moments about the token means of the rows that fit. Both
 * agree with the scores of a fitted map to rounding. CKA and SVCCA are of the rows that fit.
 *
 * Each side is decomposed once, the products that no penalty changes are taken once a pair. Between pairs it gives way to
 * other work of the process, so that it can be aborted.
 *
 * R² compares source layers that predict one target layer. Across target layers it also tells how predictable these are: early
 * layers are mostly the current token.
 *
 * @throws bad-input for layers or pairs that were not collected, or too few rows; aborted
 */
export async function sweepLayers(collection: Collection, options: SweepOptions = {}): Promise<SweepResult> {
  const { lambdas, signal, onPair } = options;
  const grid = toGrid(collection, options);
  checkEnough(collection);
  const bench = openBench(collection, grid);
  const total = grid.sources.length * grid.targets.length;
  const cells: SweepCell[] = [];
  for (const source of grid.sources) {
    const prepared = prepareSource(bench, source, grid.targets[0] as number);
    for (const target of grid.targets) {
      await turn();
      if (signal?.aborted) throw new TrimtabError("aborted", "the sweep was interrupted", { cause: signal.reason });
      const cell = scorePair(bench, prepared, { source, target, lambdas });
      cells.push(cell);
      onPair?.(cells.length, total, cell);
    }
  }
  return summarise(bench, cells);
}

/** Sites to compare, by position in the list of all sites. */
interface Grid {
  readonly sources: readonly number[];
  readonly targets: readonly number[];
}

function toGrid({ plan }: Collection, { sources, targets }: SweepOptions): Grid {
  const [ofSource, ofTarget] = [plan.sourceSites, plan.targetSites].map((sites) => sites.map(({ layer }) => layer)) as [
    number[],
    number[],
  ];
  const toSites = (layers: readonly number[], known: readonly number[], what: string): number[] => {
    const missing = layers.find((layer) => !known.includes(layer));
    if (layers.length === 0 || missing !== undefined)
      throw mismatch("bad-input", `${what} layer`, `some of ${known.join(", ")}`, String(missing ?? "none"), {
        hint: "only layers that were collected can be compared",
      });
    return [...new Set(layers)].sort((a, b) => a - b).map((layer) => known.indexOf(layer));
  };
  const grid = {
    sources: toSites(sources ?? ofSource, ofSource, "source"),
    targets: toSites(targets ?? ofTarget, ofTarget, "target").map((site) => site + ofSource.length),
  };
  const kept = new Set(plan.blocks.map(({ row, col }) => `${row}:${col}`));
  for (const source of grid.sources)
    for (const target of grid.targets)
      if (!kept.has(`${target}:${source}`))
        throw mismatch(
          "bad-input",
          "layers",
          "pairs whose products were collected",
          `${formatLayerPair(toLayerPair(plan, source, target))}, which was not`,
          { hint: "collect with --layers all:all, or name fewer layers" },
        );
  return grid;
}

function layerOf({ sourceSites, targetSites }: Collection["plan"], site: number): number {
  return ([...sourceSites, ...targetSites][site] as { readonly layer: number }).layer;
}

function toLayerPair(plan: Collection["plan"], source: number, target: number): LayerPair {
  return { source: layerOf(plan, source), target: layerOf(plan, target) };
}

/** What all pairs share. */
interface Bench {
  readonly collection: Collection;
  readonly grid: Grid;
  readonly moments: FittingMoments;
  /** The same about the token means of the rows that fit. */
  readonly residuals: Readonly<Record<"fitted" | "validation" | "heldOut", JointMoments>>;
  readonly targetSides: ReadonlyMap<number, PrincipalSide>;
}

function openBench(collection: Collection, grid: Grid): Bench {
  const moments = toFittingMoments(collection);
  const { tokens, heldOut, plan } = collection;
  // With folds the first validates the penalty on residuals, so the table must not have seen it.
  const fitted = moments.folds ? moments.folds.slice(1).reduce(addJointMoments) : moments.training;
  // The held-out rows are bounded, and so are their token sums: twice the bytes of the rows at most.
  const held = createTokenSums(planWidths(plan), Number.POSITIVE_INFINITY);
  for (const window of heldOut) held.add(window.tokens, window.states, window.weights);
  const table = { moments: fitted, tokens: tokens.fitted };
  return {
    collection,
    grid,
    moments,
    residuals: {
      fitted: toResidualMoments(fitted, tokens.fitted),
      validation: toValidationResiduals({ moments: moments.validation, tokens: tokens.validation }, table),
      // Tokens that the table lacks have the means of all training rows, as where a map's rows are scored one by one.
      heldOut: toValidationResiduals(
        { moments: moments.heldOut, tokens: held.view() },
        { ...table, moments: moments.training },
      ),
    },
    targetSides: new Map(
      grid.targets.map((target) => [
        target,
        toPrincipalSide(toPairMoments(moments.training, grid.sources[0]!, target).Cyy),
      ]),
    ),
  };
}

/** What the pairs of one source layer share. */
interface PreparedSource {
  readonly states: SourceBasis;
  readonly residuals: SourceBasis;
  readonly side: PrincipalSide;
}

function prepareSource({ moments, residuals }: Bench, source: number, anyTarget: number): PreparedSource {
  const training = toPairMoments(moments.training, source, anyTarget);
  return {
    states: decomposeSource(training),
    residuals: decomposeSource(toPairMoments(residuals.fitted, source, anyTarget)),
    side: toPrincipalSide(training.Cxx),
  };
}

interface PairOptions {
  readonly source: number;
  readonly target: number;
  readonly lambdas: readonly number[] | undefined;
}

function scorePair(bench: Bench, prepared: PreparedSource, { source, target, lambdas }: PairOptions): SweepCell {
  const { collection, moments, targetSides } = bench;
  const training = toPairMoments(moments.training, source, target);
  const heldOut = toPairMoments(moments.heldOut, source, target);
  const fitted = fitPair(bench, prepared, { source, target, lambdas });
  const beyond = scoreBeyond(bench, prepared, { source, target, lambdas });
  const shuffled = toGroupCross(collection.shuffled, [source], target);
  const unrelated = withoutRelation(training, shuffled);
  const isShuffled = shuffled.n > 0;
  const side = targetSides.get(target) as PrincipalSide;
  const svccaOf = (Cyx: typeof training.Cyx): number | null => svccaOfSides(training.n, Cyx, prepared.side, side).value;
  return {
    ...toLayerPair(collection.plan, source, target),
    r2: scoreMoments(fitted.affine, heldOut).r2,
    beyond: beyond.heldOut,
    cka: linearCka(training).value,
    svcca: svccaOf(training.Cyx),
    lambda: fitted.lambda,
    validation: { r2: fitted.validationR2, beyond: beyond.validation },
    shuffled: {
      r2: scoreMoments(fitRidgePath(unrelated, prepared.states).solve(fitted.lambda), heldOut).r2,
      cka: isShuffled ? linearCka(unrelated).value : null,
      svcca: isShuffled ? svccaOf(unrelated.Cyx) : null,
    },
  };
}

/** The map that `solveMaps` would fit. */
function fitPair(
  { moments }: Bench,
  { states }: PreparedSource,
  { source, target, lambdas }: PairOptions,
): { readonly affine: Affine; readonly lambda: number; readonly validationR2: number | null } {
  const of = (joint: JointMoments) => toPairMoments(joint, source, target);
  const { affine, record } = fitWith(
    {
      training: of(moments.training),
      validation: of(moments.validation),
      folds: moments.folds?.map(of),
      basis: states,
    },
    { lambdas },
  );
  const chosen = record.tried.find(({ lambda }) => lambda === record.lambda);
  return { affine, lambda: record.lambda, validationR2: chosen?.r2 ?? null };
}

/** R² beyond token identity; 0 where the token decides the whole state. */
function scoreBeyond(
  { residuals }: Bench,
  prepared: PreparedSource,
  { source, target, lambdas }: PairOptions,
): { readonly heldOut: number; readonly validation: number } {
  const of = (joint: JointMoments) => toPairMoments(joint, source, target);
  const [validation, heldOut] = [of(residuals.validation), of(residuals.heldOut)];
  if (![validation, heldOut].every(({ Cyy }) => diagonal(Cyy).some((value) => value > 0)))
    return { heldOut: 0, validation: 0 };
  const path = fitRidgePath(of(residuals.fitted), prepared.residuals);
  const { lambda, tried } = chooseLambda(path, validation, lambdas ?? defaultLambdas(path));
  const chosen = tried.find((entry) => entry.lambda === lambda) as { readonly r2: number };
  return { heldOut: scoreMoments(path.solve(lambda), heldOut).r2, validation: chosen.r2 };
}

function summarise(bench: Bench, cells: readonly SweepCell[]): SweepResult {
  const { collection, grid, moments } = bench;
  const { plan, ledger } = collection;
  const equal = cells.filter(
    ({ source, target }) => target === equalRelativeDepth(source, plan.source.blocks, plan.target.blocks),
  );
  const [best, equalBest] = [toBestCells(cells), toBestCells(equal)];
  const acting = cells.filter(
    ({ source, target }) => source < plan.source.blocks - 1 && target < plan.target.blocks - 1,
  );
  const picked = argmax(acting.length > 0 ? acting : cells, ({ validation }) => validation.beyond);
  const errors = new Map<SweepCell, readonly GroupErrors[]>();
  for (const cell of [...Object.values(best), ...Object.values(equalBest), picked])
    if (cell && !errors.has(cell)) errors.set(cell, scoreGroups(bench, cell));
  const intervalOf = (cell: SweepCell): Interval | undefined => {
    const groups = errors.get(cell);
    // The seed that a fitted map's interval is drawn with, so that both show the same.
    return groups && bootstrapR2(groups, seededRandom(plan.seed));
  };
  const layersOf = (sites: readonly number[]): number[] => sites.map((site) => layerOf(plan, site));
  return {
    kind: "sweep",
    version: trimtabVersion(),
    source: plan.source,
    target: plan.target,
    layers: { source: layersOf(grid.sources), target: layersOf(grid.targets) },
    corpus: ledger.corpus,
    context: plan.context,
    seed: plan.seed,
    rowSelection: plan.rowSelection,
    ...alignmentOf(collection),
    rows: moments.rows,
    heldOutGroups: new Set(collection.heldOut.map(({ group }) => group)).size,
    cells: cells.map((cell) => {
      const r2Interval = intervalOf(cell);
      return r2Interval ? { ...cell, r2Interval } : cell;
    }),
    best: toBestPairs(best),
    equalDepth: { pairs: equal.map(({ source, target }) => ({ source, target })), best: toBestPairs(equalBest) },
    picked: picked && toPair(picked),
    gain: toGain(best.r2, equalBest.r2, errors, plan.seed),
  };
}

type BestCells = Readonly<Record<SweepCriterion, SweepCell | null>>;

function toBestCells(cells: readonly SweepCell[]): BestCells {
  const best = (criterion: SweepCriterion): SweepCell | null => argmax(cells, (cell) => cell[criterion]);
  return { r2: best("r2"), beyond: best("beyond"), cka: best("cka"), svcca: best("svcca") };
}

function toBestPairs({ r2, beyond, cka, svcca }: BestCells): BestPairs {
  return {
    r2: r2 && toPair(r2),
    beyond: beyond && toPair(beyond),
    cka: cka && toPair(cka),
    svcca: svcca && toPair(svcca),
  };
}

function toPair({ source, target }: SweepCell): LayerPair {
  return { source, target };
}

/** The first of the cells with the highest number; null if none has one. */
function argmax(cells: readonly SweepCell[], of: (cell: SweepCell) => number | null): SweepCell | null {
  return cells.reduce<SweepCell | null>((best, cell) => {
    const value = of(cell);
    return value !== null && (best === null || value > (of(best) as number)) ? cell : best;
  }, null);
}

/** Errors by group of held-out windows of one pair, row by row. */
function scoreGroups({ collection, moments }: Bench, { source, target, lambda }: SweepCell): readonly GroupErrors[] {
  const { plan, heldOut } = collection;
  const from = plan.sourceSites.findIndex(({ layer }) => layer === source);
  const to = plan.sourceSites.length + plan.targetSites.findIndex(({ layer }) => layer === target);
  const affine = fitRidge(toPairMoments(moments.training, from, to), { lambda });
  const pairs = toHeldPairs(heldOut, { sources: [from], target: to, widths: planWidths(plan) });
  return scoreRows(predictAffine(affine), pairs, moments.training.means[to] as Float64Array).groups;
}

function toGain(
  best: SweepCell | null,
  other: SweepCell | null,
  errors: ReadonlyMap<SweepCell, readonly GroupErrors[]>,
  seed: number,
): SweepResult["gain"] {
  const [a, b] = [best && errors.get(best), other && errors.get(other)];
  if (!best || !other || !a || !b || best === other) return null;
  return { r2: best.r2 - other.r2, interval: bootstrapR2Difference(a, b, seededRandom(seed)) };
}
