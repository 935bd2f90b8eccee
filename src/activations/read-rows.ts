import type { OpenModel, WindowStates } from "../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { alignRows } from "./align/align-rows.ts";
import type { AlignmentCounts } from "./align/aligned-text.ts";
import type { CorpusDocument } from "./corpus.ts";
import { type PlannedWindow, planUnits } from "./plan-units.ts";
import { readAhead } from "./read-ahead.ts";
import { rowNorms } from "./row-norms.ts";
import type { RowSelection } from "./row-selection.ts";
import { createRowSelector } from "./select-rows.ts";
import { shareThreads } from "./share-threads.ts";
import { calibrationRows, type SinkLimits, toSinkLimits } from "./sink-limits.ts";
import { tee } from "./tee.ts";
import { checkSameTokenizer, type TokenWindow } from "./windows.ts";

export type { SinkLimits } from "./sink-limits.ts";

/** Hidden states of the same tokens in two models, at many sites: the rows of one window that were kept. */
export interface PairedRows {
  /** Unit, position and group of the window, see {@link TokenWindow}. */
  readonly unit: number;
  readonly window: number;
  readonly group: number;
  readonly document: CorpusDocument;
  /** Token ids of the whole window, before rows were left out: how much text it is. */
  readonly read: number;
  /** Token id of each row, `[n]`; of aligned windows the target's, of a row that is a piece of text that of its last token. */
  readonly tokens: Int32Array;
  /** By site, the source's first, then the target's, in the order asked for: `[n, width]` each. */
  readonly states: readonly Float32Array[];
  /** Weight of each row, `[n]`; undefined where all weigh 1. */
  readonly weights: Float64Array | undefined;
  /** Rows that were left out, by reason. */
  readonly leftOut: LeftOut;
  /** Of an aligned window: how much of it could be paired. */
  readonly alignment?: AlignmentCounts | undefined;
  /** By site, norms of the tokens that rows are means of, where they are; a mean is shorter than what it is the mean of. */
  readonly norms?: readonly Float64Array[] | undefined;
}

/** Every token of a window, of the source's where two tokenizers are aligned, is a row or one of these. */
export interface LeftOut {
  /** First positions: with or without BOS their norm is several times that of any other. */
  readonly first: number;
  /** Special and control tokens that no rule asked for. */
  readonly special: number;
  /** Rows that were selected and whose norm at some site is more than {@link sinkFactor} times the median there. */
  readonly sink: number;
  /** Rows that met no rule of the selection. */
  readonly unselected: number;
  /** Of aligned windows: tokens that give no row of their own, since none of the target ends there or a row is a longer piece of text. */
  readonly unaligned?: number | undefined;
}

