import { createHash } from "node:crypto";
import { type Alignment, formatAlignment, resolveAlignment } from "../../activations/align/alignment.ts";
import { type Corpus, resolveCorpus } from "../../activations/corpus.ts";
import { readRows } from "../../activations/read-rows.ts";
import {
  allRows,
  checkRowSelection,
  formatRowSelection,
  isReadFrom,
  type RowSelection,
} from "../../activations/row-selection.ts";
import { resolveContext } from "../../activations/windows.ts";
import { type ModelIdentity, toIdentity } from "../../engine/description.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import { seededRandom } from "../../linalg/random.ts";
import { linalgThreads, setLinalgThreads } from "../../linalg/threads.ts";
import { checkSameCollectionPlan } from "./check-collection-plan.ts";
import { type CheckpointOptions, openCheckpoint } from "./checkpoint.ts";
import { type Collection, type CollectionPlan, defaultHeldBytes, type Ledger } from "./collection.ts";
import { createCollector } from "./collector.ts";
import { createLedger, type GrowingLedger } from "./growing-ledger.ts";
import { openWindows, type PairSource } from "./open-windows.ts";
import { type CollectedLayers, planLayers } from "./plan-layers.ts";
import { type ReadRecord, recordReading } from "./read-record.ts";
import { formatShard, isInShard, isShard, type Shard } from "./shard.ts";

/** How far a collection has come. */
export interface CollectProgress {
  /** Rows kept so far, and the most that will be, where that is known. */
  readonly rows: number;
  readonly maxRows: number | undefined;
  /** Tokens read, in each model. */
  readonly tokens: number;
  readonly windows: number;
  /** Share of the work done, 0 to 1: of the rows wanted or of the corpus, whichever is nearer its end. */
  readonly fraction: number;
}

/** When a growing collection is shown, and to whom. */
export interface SnapshotOptions {
  /** Rows. Each is shown once, after the first window by which there are so many; a run that goes on shows only later ones. */
  readonly atRows: readonly number[];
  /** Given a view that changes with the next rows, its shuffled rows only those of whole units; the reading waits for it. */
  readonly onSnapshot: (collection: Collection) => void | Promise<void>;
}

export interface CollectOptions {
  /** A path for {@link resolveCorpus}, or a corpus. May be left out where rows come from `pairs` alone. */
  readonly corpus?: string | Corpus | undefined;
  /** Contrast set for rows of the kind `pairs`. */
  readonly pairs?: PairSource | undefined;
  /** Layers that are read, and which of them are to be joined by maps. */
  readonly layers: CollectedLayers;
  /** Which rows. Default all of the corpus. */
  readonly rows?: RowSelection | undefined;
  /** How rows are paired. Default by token id for models with one tokenizer, else by spans. */
  readonly align?: Alignment | undefined;
  /** Most tokens a window holds. Default 512, or the shorter context that a model was opened for or trained with. */
  readonly context?: number | undefined;
  /** Stop after this many rows. Default: all the text. */
  readonly maxRows?: number | undefined;
  /** Stop after this many tokens: unlike rows, the same place for every shard. Default: all the text. */
  readonly maxTokens?: number | undefined;
  /** Decides which windows are held out, and the random nulls. Default 0. */
  readonly seed?: number | undefined;
  /** K ≥ 2 for cross-validation. Default 1: one window of ten chooses the penalty. */
  readonly folds?: number | undefined;
  /** Keep the fitting part in pieces that give a learning curve; five times the memory of its moments. Default true. */
  readonly hasCurve?: boolean | undefined;
  /** Read only this part of the units. Default all. */
  readonly shard?: Shard | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** Most bytes of held-out rows and of each token table. Default 256 MiB. */
  readonly maxHeldBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every window. */
  readonly onProgress?: ((progress: CollectProgress) => void) | undefined;
  /** Told of what has been collected so far, for a learning curve while it grows. */
  readonly snapshots?: SnapshotOptions | undefined;
  /** Told the tokens that an earlier, broken-off run had read, if this one goes on from it. */
  readonly onResume?: ((tokens: number) => void) | undefined;
}

/**
 * Reads text with two models side by side and collects the moments of their hidden states, and what scores need besides.
 *
 * Memory holds moments, at most 10 000 held-out rows and sums by token id, all bounded, and does not grow with the text. The split into
 * rows that fit, choose and score is decided by the seed and the position in the corpus alone (`splitGroups`).
 *
 * With `checkpoint` the collection is saved between units of at most 8192 tokens; a run that was killed at any moment goes on from there
 * when it is started again with the same options, to the same bits as an unbroken run. With `shard` i of n, every n-th unit is read;
 * the n collections merge (`mergeCollections`) to that of one run. The finished checkpoint is left for the caller to remove.
 *
 * Rows are paired as `align` says, and by default by token id, or for models whose tokenizers differ by spans; the collection says which.
 *
 * @throws incompatible for `ids` of different tokenizers, text that cannot be aligned, or a checkpoint of other options; unsupported if a model cannot be tapped; bad-input for
 * layers, context, rows, shard; not-found and io for the corpus and the checkpoint; engine; aborted
 */
