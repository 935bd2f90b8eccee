import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { ContrastPair } from "./contrast-set.ts";
import { commonStart, type ReadPosition, type TokenText, toReadPositions } from "./read-position.ts";

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

/** Tokens of both sides of a pair and the positions whose rows are averaged. */
interface ReadText {
  readonly tokens: Int32Array;
  readonly positions: readonly number[];
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
  const texts = await toReadTexts(model, pairs, { readAt, parseSpecial, special, signal });
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

/** All texts in the order p₀⁺ p₀⁻ p₁⁺ p₁⁻ … */
async function toReadTexts(
  model: OpenModel,
  pairs: readonly ContrastPair[],
  {
    readAt,
    parseSpecial,
    special,
    signal,
  }: {
    readAt: ReadPosition;
    parseSpecial: boolean;
    special: ReadonlySet<number>;
    signal: AbortSignal | undefined;
  },
): Promise<ReadText[]> {
  const isSpecial = (token: number): boolean => special.has(token);
  const contents = readAt === "last-content" ? new Map<number, boolean>() : undefined;
  const texts: ReadText[] = [];
  for (const [i, pair] of pairs.entries()) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const where = pair.where ?? `pair ${i + 1}`;
    const [a, b] = [
      await tokenizeText(model, pair.prompt + pair.positive, parseSpecial, where),
      await tokenizeText(model, pair.prompt + pair.negative, parseSpecial, where),
    ];
    const common = commonStart(a, b);
    if (common === a.length && common === b.length)
      throw mismatch("bad-input", where, "two texts that differ in their tokens", "the same tokens twice");
    for (const tokens of [a, b]) {
      if (contents) await lookUpContents(model, tokens, special, contents);
      const text: TokenText = { tokens, isSpecial, isContent: (token) => contents?.get(token) ?? false };
      texts.push({ tokens, positions: toReadPositions(text, readAt, common, where) });
    }
  }
  return texts;
}

async function tokenizeText(model: OpenModel, text: string, parseSpecial: boolean, where: string): Promise<Int32Array> {
  const { tokenizer } = model.description;
  let tokens = await model.tokenize(text, { addSpecial: true, parseSpecial });
  // Some chat templates write BOS themselves; the model saw it once.
  if (tokens.length > 1 && tokens[0] === tokenizer.bos && tokens[1] === tokenizer.bos) tokens = tokens.slice(1);
  // Some files ask for EOS after every text; nothing is said behind it, so it is not read.
  if (!parseSpecial && tokens.length > 1 && tokens.at(-1) === tokenizer.eos) tokens = tokens.slice(0, -1);
  if (tokens.length > model.context)
    throw mismatch(
      "bad-input",
      where,
      `at most ${model.context} tokens, the context the model was opened with`,
      String(tokens.length),
      {
        hint: "shorten the text or open the model with a longer context",
      },
    );
  return tokens;
}

/** Whether each token shows a letter or digit; a token that is part of a character counts as content. */
async function lookUpContents(
  model: OpenModel,
  tokens: Int32Array,
  special: ReadonlySet<number>,
  contents: Map<number, boolean>,
): Promise<void> {
  for (const token of new Set(tokens)) {
    if (contents.has(token)) continue;
    const text = special.has(token) ? "" : await model.detokenize(Int32Array.of(token));
    contents.set(token, /[\p{L}\p{N}\ufffd]/u.test(text));
  }
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
