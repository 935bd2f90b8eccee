import { rowNorms } from "../activations/row-norms.ts";
import { calibrationRows, toSinkLimits } from "../activations/sink-limits.ts";
import { tee } from "../activations/tee.ts";
import type { TokenWindow } from "../activations/windows.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { formatSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { checkSaeModel } from "./check-sae-model.ts";
import { encodeRows } from "./encode.ts";
import type { FeatureRows, Sae } from "./sae.ts";
import { sliceSparseRows } from "./slice-sparse-rows.ts";

/** One window of text with its hidden states at a site and their features. */
export interface FeatureWindow {
  readonly window: TokenWindow;
  /** Token position in the window of each row, `[n]`, ascending. */
  readonly positions: Int32Array;
  /** Token id of each row, `[n]`. */
  readonly tokens: Int32Array;
  /** Hidden states `[n, width]`, as the model has them. */
  readonly states: Float32Array;
  /** `[n, features]`. */
  readonly features: FeatureRows;
  /** Tokens of the window that are no rows, by reason. */
  readonly leftOut: { readonly first: number; readonly special: number; readonly sink: number };
}

export interface ReadFeaturesOptions {
  /** Where the states are read. Default: where the autoencoder was trained. */
  readonly site?: Site | undefined;
  /**
   * `text` (default) leaves out first positions, special tokens, and sinks: rows longer than 10 times the median of the first 2048. Their
   * norms are so large that almost every feature they touch looks strong. `all` keeps every position.
   */
  readonly rows?: "text" | "all" | undefined;
  /** The norm above which a row is a sink, where an earlier reading found it. */
  readonly sinkLimit?: number | undefined;
  /** Told that bound, before the first window is given. */
  readonly onSinkLimit?: ((limit: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that are encoded together at least: the encoder is converted once for all of them. */
const rowsTogether = 512;

interface Held {
  readonly window: TokenWindow;
  readonly rows: Float32Array;
  readonly norms: Float64Array;
}

/**
 * Streams windows of text through a model and an autoencoder: for each window, in order, the hidden states at a site and their features.
 *
 * Memory does not grow with the text: besides what the model has under way, the windows of about 2048 rows are held. The model computes
 * while the caller works.
 *
 * @throws incompatible if the autoencoder is of another width; bad-input if no site is known or the model lacks it; engine for states
 *   that are not finite; aborted
 * @example
 * const windows = toWindows(model, (await resolveCorpus("stories/")).documents());
 * for await (const { tokens, features } of readFeatures(model, sae, windows)) console.log(tokens.length, features.values.length);
 */
export async function* readFeatures(
  model: OpenModel,
  sae: Sae,
  windows: AsyncIterable<TokenWindow>,
  { site: asked, rows = "text", sinkLimit, onSinkLimit, signal }: ReadFeaturesOptions = {},
): AsyncGenerator<FeatureWindow, void, void> {
  const { site } = checkSaeModel(sae, model.description, { site: asked });
  const special = rows === "text" ? await model.specialTokens() : new Set<number>();
  const [listed, forModel] = tee(windows);
  const states = model.readStates(toTokens(forModel), { sites: [site], ...(signal && { signal }) });
  const enough = calibrationRows([sae.width]);
  const norms: number[] = [];
  let limit = rows === "all" ? Number.MAX_VALUE : sinkLimit;
  let held: Held[] = [];
  let heldRows = 0;
  if (limit !== undefined) onSinkLimit?.(limit);
  try {
    for await (const window of listed) {
      if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      const next = await states.next();
      if (next.done) throw new TrimtabError("internal", "internal: the model gave fewer windows than it was asked for");
      const one = toHeld(window, next.value.states[0] as Float32Array, { model, site });
      held.push(one);
      heldRows += window.tokens.length;
      if (limit === undefined) {
        for (let row = 1; row < window.tokens.length; row++)
          if (!special.has(window.tokens[row] as number)) norms.push(one.norms[row] as number);
        if (norms.length < enough) continue;
        limit = toSinkLimits([norms])[0] as number;
        onSinkLimit?.(limit);
      }
      if (heldRows < rowsTogether) continue;
      yield* encodeWindows(sae, held, { rows, special, limit });
      held = [];
      heldRows = 0;
    }
    if (limit === undefined) {
      limit = toSinkLimits([norms])[0] as number;
      onSinkLimit?.(limit);
    }
    yield* encodeWindows(sae, held, { rows, special, limit });
  } finally {
    await states.return();
    await listed.return();
  }
}

async function* toTokens(windows: AsyncIterable<TokenWindow>): AsyncGenerator<Int32Array, void, void> {
  for await (const { tokens } of windows) yield tokens;
}

function toHeld(window: TokenWindow, rows: Float32Array, { model, site }: { model: OpenModel; site: Site }): Held {
  const norms = rowNorms(rows, model.description.width);
  const bad = norms.findIndex((norm) => !Number.isFinite(norm));
  if (bad >= 0)
    throw mismatch(
      "engine",
      `${model.description.name} at ${formatSite(site)}`,
      "finite hidden states",
      `${norms[bad]} at token ${bad} of window ${window.index} (${window.document.source})`,
      {
        hint: "the file may be damaged or its number format overflow at this layer; try another layer or quantisation",
      },
    );
  return { window, rows, norms };
}

function* encodeWindows(
  sae: Sae,
  held: readonly Held[],
  chosen: { readonly rows: "text" | "all"; readonly special: ReadonlySet<number>; readonly limit: number },
): Generator<FeatureWindow, void, void> {
  const kept = held.map((one) => keepRows(one, sae.width, chosen));
  const X = new Float32Array(kept.reduce((sum, { states }) => sum + states.length, 0));
  let at = 0;
  for (const { states } of kept) {
    X.set(states, at);
    at += states.length;
  }
  const F = encodeRows(sae, X);
  let row = 0;
  for (const one of kept) {
    const next = row + one.tokens.length;
    yield { ...one, features: sliceSparseRows(F, row, next) };
    row = next;
  }
}

function keepRows(
  { window, rows, norms }: Held,
  width: number,
  chosen: { readonly rows: "text" | "all"; readonly special: ReadonlySet<number>; readonly limit: number },
): Omit<FeatureWindow, "features"> {
  const positions: number[] = [];
  const leftOut = { first: 0, special: 0, sink: 0 };
  for (let row = 0; row < window.tokens.length; row++) {
    if (chosen.rows === "text" && row === 0) leftOut.first++;
    else if (chosen.special.has(window.tokens[row] as number)) leftOut.special++;
    else if ((norms[row] as number) > chosen.limit) leftOut.sink++;
    else positions.push(row);
  }
  const states = new Float32Array(positions.length * width);
  positions.forEach((row, to) => {
    states.set(rows.subarray(row * width, (row + 1) * width), to * width);
  });
  return {
    window,
    positions: Int32Array.from(positions),
    tokens: Int32Array.from(positions, (row) => window.tokens[row] as number),
    states,
    leftOut,
  };
}