export async function collectMoments(
  source: OpenModel,
  target: OpenModel,
  options: CollectOptions,
): Promise<Collection> {
  // The cores belong to the models: sums are small beside a decode, and threads that wait for one another by spinning cost both sides dearly.
  const threads = linalgThreads();
  setLinalgThreads(Math.max(1, threads >> 2));
  try {
    return await collect(source, target, options);
  } finally {
    setLinalgThreads(threads);
  }
}

/** Rows count with their weights, and where all are next to nothing there is too little to fit: known before hours of reading. */
const leastWeight = 0.01;

async function collect(source: OpenModel, target: OpenModel, options: CollectOptions): Promise<Collection> {
  const { shard, signal, onProgress, maxRows = Number.POSITIVE_INFINITY } = options;
  const rows = checkRows(options);
  checkModels(source, target);
  const plan = await toCollectionPlan(source, target, options, rows);
  const corpus = typeof options.corpus === "string" ? await resolveCorpus(options.corpus) : options.corpus;
  await using checkpoint = await openCheckpoint(options.checkpoint);
  const { start, path } = checkpoint;
  if (start) {
    checkSameCollectionPlan(plan, start.plan, path);
    checkSameShard(shard, start.ledger.shards[0], path);
    checkNotPast(options, start.ledger, path);
    options.onResume?.(start.ledger.rows.total);
  }
  const { context, alignment } = plan;
  const record = recordReading(
    openWindows(source, target, { corpus, pairs: options.pairs, rows, context, alignment, signal }),
    { maxTokens: options.maxTokens, watched: start?.ledger.lastUnit },
  );

  const collector = createCollector(plan, start);
  const ledger = createLedger(nameOf(corpus, options.pairs), shard, start?.ledger);
  const collection = (isComplete: boolean): Collection => {
    return { plan, ...collector.view(), ledger: ledger.view(record, isComplete) };
  };
  const reader = readRows(source, target, record.windows, {
    sourceSites: plan.sourceSites,
    targetSites: plan.targetSites,
    select: rows,
    aligned: alignment !== undefined,
    units: (unit) => unit > (start?.ledger.lastUnit ?? -1) && (!shard || isInShard(unit, shard)),
    limits: start?.ledger.limits,
    onLimits: ledger.setLimits,
    threads: Math.max(source.threads, target.threads),
    signal,
  });
  let wanted = (options.snapshots?.atRows ?? []).filter((at) => at > ledger.rows);
  const showSnapshot = async (): Promise<void> => {
    const later = wanted.filter((at) => at > ledger.rows);
    if (later.length === wanted.length) return;
    wanted = later;
    await options.snapshots?.onSnapshot(collection(false));
  };
  let unit = -1;
  const endUnit = (): void => {
    if (unit < 0) return;
    collector.endUnit();
    ledger.endUnit(unit);
  };
  for await (const window of reader) {
    // By the first window given, all of the text that was summed before has passed.
    if (start && unit < 0) checkSameText(record, start.ledger, path);
    if (window.unit !== unit) {
      const isFirst = unit < 0;
      endUnit();
      if (!isFirst) await checkpoint.save(() => collection(false), signal);
    }
    unit = window.unit;
    collector.add(window);
    ledger.add(window, record.atDocument(window.document));
    onProgress?.(toProgress(ledger, window.document.fraction, options));
    await showSnapshot();
    if (signal?.aborted) throw new TrimtabError("aborted", "the collection was interrupted", { cause: signal.reason });
    if (ledger.rows >= maxRows) {
      // The corpus ends sooner, by little or much, than it could: what was read must be said.
      if (window.document.fraction < 1) ledger.stopEarly();
      break;
    }
  }
  endUnit();
  if (start) checkSameText(record, start.ledger, path);
  return collection(true);
}

function toProgress(
  { rows, tokens, windows }: GrowingLedger,
  share: number,
  { maxRows, maxTokens = Number.POSITIVE_INFINITY, shard }: CollectOptions,
): CollectProgress {
  const own = maxTokens / (shard?.of ?? 1);
  const fraction = Math.min(1, Math.max(rows / (maxRows ?? Number.POSITIVE_INFINITY), tokens / own, share));
  return { rows, maxRows, tokens, windows, fraction };
}

function checkModels(source: OpenModel, target: OpenModel): void {
  for (const { description } of [source, target])
    if (!description.capabilities.tap)
      throw mismatch("unsupported", description.name, "a model whose hidden states can be read", "one whose cannot", {
        hint: description.capabilities.reason,
      });
}

