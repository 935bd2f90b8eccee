import type { PairText } from "../activations/pair-texts.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";

export interface ReadMeanRowsOptions {
  readonly sites: readonly Site[];
  /** Told the mean row `[width]` of a text at a site, both by their number. */
  readonly onRow: (site: number, text: number, row: Float64Array) => void;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/**
 * Reads the hidden states of texts and averages each over its positions, in float64. Returns by site the median norm of all rows of the
 * texts but position 0 and special tokens.
 *
 * @throws engine, aborted
 */
export async function readMeanRows(
  model: OpenModel,
  texts: readonly PairText[],
  { sites, onRow, signal, onProgress }: ReadMeanRowsOptions,
): Promise<number[]> {
  const special = await model.specialTokens();
  const { width } = model.description;
  const norms: number[][] = sites.map(() => []);
  const windows = texts.map(({ tokens }) => tokens);
  for await (const { index, states } of model.readStates(windows, { sites, ...(signal ? { signal } : {}) })) {
    const { tokens, positions } = texts[index]!;
    for (const [s, state] of states.entries()) {
      onRow(s, index, meanRow(state, positions, width));
      for (let i = 1; i < tokens.length; i++) if (!special.has(tokens[i]!)) norms[s]!.push(rowNorm(state, i, width));
    }
    onProgress?.({ done: index + 1, total: texts.length });
  }
  return norms.map(median);
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
