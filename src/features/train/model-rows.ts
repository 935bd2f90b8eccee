import { createHash } from "node:crypto";
import type { Corpus } from "../../activations/corpus.ts";
import type { SinkLimits } from "../../activations/sink-limits.ts";
import { resolveContext, type TokenWindow, toWindows } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { checkSite, type Site } from "../../engine/site.ts";
import { splitGroups } from "../../maps/collect/split-groups.ts";
import type { RowChunk, RowSource } from "./row-source.ts";
import { readSiteWindows, type SiteWindow } from "./site-windows.ts";

/** Which documents: those to train on, nine of ten, those held out from training, or all. */
export type CorpusPart = "training" | "held-out" | "all";

export interface ModelTextOptions {
  readonly site: Site;
  readonly corpus: Corpus;
  /** Default training. The split is that of maps with the same seed: what is held out here is held out there. */
  readonly part?: CorpusPart | undefined;
  /** Tokens in a window. Default 512, or what the model was trained with. */
  readonly context?: number | undefined;
  /** Tokens of the part that are read at most, windows whole. */
  readonly maxTokens?: number | undefined;
  /** Decides which documents are held out. Default 0. */
  readonly seed?: number | undefined;
}

/** The windows of a part of a corpus, in order; units keep those windows that belong to it. */
export async function* partWindows(
  model: OpenModel,
  { corpus, part = "training", context, maxTokens = Number.POSITIVE_INFINITY, seed = 0 }: ModelTextOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<TokenWindow, void, void> {
  const split = splitGroups({ seed, folds: 1, hasCurve: false });
  let tokens = 0;
  const windows = toWindows(model, corpus.documents({ signal }), { context: resolveContext(context, [model]) });
  for await (const window of windows) {
    const isHeldOut = split.partOf(window.group) === "heldOut";
    if (part !== "all" && isHeldOut !== (part === "held-out")) continue;
    if (tokens >= maxTokens) return;
    tokens += window.tokens.length;
    yield window;
  }
}

/**
 * Makes a source of the hidden states of a model at a site: a chunk is a unit of windows, its rows those that give rows (see
 * {@link readSiteWindows}).
 *
 * Units before the one asked for are tokenised and not decoded, except the first ones, which set the bound for sinks.
 *
 * @throws bad-input for the site, the context or the corpus
 */
export async function openModelRows(model: OpenModel, options: ModelTextOptions): Promise<RowSource> {
  const { corpus, part = "training", maxTokens, seed = 0 } = options;
  const { name, width, blocks } = model.description;
  const site = checkSite(options.site, blocks, "layer");
  const context = resolveContext(options.context, [model]);
  let limits: SinkLimits | undefined;
  async function* chunks({
    from = 0,
    signal,
  }: {
    from?: number | undefined;
    signal?: AbortSignal | undefined;
  } = {}): AsyncGenerator<RowChunk, void, void> {
    // The bound is of the first units: without it they are read, whatever is asked for.
    const first = limits ? from : 0;
    let index = first;
    let tokens = 0;
    const windows = fromUnit(partWindows(model, { ...options, context }, signal), first);
    const reading = readSiteWindows(model, windows, {
      site,
      limits,
      onLimits: (found) => {
        limits = found;
      },
      signal,
    });
    for await (const unit of reading) {
      tokens += unit.reduce((sum, { window }) => sum + window.tokens.length, 0);
      // The text may end at a number of tokens before the corpus does.
      const fraction = Math.min(1, Math.max(fractionOf(unit), maxTokens === undefined ? 0 : tokens / maxTokens));
      if (index >= from) yield { index, rows: joinRows(unit, width), fraction };
      else if (limits) {
        await reading.return();
        yield* chunks({ from, signal });
        return;
      }
      index++;
    }
  }
  return {
    name: corpus.name,
    width,
    chunks,
    model: { name, sha256: await model.sha256(), site },
    facts: {
      corpus: corpus.name,
      corpusSha256: await corpusDigest(corpus),
      part,
      context,
      splitSeed: seed,
      ...(maxTokens !== undefined && { maxTokens }),
    },
  };
}

/** Digest (hex) of the documents of a corpus, in order. */
export async function corpusDigest(corpus: Corpus): Promise<string> {
  const hash = createHash("sha256");
  for await (const { text } of corpus.documents()) hash.update(createHash("sha256").update(text).digest());
  return hash.digest("hex");
}

async function* fromUnit(windows: AsyncIterable<TokenWindow>, first: number): AsyncGenerator<TokenWindow, void, void> {
  let [unit, last] = [-1, -1];
  for await (const window of windows) {
    if (window.unit !== last) {
      unit++;
      last = window.unit;
    }
    if (unit >= first) yield window;
  }
}

function joinRows(unit: readonly SiteWindow[], width: number): Float32Array {
  const rows = new Float32Array(unit.reduce((sum, { kept }) => sum + kept.length, 0) * width);
  let to = 0;
  for (const { states, kept } of unit)
    for (const row of kept) {
      rows.set(states.subarray(row * width, (row + 1) * width), to);
      to += width;
    }
  return rows;
}

function fractionOf(unit: readonly SiteWindow[]): number {
  return unit.at(-1)?.window.document.fraction ?? 1;
}