function checkRows({ rows = allRows, corpus, pairs, maxRows, maxTokens, shard, folds }: CollectOptions): RowSelection {
  checkRowSelection(rows);
  const heaviest = Math.max(...rows.map(({ weight }) => weight));
  if (heaviest < leastWeight)
    throw mismatch("bad-input", "rows", `a rule that weighs at least ${leastWeight}`, `${heaviest} at most`, {
      hint: "weights count beside one another: multiply all of them, such as all*1,last*4",
    });
  if (isReadFrom(rows, "corpus") && corpus === undefined)
    throw mismatch("bad-input", `rows ${formatRowSelection(rows)}`, "a corpus", "none");
  if (isReadFrom(rows, "pairs") && !pairs)
    throw mismatch("bad-input", `rows ${formatRowSelection(rows)}`, "a contrast set", "none");
  for (const [name, value] of [
    ["rows", maxRows],
    ["tokens", maxTokens],
  ] as const)
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
      throw mismatch("bad-input", name, "a positive integer", String(value));
  if (folds !== undefined && !(Number.isSafeInteger(folds) && folds >= 1 && folds <= 100))
    throw mismatch("bad-input", "folds", "an integer from 1 to 100", String(folds));
  if (shard && !isShard(shard)) throw mismatch("bad-input", "shard", "a part i of n from 1 to n", formatShard(shard));
  if (shard && maxRows !== undefined)
    throw mismatch("bad-input", "shard", "a limit of tokens", "a limit of rows", {
      hint: "how many rows the other shards keep is not known here; limit tokens, or read all the text",
    });
  return rows;
}

async function toCollectionPlan(
  source: OpenModel,
  target: OpenModel,
  options: CollectOptions,
  rows: RowSelection,
): Promise<CollectionPlan> {
  const { layers, seed = 0, folds = 1, pairs, maxHeldBytes = defaultHeldBytes } = options;
  const alignment = checkAlignedRows(resolveAlignment(options.align, source.description, target.description), rows);
  seededRandom(seed); // refuses what is not a seed before anything is read
  const context = resolveContext(options.context, [source, target]);
  const { sources, targets, blocks } = planLayers(layers, source.description.blocks, target.description.blocks);
  const digest = createHash("sha256");
  for (const { prompt, positive, negative } of pairs?.pairs ?? [])
    digest.update(JSON.stringify([prompt, positive, negative]));
  if (pairs?.parseSpecial) digest.update("special");
  return {
    source: await identify(source),
    target: await identify(target),
    sourceSites: sources.map(residPost),
    targetSites: targets.map(residPost),
    blocks,
    context,
    seed,
    folds,
    hasCurve: (options.hasCurve ?? true) && folds === 1,
    rowSelection: formatRowSelection(rows),
    ...(pairs && isReadFrom(rows, "pairs") && { pairs: { name: pairs.name, sha256: digest.digest("hex") } }),
    ...(alignment.kind !== "ids" && { alignment: formatAlignment(alignment), tokensOf: "target" as const }),
    maxHeldBytes,
  };
}

/** Rows that are pieces of text are not chosen by token. */
function checkAlignedRows(alignment: Alignment, rows: RowSelection): Alignment {
  const wrong = "pool" in alignment && rows.some(({ kind }) => kind !== "all");
  if (wrong)
    throw mismatch(
      "bad-input",
      `rows ${formatRowSelection(rows)}`,
      `all with ${formatAlignment(alignment)}`,
      "others",
      {
        hint: "rules choose tokens; a row of this alignment is a piece of text. Pair by spans to choose among tokens",
      },
    );
  return alignment;
}

async function identify(model: OpenModel): Promise<ModelIdentity> {
  return toIdentity(model.description, await model.sha256());
}

function nameOf(corpus: Corpus | undefined, pairs: PairSource | undefined): string {
  return [corpus?.name, pairs?.name].filter((name) => name !== undefined).join(" + ");
}

function checkSameShard(shard: Shard | undefined, found: Shard | undefined, path: string): void {
  const show = (part: Shard | undefined): string => (part ? `part ${part.index} of ${part.of}` : "the whole corpus");
  if (show(shard) !== show(found))
    throw mismatch("incompatible", path, `a checkpoint of ${show(shard)}`, `one of ${show(found)}`, {
      hint: "delete it to start anew",
    });
}

/** A checkpoint of more than is wanted now would answer another question. */
function checkNotPast({ maxRows, maxTokens }: CollectOptions, ledger: Ledger, path: string): void {
  const tokens = ledger.rows.total;
  const rows = Object.values(ledger.rows.leftOut).reduce((left, count) => left - (count ?? 0), tokens);
  for (const [name, most, found] of [
    ["rows", maxRows, rows],
    ["tokens", maxTokens, tokens],
  ] as const)
    if (most !== undefined && found >= most)
      throw mismatch("incompatible", path, `a checkpoint of fewer than ${most} ${name}`, `one of ${found}`, {
        hint: "delete it to start anew",
      });
}

/** The text up to where the checkpoint was made must be the text that it was made from. */
function checkSameText(record: ReadRecord, { corpus }: Ledger, path: string): void {
  if (record.atWatched()?.sha256 === corpus.sha256) return;
  throw mismatch("incompatible", path, "a checkpoint of this text", `one of other text (${corpus.name})`, {
    hint: "the corpus has changed since; delete the checkpoint to start anew",
  });
}
