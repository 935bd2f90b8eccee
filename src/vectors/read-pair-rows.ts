import type { ContrastPair } from "../activations/contrast-set.ts";
import { toPairTexts } from "../activations/pair-texts.ts";
import type { ReadPosition } from "../activations/read-position.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";

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
  const special = await model.specialTokens();
  const texts = await toPairTexts(model, pairs, { readAt, parseSpecial, signal });
  const { width } = model.description;
  const rows: PairRows[] = sites.map(() => ({
    pairs: pairs.length,
    width,
    positive: new Float32Array(pairs.length * width),
    negative: new Float32Array(pairs.length * width),
  }));
  const norms: number[][] = sites.map(() => []);
  const windows = texts.map(({ tokens }) => tokens);
  for await (const { index, states } of model.readStates(windows, { sites, ...(signal ? { signal } : {}) })) {
    const { tokens, positions } = texts[index]!;
    for (const [s, state] of states.entries()) {
      const row = rows[s]![index % 2 === 0 ? "positive" : "negative"];
      row.set(meanRow(state, positions, width), (index >> 1) * width);
      for (let i = 1; i < tokens.length; i++) if (!special.has(tokens[i]!)) norms[s]!.push(rowNorm(state, i, width));
    }
    onProgress?.({ done: index + 1, total: texts.length });
  }
  return sites.map((site, s) => ({ site, rows: rows[s]!, medianNorm: median(norms[s]!) }));
}

function meanRow(state: Float32Array, positions: readonly number[], width: number): Float64Array {
  const mean = new Float64Array(width);
  for (const position of positions) for (let j = 0; j < width; j++) mean[j] = mean[j]! + state[position * width + j]!;
  return mean.map((sum) => sum / positions.length);
}

function rowNorm(state: Float32Array, position: number, width: number): number {
  let sum = 0;
  for (let j = position * width; j < (position + 1) * width; j++) sum += state[j]! * state[j]!;
  return Math.sqrt(sum);
}

function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
