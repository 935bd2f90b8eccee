import type { ModelDescription } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { AlignedText } from "./align/aligned-text.ts";
import type { CorpusDocument } from "./corpus.ts";
import { prepareAhead } from "./prepare-ahead.ts";

/** Token ids that one decode reads: part of one document, after BOS where the model adds one. */
export interface TokenWindow {
  /** Position in the corpus, from 0. */
  readonly index: number;
  /**
   * Run of consecutive windows, from 0, that is decoded by itself, so that its rows are the same bits whatever was read before: a
   * reading can be cut in parts, broken off and taken up again between units.
   */
  readonly unit: number;
  /** Windows, from 0, that belong on one side of any split: neighbours of one document, the two texts of a pair. */
  readonly group: number;
  readonly document: CorpusDocument;
  readonly tokens: Int32Array;
  /** Whether the document ends here. */
  readonly endsDocument: boolean;
  /** For a text of a contrast set: the token positions that a vector is read from, ascending. */
  readonly readPositions?: readonly number[] | undefined;
  /** The same text as a second model reads it, and which positions make a row; undefined where it reads `tokens` too. */
  readonly aligned?: AlignedText | undefined;
}

export interface WindowOptions {
  /** Most tokens a window holds, BOS included. Default {@link defaultContext}. */
  readonly context?: number | undefined;
}

/** Tokens a window holds where nothing else is said: the paper's context length. */
export const defaultContext = 512;
/** Tokens that the windows of a unit have together at most: a few of the engine's calls, seconds of work for a large model. */
export const unitTokens = 8192;
/** Windows of one document that stay together at most: a book must not be all training or all held out. */
export const groupWindows = 8;

/**
 * Cuts documents into windows of at most `context` token ids, in order.
 *
 * Documents are never joined. Each window starts with BOS if the model's tokenizer adds it, so that every window is a sequence the
 * model could have met. Text that spells a special token is read as plain text. Pieces that hold no token after the first position
 * are dropped: that position gives no row.
 *
 * A unit is closed when the next window would take it above {@link unitTokens}; a group is a document, or at most
 * {@link groupWindows} consecutive windows of a longer one. Both depend on text, tokenizer and `context` alone.
 *
 * Documents are tokenised a little ahead of their use; a failure to read one comes after the windows of those before it.
 *
 * @throws bad-input if `context` is not an integer from 2 to what the model was opened for and trained with
 */
export async function* toWindows(
  model: Pick<OpenModel, "context" | "description" | "tokenize">,
  documents: AsyncIterable<CorpusDocument> | Iterable<CorpusDocument>,
  { context = defaultContext }: WindowOptions = {},
): AsyncGenerator<TokenWindow, void, void> {
  checkContext(context, model);
  const head = windowHead(model.description);
  const step = context - head.length;
  const unitOf = createUnits();
  let [index, group] = [0, -1];
  const tokenize = ({ text }: CorpusDocument): Promise<Int32Array> =>
    model.tokenize(text, { addSpecial: false, parseSpecial: false });
  for await (const { document, prepared: ids } of prepareAhead(documents, tokenize)) {
    const pieces: Int32Array[] = [];
    for (let start = 0; start < ids.length; start += step) {
      const tokens = Int32Array.of(...head, ...ids.subarray(start, start + step));
      if (tokens.length >= 2) pieces.push(tokens);
    }
    for (const [at, tokens] of pieces.entries()) {
      if (at % groupWindows === 0) group++;
      yield { index, unit: unitOf(tokens), group, document, tokens, endsDocument: at === pieces.length - 1 };
      index++;
    }
  }
}

/** What a window of a model starts with: BOS where the tokenizer adds it. @throws unsupported if it adds one and does not name it */
export function windowHead({ name, tokenizer }: ModelDescription): readonly number[] {
  if (tokenizer.addsBos && tokenizer.bos === undefined)
    throw mismatch("unsupported", name, "a tokenizer that names the BOS token it adds", "none");
  return tokenizer.addsBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
}

/** Opens the count of units: says of each window in turn, by the tokens it holds, which it belongs to. */
export function createUnits(): (tokens: { readonly length: number }) => number {
  let [unit, used] = [0, 0];
  return ({ length }) => {
    if (used > 0 && used + length > unitTokens) {
      unit++;
      used = 0;
    }
    used += length;
    return unit;
  };
}

/**
 * Checks that a window length suits a model and returns it. Beyond the trained context a model computes states it never learned to
 * make; a map fitted on them would look sound.
 *
 * @throws bad-input if it is not an integer from 2 to the context that the model was opened for, or beyond what it was trained with
 */
export function checkContext(context: number, model: Pick<OpenModel, "context" | "description">): number {
  const { name } = model.description;
  const most = longestWindow(model);
  if (Number.isInteger(context) && context >= 2 && context <= most) return context;
  const isTrained = most < model.context;
  throw mismatch(
    "bad-input",
    "context",
    `an integer from 2 to ${most}, the context ${isTrained ? `that ${name} was trained with` : `of ${name}`}`,
    `${context}`,
    { hint: isTrained ? "beyond it a model makes states that it never learned to make" : undefined },
  );
}

/** Window length for several models: what was asked for, checked, or {@link defaultContext}, or less where one takes less. */
export function resolveContext(
  context: number | undefined,
  models: readonly Pick<OpenModel, "context" | "description">[],
): number {
  const resolved = context ?? Math.min(defaultContext, ...models.map(longestWindow));
  for (const model of models) checkContext(resolved, model);
  return resolved;
}

/**
 * Longest window that a model takes, tokens: what it was opened for, or less where it was trained with less. Some files do not say what
 * that was; then the opened context is all that is known.
 */
export function longestWindow({ context, description }: Pick<OpenModel, "context" | "description">): number {
  return Math.min(context, description.trainedContext || context);
}

const pairByText = "trimtab fit --align spans pairs the rows of any two tokenizers";

/**
 * Checks that two models give the same token ids for the same text, by fingerprint. Row i of one is then the same token in the same
 * context as row i of the other; without that, pairs mean nothing.
 *
 * @throws incompatible, naming both models
 */
export function checkSameTokenizer(source: ModelDescription, target: ModelDescription): void {
  if (source.tokenizer.fingerprint === target.tokenizer.fingerprint) {
    if (source.tokenizer.addsBos === target.tokenizer.addsBos) return;
    throw mismatch(
      "incompatible",
      `${source.name} and ${target.name}`,
      "two models that both start a text with BOS, or both do not",
      `BOS added by ${source.tokenizer.addsBos ? source.name : target.name} only`,
      { hint: pairByText },
    );
  }
  const show = ({ name, vocabulary, tokenizer }: ModelDescription): string =>
    `${name}: ${tokenizer.model}/${tokenizer.pre}, ${vocabulary} tokens, ${tokenizer.fingerprint.slice(0, 12)}`;
  throw new TrimtabError(
    "incompatible",
    `tokenizers: expected ${source.name} and ${target.name} to share one, got ${show(source)} and ${show(target)}`,
    { hint: `rows are paired token by token: choose two models of one family; ${pairByText}` },
  );
}
