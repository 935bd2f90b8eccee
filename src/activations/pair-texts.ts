import type { OpenModel } from "../engine/open-model.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { type ContrastPair, toPlainPrompt } from "./contrast-set.ts";
import { commonStart, type ReadPosition, type TokenText, toReadPositions } from "./read-position.ts";

/** One text of a contrast pair as a model reads it. */
export interface PairText {
  /** Prompt and continuation together, after BOS where the model adds one. */
  readonly tokens: Int32Array;
  /** Token positions that a vector is read from, ascending, none of them 0. */
  readonly positions: readonly number[];
}

export interface PairTextOptions {
  readonly readAt: ReadPosition;
  /** Reads `<|…|>` in the texts as special tokens: for texts made with a chat template. Default false. */
  readonly parseSpecial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What of a model reading texts takes. */
export type Tokenizing = Pick<OpenModel, "context" | "description" | "detokenize" | "specialTokens" | "tokenize">;

/**
 * Tokenises contrast pairs and finds the positions they are read at, in the order p₀⁺ p₀⁻ p₁⁺ p₁⁻ …
 *
 * @throws bad-input, naming the pair, for texts longer than the model's context, too short to read, or of the same tokens; aborted
 */
export async function toPairTexts(
  model: Tokenizing,
  pairs: readonly ContrastPair[],
  { readAt, parseSpecial = false, signal }: PairTextOptions,
): Promise<PairText[]> {
  const special = await model.specialTokens();
  const isSpecial = (token: number): boolean => special.has(token);
  const contents = readAt === "last-content" ? new Map<number, boolean>() : undefined;
  const texts: PairText[] = [];
  for (const [i, pair] of pairs.entries()) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const where = pair.where ?? `pair ${i + 1}`;
    const [a, b] = [
      await tokenizeText(model, toPlainPrompt(pair) + pair.positive, parseSpecial, where),
      await tokenizeText(model, toPlainPrompt(pair) + pair.negative, parseSpecial, where),
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

/**
 * Tokenises one text as a model reads it: BOS as the file says, once; no EOS behind it.
 *
 * @throws bad-input, naming `where`, for more tokens than the model's context
 */
export async function tokenizeText(
  model: Tokenizing,
  text: string,
  parseSpecial: boolean,
  where: string,
): Promise<Int32Array> {
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

/** Looks up whether each token shows a letter or digit, into `contents`; a token that is part of a character counts as content. */
export async function lookUpContents(
  model: Tokenizing,
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
