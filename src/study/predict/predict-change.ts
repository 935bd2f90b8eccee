import type { Corpus } from "../../activations/corpus.ts";
import { toIdentity } from "../../engine/description.ts";
import type { LayerAddition, OpenModel } from "../../engine/open-model.ts";
import { formatSite } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { PropensityItem, TokenizedItem } from "../../evaluate/items.ts";
import { type RunModel, toRunModel } from "../../evaluate/run-record.ts";
import { mean, standardDeviation, toFinite } from "../../evaluate/statistics.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { collectMoments } from "../../maps/collect/collect-moments.ts";
import { fitBothWays } from "../../maps/fit-both-ways.ts";
import { defaultRows } from "../../maps/fit-map.ts";
import { identityDifferences } from "../../vectors/identity-differences.ts";
import { corpusMean } from "./corpus-mean.ts";
import { type TellOptions, toEffectItems } from "./effect-items.ts";
import { type ItemChanges, toItemChanges } from "./item-changes.ts";
import { type ItemStates, readItemStates } from "./item-states.ts";
import { type PredictEffectsInput, predictEffects } from "./predict-effects.ts";
import type { PredictResult } from "./predict-result.ts";
import { type EffectReading, readEffect } from "./read-effect.ts";

/** A change of a model: another set of weights, vectors added, or words before the text. */
export interface ModelChange {
  /** In words. */
  readonly description: string;
  /** Opens the changed model; the unchanged one is used if left out. */
  readonly open?: (() => Promise<OpenModel>) | undefined;
  /** What is added to the model, once it is known. */
  readonly steering?: ((model: OpenModel) => Promise<readonly LayerAddition[]>) | undefined;
  readonly tell?: TellOptions | undefined;
}

export interface PredictChangeOptions {
  readonly openSmall: () => Promise<OpenModel>;
  readonly openLarge: () => Promise<OpenModel>;
  readonly map: AffineMap;
  readonly items: readonly PropensityItem[];
  /** Of the small model. */
  readonly change: ModelChange;
  /** The same of the large model: what the prediction is scored against. */
  readonly truth?: ModelChange | undefined;
  /** Another change of the small model: its prediction should be worth nothing. */
  readonly unrelated?: ModelChange | undefined;
  /** What the mean change is of: the items' last prompt positions (default), all their positions, or the corpus. */
  readonly rows?: PredictResult["settings"]["rows"] | undefined;
  /** Text for `rows: "corpus"`, and for the null of shuffled pairs, which is left out without it. */
  readonly corpus?: Corpus | undefined;
  /** Rows of that text. Default `defaultRows` of the small model. */
  readonly maxRows?: number | undefined;
  /** Predict position by position too: keeps every row of the items. Default true, where they take less than a gibibyte. */
  readonly positions?: boolean | undefined;
  readonly draws?: number | undefined;
  readonly seed?: number | undefined;
  readonly resamples?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((progress: { readonly label: string; readonly done: number; readonly total: number }) => void)
    | undefined;
}

/** The result without what only the caller knows. */
export type PredictFindings = Omit<PredictResult, "run" | "settings"> & {
  readonly settings: Omit<PredictResult["settings"], "items">;
  readonly small: PredictResult["small"];
  readonly models: { readonly source: RunModel; readonly target: RunModel };
  readonly warnings: readonly string[];
};

const mostPositionBytes = 2 ** 30;
/** Of next-token logits that are kept of the changed model. */
const mostLogitBytes = 2 ** 28;

/**
 * Predicts what a change does to a large model's answers from what it does to a small model, and scores the prediction where the truth is given.
 *
 * The small model is read on the items before and after the change, at the map's source; see `predictEffects` for what follows. Models are open no
 * longer than they are needed: the small one and its changed copy, then the changed large one, then the large one.
 *
 * @throws incompatible for models that are not the map's, or a changed model of another shape; bad-input for items, a change that does not reach the
 * map's source, or `rows: "corpus"` of a change by words
 */