export interface ReadRowsOptions {
  /** Each at least one site; each site once. */
  readonly sourceSites: readonly Site[];
  readonly targetSites: readonly Site[];
  /** Which rows are taken and what they weigh. Default: all, each 1. */
  readonly select?: RowSelection | undefined;
  /** Whether the windows say how the target reads them; without it both models must have one tokenizer. Default false. */
  readonly aligned?: boolean | undefined;
  /** Which units are given out, such as those of a shard or those not yet summed. Default: all. */
  readonly units?: ((unit: number) => boolean) | undefined;
  /** Bounds for sinks that an earlier reading of the same windows found, instead of finding them again. */
  readonly limits?: SinkLimits | undefined;
  /** Told the bounds, before the first row is given. */
  readonly onLimits?: ((limits: SinkLimits) => void) | undefined;
  /** Threads that both models may use together. Default: all that the machine offers. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What may wait decoded on either side: a unit's worth of tokens, and for many sites of large models less. */
const tokensAhead = 8192;
const bytesAhead = 2 ** 27;
/** Units that wait tokenised. */
const unitsAhead = 2;

/**
 * Streams the hidden states of the same windows from two models at many sites, row by row for the same tokens, in the order of the
 * windows; one pass of each model serves all its sites.
 *
 * Both models work at the same time and go on while the caller computes: each has a few calls under way, and up to a unit of tokens
 * waits decoded on either side. Neither waits for the other longer than that bound requires. Threads are shared in proportion to the
 * work where there are too few for both.
 *
 * Left out and counted are first positions, special tokens, rows that were not selected, and sinks: rows longer than 10 times the
 * median at any of the sites. The median is that of the first 2048 rows of text (fewer where many sites of large models would not
 * fit memory), whatever is selected and whichever units are asked for, so that all parts of a reading agree; those first windows are
 * held until it is known. Of windows that are aligned the two models read their own tokens of the same text, and a row is what the window
 * says: two tokens that end together, or two runs of tokens, whose states it is the mean of. A window of which nothing is left comes with zero rows, so that the counts add up.
 *
 * A unit gives the same bits whatever else is read, for the same sites and number of threads on the same machine. Units not asked for
 * are tokenised, and decoded only if they set the bounds.
 *
 * @throws incompatible for different tokenizers; bad-input for sites, selection or limits; engine for states that are not finite; aborted
 */
export async function* readRows(
  source: OpenModel,
  target: OpenModel,
  windows: AsyncIterable<TokenWindow>,
  options: ReadRowsOptions,
): AsyncGenerator<PairedRows, void, void> {
  const { sourceSites, targetSites, select, aligned = false, units = () => true, onLimits, threads, signal } = options;
  const { limits: known } = options;
  if (!aligned) checkSameTokenizer(source.description, target.description);
  const sites = [...checkSites(source, sourceSites, "source"), ...checkSites(target, targetSites, "target")];
  checkLimits(known, sites.length);
  const others = await target.specialTokens();
  // Ids of two tokenizers have nothing to do with one another.
  const special = new Set([...(await source.specialTokens()), ...(aligned ? [] : others)]);
  const selector = createRowSelector(source, special, select);
  const enough = calibrationRows(sites.map(({ model }) => model.description.width));

  const plan = planUnits(windows, { selector, units, calibrationRows: enough, hasLimits: known !== undefined });
  const ahead = readAhead(plan, { size: () => 1, limit: unitsAhead });
  const [planned, forModels] = tee(ahead);
  const [forSource, forTarget] = tee(forModels);
  const stop = new AbortController();
  const run = { signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal };
  const open = (model: OpenModel, side: AsyncIterable<readonly Int32Array[]>, sitesOf: readonly Site[]) => {
    const tokenBytes = 4 * sitesOf.length * model.description.width;
    const size = ({ tokens: { length } }: WindowStates): number =>
      Math.max(length / tokensAhead, (length * tokenBytes) / bytesAhead);
    return readAhead(model.readStates(side, { ...run, sites: sitesOf }), { size, limit: 1 });
  };
  const left = open(source, toBatches(forSource, "source"), sourceSites);
  const right = open(target, toBatches(forTarget, "target"), targetSites);
  const giveBack = await shareThreads(
    { model: source, sites: sourceSites },
    { model: target, sites: targetSites },
    threads,
  );

  const keep = (window: DecodedWindow, bounds: SinkLimits): PairedRows =>
    window.window.aligned
      ? alignRows(window, { limits: bounds, of: sites, special: others })
      : keepRows(window, bounds, sites);
  let limits = known;
  const held: DecodedWindow[] = [];
  const norms: number[][] = sites.map(() => []);
  try {
    if (limits) onLimits?.(limits);
    for await (const unit of planned)
      for (const window of unit) {
        if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
        const decoded = window.isDecoded ? await decode(window, left, right, sites) : { ...window, sites: undefined };
        if (limits) {
          if (window.isGiven) yield keep(decoded, limits);
          continue;
        }
        if (window.isGiven) held.push(decoded);
        addNorms(norms, decoded, { of: sites, special: others });
        if ((norms[0] as number[]).length < enough) continue;
        limits = toSinkLimits(norms);
        onLimits?.(limits);
        for (const first of held.splice(0)) yield keep(first, limits);
      }
    if (limits) return;
    limits = toSinkLimits(norms);
    onLimits?.(limits);
    for (const first of held) yield keep(first, limits);
  } finally {
    // Drops the calls under way and waits for their end, whatever it is, so that neither model is still busy when the caller goes on.
    stop.abort();
    await Promise.allSettled([left.return(), right.return()]);
    // A side that was never asked leaves the windows open.
    await Promise.allSettled([ahead.return()]);
    // A model that died under the reading has no threads to give back, and its own error is on the way.
    await giveBack().catch(() => undefined);
  }
}

/** A site and the model it belongs to. */
export interface SiteOf {
  readonly model: OpenModel;
  readonly side: "source" | "target";
  readonly site: Site;
}

function checkSites(model: OpenModel, sites: readonly Site[], side: "source" | "target"): readonly SiteOf[] {
  const where = `${side} layer`;
  if (sites.length === 0) throw mismatch("bad-input", `${side} sites`, "at least one", "none");
  const names = sites.map((site) => formatSite(checkSite(site, model.description.blocks, where)));
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice) throw mismatch("bad-input", `${side} sites`, "each once", `${twice} twice`);
  return sites.map((site) => ({ model, side, site }));
}

function checkLimits(limits: SinkLimits | undefined, sites: number): void {
  if (limits && (limits.length !== sites || !limits.every((limit) => Number.isFinite(limit) && limit >= 0)))
    throw mismatch("bad-input", "limits", `a norm for each of ${sites} sites`, JSON.stringify(limits), {
      hint: "limits belong to the sites they were found at",
    });
}

