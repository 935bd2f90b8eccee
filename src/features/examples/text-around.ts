import type { OpenModel } from "../../engine/open-model.ts";

/** A token in its text. */
export interface MarkedText {
  readonly before: string;
  readonly token: string;
  readonly after: string;
}

/**
 * The text around one of a few tokens. What the tokens spell together is divided where the token's own letters begin and end; a character
 * that is spread over several tokens falls to the last of them.
 */
export async function textAround(
  model: Pick<OpenModel, "detokenize">,
  tokens: Int32Array,
  at: number,
): Promise<MarkedText> {
  const [start, upTo, whole] = [
    await model.detokenize(tokens.slice(0, at)),
    await model.detokenize(tokens.slice(0, at + 1)),
    await model.detokenize(tokens),
  ];
  // A cut character is shown as U+FFFD by a part and whole by the longer one; what all begin with is divided. Two parts that are cut within
  // one character agree in the U+FFFD, so each is held against the whole.
  const shown = commonStart(upTo, whole);
  const before = commonStart(start, shown);
  const token = shown.slice(before.length);
  return { before, token, after: whole.slice(before.length + token.length) };
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
