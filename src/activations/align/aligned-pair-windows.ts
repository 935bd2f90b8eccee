import type { OpenModel } from "../../engine/open-model.ts";
import { type ContrastPair, toPlainPrompt } from "../contrast-set.ts";
import { tokenizeText } from "../pair-texts.ts";
import { pairWindows } from "../pair-windows.ts";
import type { ReadPosition } from "../read-position.ts";
import type { TokenWindow } from "../windows.ts";
import { singleRuns } from "./aligned-text.ts";
import { findTokenEnds, pairSpans } from "./span-pairs.ts";
import { createTokenSpeller, type TokenSpeller } from "./token-speller.ts";

type Tokenising = Pick<
  OpenModel,
  "context" | "description" | "detokenize" | "specialTokens" | "tokenBytes" | "tokenize"
>;

/**
 * The windows of a contrast set, as `pairWindows` makes them of the source's tokens, with the target's tokens of the same texts and the
 * tokens of both that end at the same byte. Rows are those of them at which a vector of the source would be read.
 *
 * @throws bad-input as `pairWindows`, for the target's tokens too; aborted
 */
export async function* alignedPairWindows(
  source: Tokenising,
  target: Tokenising,
  pairs: readonly ContrastPair[],
  readAt: ReadPosition,
  options: { readonly parseSpecial: boolean; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<TokenWindow, void, void> {
  const [spellSource, spellTarget] = [createTokenSpeller(source), createTokenSpeller(target)];
  for await (const window of pairWindows(source, pairs, readAt, options)) {
    const pair = pairs[window.group] as ContrastPair;
    const text = toPlainPrompt(pair) + (window.index % 2 === 0 ? pair.positive : pair.negative);
    const bytes = new TextEncoder().encode(text);
    const tokens = await tokenizeText(target, text, options.parseSpecial, window.document.source);
    const [a, b] = [
      await endsIn(source, spellSource, window.tokens, bytes),
      await endsIn(target, spellTarget, tokens, bytes),
    ];
    const shared = pairSpans(a.ends, b.ends);
    const isRow = (_: number, row: number): boolean =>
      (shared.source[row] as number) + a.head > 0 && (shared.target[row] as number) + b.head > 0;
    const places = (of: Int32Array, head: number) => singleRuns(of.filter(isRow).map((token) => token + head));
    yield {
      ...window,
      aligned: {
        tokens,
        source: places(shared.source, a.head),
        target: places(shared.target, b.head),
        lost: { source: 0, target: 0 },
      },
    };
  }
}

/** Where the tokens of a text end that may begin with BOS: the model's own, which is not text, or one that a chat template wrote. */
async function endsIn(
  { description: { tokenizer } }: Tokenising,
  spell: TokenSpeller,
  tokens: Int32Array,
  text: Uint8Array,
): Promise<{ readonly ends: Int32Array; readonly head: number }> {
  const pieces = await spell(tokens);
  const bos = pieces[0] ?? new Uint8Array();
  const isWritten = bos.length > 0 && bos.every((byte, at) => text[at] === byte);
  const head = tokenizer.addsBos && tokens[0] === tokenizer.bos && !isWritten ? 1 : 0;
  return { ends: findTokenEnds(pieces.slice(head), text).ends, head };
}