export async function predictChange(options: PredictChangeOptions): Promise<PredictFindings> {
  const {
    map,
    change,
    rows = "last",
    corpus,
    seed = 0,
    draws = 20,
    resamples = 1000,
    truth,
    unrelated,
    signal,
  } = options;
  if (options.items.length < 2)
    throw mismatch("bad-input", "items", "at least two", String(options.items.length), {
      hint: "how well changes are predicted is a correlation over items",
    });
  if (rows === "corpus") {
    if (!corpus) throw mismatch("bad-input", "rows", "a corpus for rows of the corpus", "none");
    for (const told of [change, unrelated])
      if (told?.tell)
        throw mismatch("bad-input", "rows", "rows of the items for a change by words", "rows of the corpus");
  }
  const small = await readSmall(options);
  let reading: EffectReading | undefined;
  const large = await options.openLarge();
  try {
    const target = await toRunModel(large);
    const warnings = [...small.warnings, ...checkModel(target, map.target.model, "the map's target")];
    const items = await toEffectItems(large, options.items);
    const next = Math.max(1, Math.min(items.length, Math.floor(mostLogitBytes / (4 * large.description.vocabulary))));
    if (truth) reading = await withChanged(truth, large, (model) => readTruth(model, truth, options, next));
    const isAligned = small.tokens.length === items.length && small.tokens.every((own, i) => isSame(own, items[i]!));
    if (small.changes.positions && !isAligned)
      warnings.push("the two models read the items as other tokens: nothing is predicted position by position");
    const shuffled = corpus && (await withSmall(options, (source) => fitShuffled(source, large, options, corpus)));
    const input: PredictEffectsInput = {
      map,
      changes: isAligned ? small.changes : { ...small.changes, positions: undefined },
      meanChange: small.meanChange,
      unrelated: unrelated && small.unrelated && { name: unrelated.description, mean: small.unrelated },
      shuffled,
      truth: truth && reading && { description: truth.description, reading },
    };
    const found = await predictEffects(large, items, input, {
      draws,
      seed,
      resamples,
      signal,
      onPass: (done, total) => options.onProgress?.({ label: "predicting", done, total }),
    });
    const { changes } = small;
    const sourceNorm = map.sources.length === 1 ? map.sources[0]!.medianNorm : Number.NaN;
    return {
      format: "trimtab-predict",
      version: 1,
      settings: {
        sources: map.sources.map(({ site }) => formatSite(site)),
        target: formatSite(map.target.site),
        r2: map.scores.r2,
        rows,
        draws,
        seed,
        resamples,
        divergenceItems: reading?.next.length ?? 0,
      },
      small: {
        description: change.description,
        mean: mean(changes.propensities),
        sd: toFinite(standardDeviation(changes.propensities)),
        length: changes.length,
        relativeLength: toFinite(changes.length / sourceNorm),
        coherence: changes.coherence,
        alignedShare: changes.alignedShare,
        carriedLength: found.carriedLength,
        carriedRelative: toFinite(found.carriedLength / map.target.medianNorm),
      },
      predictions: found.predictions,
      nulls: found.nulls,
      truth: found.truth,
      models: { source: small.record, target },
      warnings,
    };
  } finally {
    await large.close();
  }
}

/** What is read of the small model, before it is closed. */
interface SmallReading {
  readonly record: RunModel;
  readonly changes: ItemChanges;
  /** Over the corpus, if that was asked for. */
  readonly meanChange: Float64Array | undefined;
  readonly unrelated: Float64Array | undefined;
  /** The items as it reads them. */
  readonly tokens: readonly TokenizedItem[];
  readonly warnings: readonly string[];
}

function readSmall(options: PredictChangeOptions): Promise<SmallReading> {
  const { map, change, unrelated, rows = "last", onProgress } = options;
  const sites = map.sources.map(({ site }) => site);
  return withSmall(options, async (model) => {
    const record = await toRunModel(model);
    const warnings = [...checkModel(record, map.sources[0]!.model, "the map's source")];
    const tokens = await toEffectItems(model, options.items);
    const bytes = tokens.reduce(
      (sum, { prompt }) => sum + 16 * prompt.length * model.description.width * sites.length,
      0,
    );
    const wanted = options.positions ?? bytes <= mostPositionBytes;
    if (options.positions === undefined && !wanted)
      warnings.push(
        `nothing is predicted position by position: the states of all positions would take ${(bytes / 1e9).toFixed(1)} GB`,
      );
    const lastOnly = !wanted && rows !== "all";
    const total = unrelated ? 3 : 2;
    const read = async (of: ModelChange | undefined, at: number): Promise<ItemStates> => {
      onProgress?.({ label: "reading the small model", done: at, total });
      return withChanged(of, model, async (changed) => {
        if (of?.open) checkShape(record, await toRunModel(changed));
        const told = of?.tell ? await toEffectItems(changed, options.items, of.tell) : tokens;
        const steering = await of?.steering?.(changed);
        return readItemStates(changed, told, { sites, steering, lastOnly, signal: options.signal });
      });
    };
    const before = await read(undefined, 0);
    const itemRows = rows === "all" ? "all" : "last";
    const changes = toItemChanges(before, await read(change, 1), { rows: itemRows });
    const other = unrelated && toItemChanges(before, await read(unrelated, 2), { rows: itemRows });
    onProgress?.({ label: "reading the small model", done: total, total });
    const means = rows === "corpus" ? await corpusChanges(model, options) : undefined;
    return {
      record,
      changes,
      meanChange: means?.change,
      unrelated: means ? means.unrelated : other?.mean,
      tokens,
      warnings,
    };
  });
}

