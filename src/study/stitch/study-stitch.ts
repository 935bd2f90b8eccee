import type { Corpus } from "../../activations/corpus.ts";
import { resolveContext } from "../../activations/windows.ts";
import type { EngineModel } from "../../engine/engine-model.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { openTail } from "../../engine/tail/open-tail.ts";
import type { TailModel, TailWay } from "../../engine/tail/tail-model.ts";
import { mismatch } from "../../errors.ts";
import { collectMoments } from "../../maps/collect/collect-moments.ts";
import { type LayerGrid, resolveLayerGrid, wholeGrid } from "../../maps/layer-grid.ts";
import { modelCost, readWeights } from "../../stitch/weights.ts";
import { toDocumentLosses, toLoss } from "./document-losses.ts";
import { openPairMaps } from "./pair-maps.ts";
import { openScoring } from "./score-target.ts";
import { openStates } from "./source-states.ts";
import { type SplitText, type StudyText, splitText } from "./split-text.ts";
import type { AloneModel, StitchPair, StitchResult, StitchTarget } from "./stitch-result.ts";
import { timeWriting } from "./time-writing.ts";
import { readHeadOf, tunePair } from "./tune-pair.ts";

export interface StudyStitchOptions {
  readonly corpus: Corpus;
  /** Cut points: every source layer with every target layer. Default all of both. */
  readonly grid?: LayerGrid | undefined;
  /** Rows that maps are fitted on. Default 40 000. */
  readonly maxRows?: number | undefined;
  /** Documents that are scored. Default 40: below 20 an interval over documents is too narrow. */
  readonly heldOut?: number | undefined;
  /** Documents that choose. Default 20. */
  readonly validation?: number | undefined;
  /** Maps that are tuned: of as many target layers the source layer with the lowest validation loss. Default 3; 0 tunes none. */
  readonly tune?: number | undefined;
  /** Documents that are tuned on. Default 200. */
  readonly tuning?: number | undefined;
  readonly context?: number | undefined;
  readonly seed?: number | undefined;
  readonly way?: TailWay | "auto" | undefined;
  readonly threads?: number | undefined;
  /** A model of the source's shape that was never trained: a null for every pair, for another reading of the text. */
  readonly untrained?: OpenModel | undefined;
  /** Milliseconds. */
  readonly clock: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((state: { label: string; done: number; total: number | undefined }) => void) | undefined;
}

const defaults = { maxRows: 40_000, heldOut: 40, validation: 20, tune: 3, tuning: 200, seed: 0 } as const;

/**
 * Stitches two models at every pair of cut points and measures what that costs and saves.
 *
 * One reading of the text fits all maps. Of each pair: cross-entropy of the stitched model on documents that neither fitted nor chose, beside
 * both models alone and nulls: a map of shuffled pairs, a constant row, a table by token id, a source that was never trained. Then the
 * pairs that do best on validation documents are tuned on the stitched loss ({@link tunePair}) and scored again.
 *
 * @param target - the large model; opened from a file, since its late blocks are opened again by themselves
 * @throws incompatible for different tokenizers; bad-input for layers, counts, a corpus too short; as `collectMoments`, `openTail`; aborted
 */
