import { mismatch, TrimtabError } from "../errors.ts";
import { lookUpContents, type PairText, type PairTextOptions, type Tokenizing, tokenizeText } from "./pair-texts.ts";
import { toReadPositions } from "./read-position.ts";

/**
 * Tokenises texts that stand alone and finds the positions they are read at. A lone text has no first token in which it differs from
 * another, so it cannot be read at `difference-mean`.
 *
 * @param texts - with `where` each came from, for errors
 * @throws bad-input for `difference-mean`, and, naming the text, for one that is longer than the model's context or too short to read; aborted
 */
export async function toLoneTexts(
  model: Tokenizing,
  texts: readonly { readonly text: string; readonly where: string }[],
  { readAt, parseSpecial = false, signal }: PairTextOptions,
): Promise<PairText[]> {
  if (readAt === "difference-mean")
    throw mismatch("bad-input", "read position", "one that a text alone has", "difference-mean", {
      hint: "read at last, last-content, all-mean or end-N, or give pairs",
    });
  const special = await model.specialTokens();
  const isSpecial = (token: number): boolean => special.has(token);
  const contents = readAt === "last-content" ? new Map<number, boolean>() : undefined;
  const found: PairText[] = [];
  for (const { text, where } of texts) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const tokens = await tokenizeText(model, text, parseSpecial, where);
    if (contents) await lookUpContents(model, tokens, special, contents);
    const isContent = (token: number): boolean => contents?.get(token) ?? false;
    found.push({ tokens, positions: toReadPositions({ tokens, isSpecial, isContent }, readAt, 0, where) });
  }
  return found;
}
