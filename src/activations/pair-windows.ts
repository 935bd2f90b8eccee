import type { OpenModel } from "../engine/open-model.ts";
import type { ContrastPair } from "./contrast-set.ts";
import { type PairTextOptions, toPairTexts } from "./pair-texts.ts";
import type { ReadPosition } from "./read-position.ts";
import { createUnits, type TokenWindow } from "./windows.ts";

/**
 * Turns a contrast set into windows, one a text, in the order p₀⁺ p₀⁻ p₁⁺ p₁⁻ …, with the positions that a vector would be read from:
 * the rows of a map fitted on `pairs`.
 *
 * Texts are tokenised as `extractVector` does, prompt and continuation together. The two texts of a pair are one group, so that a
 * split never learns from one what it is asked of the other. All pairs are tokenised before the first window comes.
 *
 * @throws bad-input, naming the pair, for texts longer than the model's context, too short to read, or of the same tokens; aborted
 */
export async function* pairWindows(
  model: Pick<OpenModel, "context" | "description" | "detokenize" | "specialTokens" | "tokenize">,
  pairs: readonly ContrastPair[],
  readAt: ReadPosition,
  options: Omit<PairTextOptions, "readAt"> = {},
): AsyncGenerator<TokenWindow, void, void> {
  const texts = await toPairTexts(model, pairs, { ...options, readAt });
  const unitOf = createUnits();
  for (const [index, { tokens, positions }] of texts.entries()) {
    const group = index >> 1;
    const { prompt, positive, negative, where } = pairs[group] as ContrastPair;
    const document = {
      index,
      text: prompt + (index % 2 === 0 ? positive : negative),
      source: where ?? `pair ${group + 1}`,
      fraction: (index + 1) / texts.length,
    };
    yield { index, unit: unitOf(tokens), group, document, tokens, endsDocument: true, readPositions: positions };
  }
}

/**
 * Joins streams of windows, one after the other, as one corpus: windows, units, groups and documents are numbered through, and no unit
 * or group holds windows of two streams. Fractions count every stream as an equal part of the whole.
 */
export async function* joinWindows(
  ...streams: readonly AsyncIterable<TokenWindow>[]
): AsyncGenerator<TokenWindow, void, void> {
  let start = { index: 0, unit: 0, group: 0, document: 0 };
  for (const [at, stream] of streams.entries()) {
    let next = start;
    for await (const window of stream) {
      const document = {
        ...window.document,
        index: start.document + window.document.index,
        fraction: (at + window.document.fraction) / streams.length,
      };
      const [index, unit, group] = [start.index + window.index, start.unit + window.unit, start.group + window.group];
      yield { ...window, index, unit, group, document };
      next = { index: index + 1, unit: unit + 1, group: group + 1, document: document.index + 1 };
    }
    start = next;
  }
}