/** Mean changes over the corpus. */
async function corpusChanges(
  model: OpenModel,
  { corpus, map, change, unrelated, maxRows = defaultRows(model.description.width), signal }: PredictChangeOptions,
): Promise<{ readonly change: Float64Array; readonly unrelated: Float64Array | undefined }> {
  const sites = map.sources.map(({ site }) => site);
  const of = (changed: ModelChange | undefined): Promise<Float64Array> =>
    withChanged(changed, model, async (own) =>
      corpusMean(own, { corpus: corpus as Corpus, sites, steering: await changed?.steering?.(own), maxRows, signal }),
    );
  const before = await of(undefined);
  const subtract = (after: Float64Array): Float64Array => after.map((value, i) => value - before[i]!);
  return { change: subtract(await of(change)), unrelated: unrelated && subtract(await of(unrelated)) };
}

async function readTruth(
  model: OpenModel,
  truth: ModelChange,
  { items, map, signal }: PredictChangeOptions,
  next: number,
): Promise<EffectReading> {
  if (truth.open) checkShape(map.target.model, toIdentity(model.description, await model.sha256()));
  const told = await toEffectItems(model, items, truth.tell);
  return readEffect(model, told, { steering: await truth.steering?.(model), next, signal });
}

async function fitShuffled(
  source: OpenModel,
  target: OpenModel,
  { map, maxRows = defaultRows(source.description.width), seed, signal, onProgress }: PredictChangeOptions,
  corpus: Corpus,
): Promise<Pick<AffineMap, "A">> {
  const maps = [{ sources: map.sources.map(({ site }) => site.layer), target: map.target.site.layer }];
  const collection = await collectMoments(source, target, {
    corpus,
    layers: { kind: "maps", maps },
    maxRows,
    hasCurve: false,
    seed,
    signal,
    onProgress: ({ rows }) =>
      onProgress?.({ label: "fitting the shuffled map", done: Math.min(rows, maxRows), total: maxRows }),
  });
  return fitBothWays(collection).shuffled.forward;
}

async function withSmall<T>({ openSmall }: PredictChangeOptions, use: (model: OpenModel) => Promise<T>): Promise<T> {
  const model = await openSmall();
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** Uses the changed model, or the unchanged one where the change is not one of weights. */
async function withChanged<T>(
  change: ModelChange | undefined,
  unchanged: OpenModel,
  use: (model: OpenModel) => Promise<T>,
): Promise<T> {
  if (!change?.open) return use(unchanged);
  const model = await change.open();
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** Checks that a model is the one that a map was fitted on; another file of it is worth a warning. */
function checkModel(model: RunModel, expected: AffineMap["target"]["model"], what: string): string[] {
  const differences = identityDifferences(model, expected);
  if (differences.length > 0)
    throw mismatch("incompatible", model.name, `${expected.name}, ${what}`, "another model", {
      hint: `they differ in ${differences.join(", ")}`,
    });
  return model.sha256 === expected.sha256
    ? []
    : [`${model.name} is another file than ${what}, ${expected.name} ${expected.quantisation}`];
}

function checkShape(
  before: Parameters<typeof identityDifferences>[0],
  after: Parameters<typeof identityDifferences>[0],
): void {
  const differences = identityDifferences(after, before);
  if (differences.length > 0)
    throw mismatch("incompatible", after.name, `a changed ${before.name}`, "another model", {
      hint: `they differ in ${differences.join(", ")}`,
    });
}

function isSame(a: TokenizedItem, b: TokenizedItem): boolean {
  const equal = (x: Int32Array, y: Int32Array): boolean =>
    x.length === y.length && x.every((token, i) => token === y[i]);
  return equal(a.prompt, b.prompt) && a.continuations.every((own, i) => equal(own, b.continuations[i]!));
}
