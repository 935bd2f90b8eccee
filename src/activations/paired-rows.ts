import type { OpenModel, WindowStates } from "../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { CorpusDocument } from "./corpus.ts";
import { median, rowNorms } from "./row-norms.ts";
import { tee } from "./tee.ts";
import { checkSameTokenizer, type TokenWindow } from "./windows.ts";

/** Hidden states of the same tokens in two models: the rows of one window that were kept. */
export interface PairedRows {
  /** Position of the window in the corpus, from 0. */
  readonly window: number;
  readonly document: CorpusDocument;
  /** Token ids of the whole window, before rows were left out: how much was read. */
  readonly read: number;
  /** Token id of each row, `[n]`. */
  readonly tokens: Int32Array;
  /** Source states `[n, dSource]`. */
  readonly X: Float32Array;
  /** Target states `[n, dTarget]`. */
  readonly Y: Float32Array;
  /** Rows that were left out, by reason. */
  readonly leftOut: LeftOut;
}

export interface LeftOut {
  /** First positions: with or without BOS their norm is several times that of any other. */
  readonly first: number;
  /** Special and control tokens. */
  readonly special: number;
  /** Rows whose norm on either side is more than {@link sinkFactor} times the median there. */
  readonly sink: number;
}

export interface PairedRowsOptions {
  readonly sourceSite: Site;
  readonly targetSite: Site;
  readonly signal?: AbortSignal | undefined;
}

/** A row this many times longer than the median is a sink: attention's parking place, not text. They reach 200 times the median. */
export const sinkFactor = 10;
/** Rows whose median norms set the bound, or all there are. The median of so many is known to within 2 %. */
const calibrationRows = 2048;

/**
 * Halves the threads of two models that are about to compute side by side, and returns what undoes it: more threads than cores wait
 * for one another by spinning, and were seen to take ten times as long.
 */
async function shareCores(source: OpenModel, target: OpenModel): Promise<() => Promise<void>> {
  const before = [source, target].map((model) => ({ model, threads: model.threads }));
  const each = Math.max(1, Math.floor(Math.min(source.threads, target.threads) / 2));
  for (const { model } of before) await model.setThreads(each);
  return async () => {
    for (const { model, threads } of before) await model.setThreads(threads);
  };
}

/** Both sides of one window before any row is left out. */
interface RawPair {
  readonly window: TokenWindow;
  readonly X: Float32Array;
  readonly Y: Float32Array;
  readonly normsX: Float64Array;
  readonly normsY: Float64Array;
}

/**
 * Streams the hidden states of the same windows from two models, row by row for the same tokens, in the order of the windows.
 *
 * Both models work at the same time, and the next window is under way while one is used; no more than that is held, plus what the
 * engine batches. Left out and counted are first positions, special tokens, and sinks: rows longer than 10 times the median on either
 * side, where the median is that of the first 2048 rows otherwise kept (or of all, if fewer); those first windows are held until
 * it is known. A window of which nothing is left comes with zero rows, so that the counts add up.
 *
 * @throws incompatible for different tokenizers; bad-input for a layer out of range; engine for states that are not finite; aborted
 */
export async function* readPairedRows(
  source: OpenModel,
  target: OpenModel,
  windows: AsyncIterable<TokenWindow>,
  { sourceSite, targetSite, signal }: PairedRowsOptions,
): AsyncGenerator<PairedRows, void, void> {
  checkSameTokenizer(source.description, target.description);
  checkSite(sourceSite, source.description.blocks, "source layer");
  checkSite(targetSite, target.description.blocks, "target layer");
  const special = new Set([...(await source.specialTokens()), ...(await target.specialTokens())]);
  const isEligible = (tokens: Int32Array, row: number): boolean => row > 0 && !special.has(tokens[row] as number);

  const held: RawPair[] = [];
  const norms: { readonly x: number[]; readonly y: number[] } = { x: [], y: [] };
  let limits: Limits | undefined;
  for await (const pair of readPairs(source, target, windows, { sourceSite, targetSite, signal })) {
    if (limits) {
      yield keepRows(pair, isEligible, limits);
      continue;
    }
    held.push(pair);
    for (let row = 0; row < pair.window.tokens.length; row++)
      if (isEligible(pair.window.tokens, row)) {
        norms.x.push(pair.normsX[row] as number);
        norms.y.push(pair.normsY[row] as number);
      }
    if (norms.x.length < calibrationRows) continue;
    limits = toLimits(norms);
    for (const first of held.splice(0)) yield keepRows(first, isEligible, limits);
  }
  if (held.length > 0) limits ??= toLimits(norms);
  for (const first of held) yield keepRows(first, isEligible, limits as Limits);
}

