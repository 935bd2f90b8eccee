import { createHash } from "node:crypto";
import { type Corpus, resolveCorpus } from "../activations/corpus.ts";
import { type PairedRows, readPairedRows } from "../activations/paired-rows.ts";
import { checkContext, checkSameTokenizer, defaultContext, toWindows } from "../activations/windows.ts";
import { type ModelIdentity, toIdentity } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { checkSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import type { AffineMap, RowsLeftOut } from "./affine-map.ts";
import { type CollectedRows, createCollector } from "./collect-rows.ts";
import { solveMap } from "./solve-map.ts";

/** How far a fit has come. */
export interface FitProgress {
  /** Rows kept so far, and the most that will be. */
  readonly rows: number;
  readonly maxRows: number;
  /** Tokens read, in each model. */
  readonly tokens: number;
  readonly windows: number;
  /** Share of the work done, 0 to 1: of the rows wanted or of the corpus, whichever is nearer its end. */
  readonly fraction: number;
}

export interface FitMapOptions {
  /** A path for {@link resolveCorpus}, or a corpus. */
  readonly corpus: string | Corpus;
  readonly sourceSite: Site;
  readonly targetSite: Site;
  /** Most tokens a window holds. Default 512, or the shorter context that a model was opened for. */
  readonly context?: number | undefined;
  /** Stop after this many rows. Default {@link defaultRows}. */
  readonly rows?: number | undefined;
  /** Decides which windows are held out, and the random nulls. Default 0. */
  readonly seed?: number | undefined;
  /** Ridge penalties to try, as multiples of the mean eigenvalue. Default: 10⁻⁶ to 10², and 0 where well conditioned. */
  readonly lambdas?: readonly number[] | undefined;
  /** Most bytes of held-out rows and of each token table. Default 256 MiB. */
  readonly maxHeldBytes?: number | undefined;
  /** Written into the file as the time it was made, ISO 8601. */
  readonly createdAt?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every window. */
  readonly onProgress?: ((progress: FitProgress) => void) | undefined;
}

export interface FitMapResult {
  readonly map: AffineMap;
  /** What a reader of the scores should know, in sentences. */
  readonly warnings: readonly string[];
}

/** Rows read unless told otherwise: at the demo family's widths the learning curve is flat there. */
const minDefaultRows = 20_000;
/** Twice the ten rows per source dimension below which a warning is due. */
const rowsPerDimension = 20;

/** Rows that a fit reads where the caller does not say: 20 for each source dimension, and at least 20 000. */
export function defaultRows(sourceWidth: number): number {
  return Math.max(minDefaultRows, rowsPerDimension * sourceWidth);
}

/**
 * Fits an affine map from the hidden states of one model to those of another, on the same text, and scores it on text held out.
 *
 * Both models read the corpus window by window, side by side. Of every ten windows eight fit the coefficients (ridge regression,
 * centred, source standardised), one chooses the penalty, one gives the scores; see `splitWindows`. Memory holds moments, the held-out
 * windows (at most 20 000 rows) and tables by token id, all bounded, and does not grow with the corpus.
 *
 * Same models, corpus, options and seed give the same map on the same machine. The map suits rows like those it was fitted on: every
 * position of running text but the first.
 *
 * @throws incompatible for different tokenizers; unsupported if a model cannot be tapped; bad-input for sites, context, rows, or a
 * corpus of fewer than 30 windows; not-found and io for the corpus; engine; aborted
 * @see Bello et al., arXiv 2506.00653, section 2.3
 * @example
 * const { map, warnings } = await fitMap(small, large, {
 *   corpus: "stories.txt", sourceSite: residPost(1), targetSite: residPost(3), seed: 7,
 * });
 */
export async function fitMap(source: OpenModel, target: OpenModel, options: FitMapOptions): Promise<FitMapResult> {
  const { sourceSite, targetSite, seed = 0, signal, onProgress } = options;
  const { context, maxRows } = checkOptions(source, target, options);
  const corpus = typeof options.corpus === "string" ? await resolveCorpus(options.corpus) : options.corpus;
  const [sourceModel, targetModel] = await Promise.all([identify(source), identify(target)]);

  const collector = createCollector({
    dSource: source.description.width,
    dTarget: target.description.width,
    seed,
    maxHeldBytes: options.maxHeldBytes,
  });
  const ledger = createLedger();
  let stoppedEarly = false;
  const windows = toWindows(source, corpus.documents({ signal }), { context });
  for await (const rows of readPairedRows(source, target, windows, { sourceSite, targetSite, signal })) {
    ledger.add(rows);
    collector.add(rows);
    const { tokens } = ledger;
    const fraction = Math.min(1, Math.max(collector.rows / maxRows, rows.document.fraction));
    onProgress?.({ rows: collector.rows, maxRows, tokens, windows: ledger.windows, fraction });
    if (signal?.aborted) throw new TrimtabError("aborted", "the fit was interrupted", { cause: signal.reason });
    if (collector.rows >= maxRows) {
      // The corpus ends sooner, by little or much, than it could: what was read must be said.
      stoppedEarly = rows.document.fraction < 1;
      break;
    }
  }
  const collected = collector.end();
  checkEnough(collected, ledger, corpus.name, context);
  const solved = solveMap(collected, {
    source: { model: sourceModel, site: sourceSite },
    target: { model: targetModel, site: targetSite },
    lambdas: options.lambdas,
    seed,
    record: {
      corpus: { name: corpus.name, ...ledger.digest() },
      context,
      version: trimtabVersion(),
      ...(options.createdAt === undefined ? {} : { createdAt: options.createdAt }),
    },
    counts: { total: ledger.tokens, leftOut: ledger.leftOut },
  });
  if (!stoppedEarly) return solved;
  const { corpus: read } = solved.map.fit;
  const note = `Read ${read.documents} documents from the beginning of ${corpus.name}, up to ${maxRows} rows; the rest was not read. More rows read more; a corpus sorted by kind should be shuffled.`;
  return { ...solved, warnings: [...solved.warnings, note] };
}

function checkOptions(
  source: OpenModel,
  target: OpenModel,
  options: FitMapOptions,
): { readonly context: number; readonly maxRows: number } {
  checkSameTokenizer(source.description, target.description);
  for (const { description } of [source, target])
    if (!description.capabilities.tap)
      throw mismatch("unsupported", description.name, "a model whose hidden states can be read", "one whose cannot", {
        hint: description.capabilities.reason,
      });
  checkSite(options.sourceSite, source.description.blocks, "source layer");
  checkSite(options.targetSite, target.description.blocks, "target layer");
  const context = options.context ?? Math.min(defaultContext, source.context, target.context);
  checkContext(context, source);
  checkContext(context, target);
  const maxRows = options.rows ?? defaultRows(source.description.width);
  if (!Number.isSafeInteger(maxRows) || maxRows < 1)
    throw mismatch("bad-input", "rows", "a positive integer", String(maxRows));
  if (options.lambdas?.length === 0) throw mismatch("bad-input", "lambdas", "at least one penalty", "none");
  for (const lambda of options.lambdas ?? [])
    if (!(lambda >= 0) || !Number.isFinite(lambda))
      throw mismatch("bad-input", "lambda", "a number of at least 0", String(lambda));
  return { context, maxRows };
}

async function identify(model: OpenModel): Promise<ModelIdentity> {
  return toIdentity(model.description, await model.sha256());
}

/** What was read, counted, and the documents' digest in the order they were used. */
interface Ledger {
  readonly tokens: number;
  readonly windows: number;
  readonly leftOut: RowsLeftOut;
  add(rows: PairedRows): void;
  digest(): { readonly sha256: string; readonly documents: number; readonly windows: number };
}

function createLedger(): Ledger {
  const leftOut = { first: 0, special: 0, sink: 0, unselected: 0 };
  const hash = createHash("sha256");
  let [tokens, windows, documents, last] = [0, 0, 0, -1];
  return {
    get tokens() {
      return tokens;
    },
    get windows() {
      return windows;
    },
    leftOut,
    add(rows) {
      windows++;
      tokens += rows.read;
      leftOut.first += rows.leftOut.first;
      leftOut.special += rows.leftOut.special;
      leftOut.sink += rows.leftOut.sink;
      if (rows.document.index === last) return;
      last = rows.document.index;
      documents++;
      // Digests of documents, not their bytes: two corpora that cut the same text differently must differ.
      hash.update(createHash("sha256").update(rows.document.text).digest());
    },
    digest: () => ({ sha256: hash.copy().digest("hex"), documents, windows }),
  };
}

/** Windows with rows that each part needs before a score means anything. */
const minWindows = 3;

function checkEnough({ windows }: CollectedRows, ledger: Ledger, corpus: string, context: number): void {
  const fewest = Math.min(windows.train, windows.validation, windows.heldOut);
  if (fewest >= minWindows) return;
  const { first, special, sink } = ledger.leftOut;
  throw new TrimtabError(
    "bad-input",
    `${corpus}: expected at least ${10 * minWindows} windows with rows, got ${windows.train + windows.validation + windows.heldOut} ` +
      `of ${ledger.windows} (${ledger.tokens} tokens; left out: ${first} first positions, ${special} special tokens, ${sink} sinks)`,
    { hint: `use more text, more rows or shorter windows (now ${context} tokens)` },
  );
}
