import type { ModelDescription } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { CorpusDocument } from "./corpus.ts";

/** Token ids that one decode reads: part of one document, after BOS where the model adds one. */
export interface TokenWindow {
  /** Position in the corpus, from 0. */
  readonly index: number;
  readonly document: CorpusDocument;
  readonly tokens: Int32Array;
}

export interface WindowOptions {
  /** Most tokens a window holds, BOS included. Default {@link defaultContext}. */
  readonly context?: number | undefined;
}

/** Tokens a window holds where nothing else is said: the paper's context length. */
export const defaultContext = 512;

/**
 * Cuts documents into windows of at most `context` token ids, in order.
 *
 * Documents are never joined. Each window starts with BOS if the model's tokenizer adds it, so that every window is a sequence the
 * model could have met. Text that spells a special token is read as plain text. Pieces that hold no token after the first position
 * are dropped: that position gives no row.
 *
 * @throws bad-input if `context` is not an integer from 2 to the context that the model was opened for
 */
export async function* toWindows(
  model: Pick<OpenModel, "context" | "description" | "tokenize">,
  documents: AsyncIterable<CorpusDocument> | Iterable<CorpusDocument>,
  { context = defaultContext }: WindowOptions = {},
): AsyncGenerator<TokenWindow, void, void> {
  const { tokenizer } = model.description;
  checkContext(context, model);
  if (tokenizer.addsBos && tokenizer.bos === undefined)
    throw mismatch("unsupported", model.description.name, "a tokenizer that names the BOS token it adds", "none");
  const head = tokenizer.addsBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
  let index = 0;
  for await (const document of documents) {
    const ids = await model.tokenize(document.text, { addSpecial: false, parseSpecial: false });
    const step = context - head.length;
    for (let start = 0; start < ids.length; start += step) {
      const piece = ids.subarray(start, start + step);
      const tokens = Int32Array.of(...head, ...piece);
      if (tokens.length < 2) continue;
      yield { index, document, tokens };
      index++;
    }
  }
}

/**
 * Checks that a window length suits a model and returns it.
 *
 * @throws bad-input if it is not an integer from 2 to the context that the model was opened for
 */
export function checkContext(context: number, model: Pick<OpenModel, "context" | "description">): number {
  if (!Number.isInteger(context) || context < 2 || context > model.context)
    throw mismatch(
      "bad-input",
      "context",
      `an integer from 2 to ${model.context}, the context of ${model.description.name}`,
      `${context}`,
    );
  return context;
}

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
    );
  }
  const show = ({ name, vocabulary, tokenizer }: ModelDescription): string =>
    `${name}: ${tokenizer.model}/${tokenizer.pre}, ${vocabulary} tokens, ${tokenizer.fingerprint.slice(0, 12)}`;
  throw new TrimtabError(
    "incompatible",
    `tokenizers: expected ${source.name} and ${target.name} to share one, got ${show(source)} and ${show(target)}`,
    { hint: "choose two models of one family; rows are paired token by token" },
  );
}