interface Limits {
  readonly x: number;
  readonly y: number;
}

function toLimits({ x, y }: { readonly x: readonly number[]; readonly y: readonly number[] }): Limits {
  // Without one eligible row there is no median, and no row it could judge either.
  if (x.length === 0) return { x: Number.POSITIVE_INFINITY, y: Number.POSITIVE_INFINITY };
  return { x: sinkFactor * median(x), y: sinkFactor * median(y) };
}

async function* readPairs(
  source: OpenModel,
  target: OpenModel,
  windows: AsyncIterable<TokenWindow>,
  { sourceSite, targetSite, signal }: PairedRowsOptions,
): AsyncGenerator<RawPair, void, void> {
  const inFlight: TokenWindow[] = [];
  async function* remembered(): AsyncGenerator<Int32Array, void, void> {
    for await (const window of windows) {
      inFlight.push(window);
      yield window.tokens;
    }
  }
  const [forSource, forTarget] = tee(remembered());
  const options = signal ? { signal } : {};
  const giveBack = await shareCores(source, target);
  const left = source.readStates(forSource, { ...options, sites: [sourceSite] });
  const right = target.readStates(forTarget, { ...options, sites: [targetSite] });
  const pull = async (): Promise<[IteratorResult<WindowStates, void>, IteratorResult<WindowStates, void>]> => {
    const both = await Promise.allSettled([left.next(), right.next()]);
    const [a, b] = both;
    if (a.status === "rejected") throw a.reason;
    if (b.status === "rejected") throw b.reason;
    return [a.value, b.value];
  };
  let pending = pull();
  try {
    for (;;) {
      const [a, b] = await pending;
      if (a.done || b.done) {
        if (a.done !== b.done)
          throw new TrimtabError("internal", "internal: one model gave fewer windows than the other");
        return;
      }
      pending = pull();
      pending.catch(ignore); // it is awaited in the next turn; until then a failure must not count as unhandled
      const window = inFlight.shift() as TokenWindow;
      const X = a.value.states[0] as Float32Array;
      const Y = b.value.states[0] as Float32Array;
      const normsX = checkedNorms(X, source, sourceSite, window);
      const normsY = checkedNorms(Y, target, targetSite, window);
      yield { window, X, Y, normsX, normsY };
    }
  } finally {
    // Wait for the pull under way, whatever its outcome, so that neither model is still busy when the caller goes on.
    await Promise.allSettled([pending]);
    await Promise.all([left.return(), right.return()]);
    // A model that died under the read has no threads to give back, and its own error is on the way.
    await giveBack().catch(ignore);
  }
}

/** The outcome is told elsewhere. */
function ignore(): void {}

function checkedNorms(rows: Float32Array, model: OpenModel, site: Site, window: TokenWindow): Float64Array {
  const { name, width } = model.description;
  const n = window.tokens.length;
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

function keepRows(
  { window, X, Y, normsX, normsY }: RawPair,
  isEligible: (tokens: Int32Array, row: number) => boolean,
  limits: Limits,
): PairedRows {
  const { index, document, tokens } = window;
  const kept: number[] = [];
  let special = 0;
  let sink = 0;
  for (let row = 1; row < tokens.length; row++) {
    if (!isEligible(tokens, row)) special++;
    else if ((normsX[row] as number) > limits.x || (normsY[row] as number) > limits.y) sink++;
    else kept.push(row);
  }
  return {
    window: index,
    document,
    read: tokens.length,
    tokens: Int32Array.from(kept, (row) => tokens[row] as number),
    X: takeRows(X, X.length / tokens.length, kept),
    Y: takeRows(Y, Y.length / tokens.length, kept),
    leftOut: { first: 1, special, sink },
  };
}

function takeRows(rows: Float32Array, width: number, kept: readonly number[]): Float32Array {
  const result = new Float32Array(kept.length * width);
  kept.forEach((row, to) => {
    result.set(rows.subarray(row * width, (row + 1) * width), to * width);
  });
  return result;
}