export async function studyStitch(
  source: EngineModel,
  target: EngineModel,
  options: StudyStitchOptions,
): Promise<StitchResult> {
  const { grid = wholeGrid, seed = defaults.seed, signal, untrained, clock, onProgress } = options;
  const maxRows = checkCount("rows", options.maxRows ?? defaults.maxRows, 1);
  const tune = checkCount("maps to tune", options.tune ?? defaults.tune, 0);
  const counts = {
    heldOut: checkCount("held-out documents", options.heldOut ?? defaults.heldOut, 2),
    validation: checkCount("validation documents", options.validation ?? defaults.validation, 1),
    tuning: checkCount("tuning documents", options.tuning ?? defaults.tuning, 1),
  };
  const context = resolveContext(options.context, [source, target]);
  const layers = resolveLayerGrid(grid, source.description.blocks, target.description.blocks);
  const text = await splitText(source, options.corpus, { ...counts, context, seed, signal });
  const warnings: string[] = [];
  const reading = { corpus: text.fit, layers, maxRows, context, seed, hasCurve: false, signal };
  const collection = await collectMoments(source, target, {
    ...reading,
    onProgress: ({ rows, fraction }) =>
      onProgress?.({
        label: "reading hidden states",
        done: rows,
        total: fraction > 0 ? Math.round(rows / fraction) : undefined,
      }),
  });
  const maps = openPairMaps(collection);
  const untrainedMaps = untrained && openPairMaps(await collectMoments(untrained, target, reading));

  const alone = await measureAlone(source, target, { text, seed, clock, signal });
  const firstRows = await readFirstRows(target, text, layers.targets);
  const states = (model: OpenModel, part: StudyText) => openStates(model, part.windows, layers.sources, signal);
  const open = {
    heldOut: states(source, text.heldOut),
    validation: states(source, text.validation),
    tuning: states(source, text.tuning),
    untrained: untrained && states(untrained, text.heldOut),
  };
  const weights = {
    source: await readWeights(source.description.path),
    target: await readWeights(target.description.path),
  };
  const pairs: StitchPair[] = [];
  const targets: StitchTarget[] = [];
  const total = layers.sources.length * layers.targets.length;
  for (const layer of layers.targets) {
    await using tail = await openTailOf(target, layer, options);
    warnings.push(...tail.notes.map((note) => `layer ${layer}: ${note}`));
    const scoring = openScoring({
      source,
      tail,
      text,
      maps,
      firstRows,
      states: open,
      untrainedMaps,
      weights,
      seed,
      clock,
      alone,
    });
    targets.push(await scoring.nulls());
    for (const from of layers.sources) {
      pairs.push(await scoring.pair(from, layer));
      onProgress?.({ label: "scoring stitched models", done: pairs.length, total });
    }
  }
  const chosen = choosePairs(pairs, tune);
  if (chosen.length > 0) {
    const head = await readHeadOf(target, text.validation, { options });
    if (typeof head === "string") warnings.push(`nothing was tuned: ${head}`);
    else
      for (const [done, pair] of chosen.entries()) {
        onProgress?.({ label: "tuning maps", done, total: chosen.length });
        await using tail = await openTailOf(target, pair.target, options);
        const at = pairs.indexOf(pair);
        const given = { tail, head, text, maps, firstRows, states: open, seed, signal, alone };
        pairs[at] = { ...pair, tuned: await tunePair(pair, given) };
      }
  }
  const { ledger } = collection;
  return {
    kind: "stitch",
    version: 1,
    corpus: { name: options.corpus.name, sha256: ledger.corpus.sha256 },
    documents: text.counts,
    rows: {
      fit: maps.rows,
      tuning: text.tuning.windows.reduce((sum, { length }) => sum + length - 1, 0),
      heldOutTokens: text.heldOut.windows.reduce((sum, { length }) => sum + length - 1, 0),
    },
    context,
    seed,
    source: toAlone(source, alone.source, modelCost(weights.source, weights.target), seed),
    target: toAlone(target, alone.target, modelCost(weights.target, weights.target), seed),
    pairs,
    targets,
    warnings,
  };
}

/** The pair of each target layer with the lowest validation loss, the best of these first. */
function choosePairs(pairs: readonly StitchPair[], count: number): StitchPair[] {
  const best = new Map<number, StitchPair>();
  for (const pair of pairs) {
    const other = best.get(pair.target);
    if (!other || pair.validationNats < other.validationNats) best.set(pair.target, pair);
  }
  return [...best.values()].sort((a, b) => a.validationNats - b.validationNats).slice(0, count);
}

async function openTailOf(
  target: EngineModel,
  layer: number,
  { way, signal, threads }: StudyStitchOptions,
): Promise<TailModel> {
  return openTail(target.description.path, {
    layer,
    whole: target,
    way,
    threads: threads ?? target.threads,
    context: target.context,
    signal,
  });
}

/** What a model alone scores and how fast it writes. */
export interface AloneScores {
  readonly losses: ReturnType<typeof toDocumentLosses>;
  readonly msPerToken: number | null;
}

async function measureAlone(
  source: EngineModel,
  target: EngineModel,
  { text, clock, signal }: { text: SplitText; seed: number; clock: () => number; signal: AbortSignal | undefined },
): Promise<{ source: AloneScores; target: AloneScores }> {
  const of = async (model: EngineModel): Promise<AloneScores> => {
    const items = text.heldOut.windows.map((tokens) => ({
      prompt: tokens.slice(0, 1),
      continuations: [tokens.slice(1)],
    }));
    const scores = (await model.logProbabilities(items, signal ? { signal } : {})).map(([row]) => row as Float64Array);
    return {
      losses: toDocumentLosses(scores, text.heldOut.documents),
      msPerToken: await timeWriting(model, text.heldOut.windows, clock),
    };
  };
  return { source: await of(source), target: await of(target) };
}

function toAlone(
  model: EngineModel,
  { losses, msPerToken }: AloneScores,
  cost: AloneModel["cost"],
  seed: number,
): AloneModel {
  const { name, blocks, width } = model.description;
  return { name, blocks, width, loss: toLoss(losses, seed), cost, msPerToken };
}

/** First positions' own states in the target, by token and layer: what `layer → token → row` gives. */
export type FirstRows = ReadonlyMap<number, ReadonlyMap<number, Float32Array>>;

/** Reads the target's own states after lone first tokens of all windows, which depend on nothing else. */
async function readFirstRows(target: OpenModel, text: SplitText, layers: readonly number[]): Promise<FirstRows> {
  const parts = [text.heldOut, text.validation, text.tuning];
  const tokens = [...new Set(parts.flatMap(({ windows }) => windows.map((window) => window[0] as number)))];
  const rows = new Map(layers.map((layer) => [layer, new Map<number, Float32Array>()] as const));
  const windows = tokens.map((token) => Int32Array.of(token));
  for await (const { index, states } of target.readStates(windows, { sites: layers.map((layer) => residPost(layer)) }))
    layers.forEach((layer, at) => {
      rows.get(layer)?.set(tokens[index] as number, states[at] as Float32Array);
    });
  return rows;
}

function checkCount(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw mismatch("bad-input", name, `a whole number from ${least}`, String(value));
}