async function* toBatches(
  units: AsyncIterable<readonly PlannedWindow[]>,
  side: SiteOf["side"],
): AsyncGenerator<readonly Int32Array[], void, void> {
  for await (const unit of units)
    yield unit.filter(({ isDecoded }) => isDecoded).map(({ window }) => tokensOf(window, side));
}

/** What a model reads of a window. */
function tokensOf({ tokens, aligned }: TokenWindow, side: SiteOf["side"]): Int32Array {
  return side === "target" && aligned ? aligned.tokens : tokens;
}

/** A window with its rows and their norms by site, before any is left out; undefined where the models did not read it. */
export interface DecodedWindow extends PlannedWindow {
  readonly sites: readonly { readonly rows: Float32Array; readonly norms: Float64Array }[] | undefined;
}

async function decode(
  planned: PlannedWindow,
  left: AsyncGenerator<WindowStates, void, void>,
  right: AsyncGenerator<WindowStates, void, void>,
  sites: readonly SiteOf[],
): Promise<DecodedWindow> {
  // Both are waited for, so that a failure of one leaves no rejection of the other unheard.
  const [a, b] = await Promise.allSettled([left.next(), right.next()]);
  if (a.status === "rejected") throw a.reason;
  if (b.status === "rejected") throw b.reason;
  if (a.value.done || b.value.done)
    throw new TrimtabError("internal", "internal: a model gave fewer windows than it was asked for");
  const states = [...a.value.value.states, ...b.value.value.states];
  const { window } = planned;
  return {
    ...planned,
    sites: sites.map((of, at) => {
      const rows = states[at] as Float32Array;
      return { rows, norms: checkedNorms(rows, of, window) };
    }),
  };
}

function checkedNorms(rows: Float32Array, { model, side, site }: SiteOf, window: TokenWindow): Float64Array {
  const { name, width } = model.description;
  const n = tokensOf(window, side).length;
  if (rows.length !== n * width)
    throw mismatch("internal", "internal: hidden states", `${n} rows of ${width}`, `${rows.length} values`);
  const norms = rowNorms(rows, width);
  const bad = norms.findIndex((norm) => !Number.isFinite(norm));
  if (bad >= 0)
    throw mismatch(
      "engine",
      `${name} at ${formatSite(site)}`,
      "finite hidden states",
      `${norms[bad]} at token ${bad} of window ${window.index} (${window.document.source})`,
      {
        hint: "the file may be damaged or its number format overflow at this layer; try another layer or quantisation",
      },
    );
  return norms;
}

function addNorms(
  norms: readonly number[][],
  { window, sites, isText }: DecodedWindow,
  { of, special }: { readonly of: readonly SiteOf[]; readonly special: ReadonlySet<number> },
): void {
  const others = window.aligned?.tokens;
  const isOther = (row: number): boolean => row > 0 && !special.has(others?.[row] as number);
  sites?.forEach((states, at) => {
    const isTextOf = others && of[at]?.side === "target" ? isOther : (row: number) => isText[row];
    states.norms.forEach((norm, row) => {
      if (isTextOf(row)) norms[at]?.push(norm);
    });
  });
}

function keepRows(
  { window, weights, isText, sites }: DecodedWindow,
  limits: SinkLimits,
  of: readonly SiteOf[],
): PairedRows {
  const { index, unit, group, document, tokens } = window;
  const kept: number[] = [];
  let [special, sink, unselected] = [0, 0, 0];
  for (let row = 1; row < tokens.length; row++) {
    if (weights[row] === 0) {
      if (isText[row]) unselected++;
      else special++;
    } else if (sites?.some(({ norms }, at) => (norms[row] as number) > (limits[at] as number))) sink++;
    else kept.push(row);
  }
  const keptWeights = Float64Array.from(kept, (row) => weights[row] as number);
  return {
    unit,
    window: index,
    group,
    document,
    read: tokens.length,
    tokens: Int32Array.from(kept, (row) => tokens[row] as number),
    states: of.map(({ model }, at) => takeRows(sites?.[at]?.rows, model.description.width, kept)),
    weights: keptWeights.every((weight) => weight === 1) ? undefined : keptWeights,
    leftOut: { first: 1, special, sink, unselected },
  };
}

function takeRows(rows: Float32Array | undefined, width: number, kept: readonly number[]): Float32Array {
  const result = new Float32Array(kept.length * width);
  if (rows)
    kept.forEach((row, to) => {
      result.set(rows.subarray(row * width, (row + 1) * width), to * width);
    });
  return result;
}
