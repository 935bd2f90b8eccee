import type { ContrastPair } from "../activations/contrast-set.ts";
import { toPairTexts } from "../activations/pair-texts.ts";
import type { ReadPosition } from "../activations/read-position.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";
import { readMeanRows } from "./read-mean-rows.ts";

/** Hidden states of a contrast set at one site: one row for each side of each pair, `[pairs, width]` row-major. */
export interface PairRows {
  readonly pairs: number;
  readonly width: number;
  readonly positive: Float32Array;
  readonly negative: Float32Array;
}

export interface ReadPairsOptions {
  readonly sites: readonly Site[];
  readonly readAt: ReadPosition;
  /** Reads `<|…|>` in the texts as special tokens: for texts made with a chat template. */
  readonly parseSpecial?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** What was read at one site. */
export interface SiteRows {
  readonly site: Site;
  readonly rows: PairRows;
  /** Median norm of all rows of the texts but position 0 and special tokens. */
  readonly medianNorm: number;
}

/**
 * Reads a contrast set's hidden states and averages each text to one row per site.
 *
 * Each text is tokenised whole, prompt and continuation together, with BOS as the model adds it. Sums run in float64. Memory: 8 bytes
 * per pair, width and site.
 *
 * @throws bad-input, naming the pair, for texts longer than the model's context or too short to read; aborted
 */
export async function readPairRows(
  model: OpenModel,
  pairs: readonly ContrastPair[],
  { sites, readAt, parseSpecial = false, signal, onProgress }: ReadPairsOptions,
): Promise<SiteRows[]> {
  const texts = await toPairTexts(model, pairs, { readAt, parseSpecial, signal });
  const { width } = model.description;
  const rows: PairRows[] = sites.map(() => ({
    pairs: pairs.length,
    width,
    positive: new Float32Array(pairs.length * width),
    negative: new Float32Array(pairs.length * width),
  }));
  const norms = await readMeanRows(model, texts, {
    sites,
    signal,
    onProgress,
    onRow: (site, text, row) => rows[site]![text % 2 === 0 ? "positive" : "negative"].set(row, (text >> 1) * width),
  });
  return sites.map((site, s) => ({ site, rows: rows[s]!, medianNorm: norms[s]! }));
}
