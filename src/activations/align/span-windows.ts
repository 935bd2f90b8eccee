import type { OpenModel } from "../../engine/open-model.ts";
import type { CorpusDocument } from "../corpus.ts";
import { prepareAhead } from "../prepare-ahead.ts";
import {
  checkContext,
  createUnits,
  defaultContext,
  groupWindows,
  type TokenWindow,
  type WindowOptions,
  windowHead,
} from "../windows.ts";
import { type AlignedText, addCounts, countAligned, noCounts } from "./aligned-text.ts";
import { checkUsable } from "./check-usable.ts";
import { type BySide, cutTogether, type TwiceTokenised } from "./cut-together.ts";
import { findTokenEnds, pairSpans } from "./span-pairs.ts";
import { createTokenSpeller } from "./token-speller.ts";

/** What aligning needs of a model. */
export type AlignedModel = Pick<OpenModel, "context" | "description" | "tokenBytes" | "tokenize">;

/** Text, in tokens of the source, after which it is said that two tokenizers do not go together: soon, and not by chance. */
const enoughTokens = 4096;

/**
 * Cuts documents into windows that hold the same text for two models with different tokenizers, and pairs the tokens that end at the same
 * byte. Otherwise as `toWindows`; of two models with one tokenizer they are the same windows and the same rows.
 *
 * A window ends at the last boundary that both tokenizations share within `context` tokens of either side, its own BOS included. Text
 * between two shared boundaries that is longer than a window, and text behind the place where the tokens of a model stop spelling it,
 * stands in no window and is counted as lost. A unit counts the tokens of the side that has more.
 *
 * @throws incompatible if of each model less than a quarter of the tokens can be used, see {@link checkUsable}; bad-input for `context`
 */
export async function* toSpanWindows(
  source: AlignedModel,
  target: AlignedModel,
  documents: AsyncIterable<CorpusDocument> | Iterable<CorpusDocument>,
  { context = defaultContext }: WindowOptions = {},
): AsyncGenerator<TokenWindow, void, void> {
  for (const model of [source, target]) checkContext(context, model);
  const [from, to] = [source.description, target.description];
  const heads = { source: windowHead(from), target: windowHead(to) };
  const unitOf = createUnits();
  let [index, group] = [0, -1];
  let counts = noCounts;
  let lost: BySide = { source: 0, target: 0 };
  let isChecked = false;
  const check = (): void => {
    const extra = (side: keyof BySide) => ({ tokens: 0, used: 0, lost: lost[side] });
    checkUsable(addCounts(counts, { source: extra("source"), target: extra("target") }), from, to);
    isChecked = true;
  };
  for await (const { document, prepared } of prepareAhead(documents, createTokeniser(source, target))) {
    const { windows, left } = cutTogether(prepared, heads, context);
    for (const [at, { tokens, aligned: own }] of windows.entries()) {
      const aligned: AlignedText = { ...own, lost: add(own.lost, lost) };
      lost = { source: 0, target: 0 };
      counts = addCounts(counts, countAligned(tokens.length, aligned));
      if (at % groupWindows === 0) group++;
      const unit = unitOf({ length: Math.max(tokens.length, aligned.tokens.length) });
      const endsDocument = at === windows.length - 1 && prepared.isWhole;
      yield { index, unit, group, document, tokens, endsDocument, aligned };
      index++;
    }
    lost = add(lost, left);
    if (!isChecked && counts.source.tokens + counts.source.lost + lost.source >= enoughTokens) check();
  }
  if (!isChecked && counts.source.tokens + lost.source > 0) check();
}

function add(a: BySide, b: BySide): BySide {
  return { source: a.source + b.source, target: a.target + b.target };
}

function createTokeniser(
  source: AlignedModel,
  target: AlignedModel,
): (document: CorpusDocument) => Promise<TwiceTokenised> {
  const read = (model: AlignedModel) => {
    const spell = createTokenSpeller(model);
    return async (text: string, bytes: Uint8Array) => {
      const tokens = await model.tokenize(text, { addSpecial: false, parseSpecial: false });
      return { tokens, ...findTokenEnds(await spell(tokens), bytes) };
    };
  };
  const [readSource, readTarget] = [read(source), read(target)];
  return async ({ text }) => {
    const bytes = new TextEncoder().encode(text);
    const [a, b] = await Promise.all([readSource(text, bytes), readTarget(text, bytes)]);
    return {
      source: a.tokens,
      target: b.tokens,
      pairs: pairSpans(a.ends, b.ends),
      isWhole: a.isWhole && b.isWhole,
    };
  };
}
