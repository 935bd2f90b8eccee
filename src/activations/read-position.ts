import { mismatch } from "../errors.ts";

/**
 * Where in a text the hidden state is read.
 *
 * `last`: its last token. `last-content`: the last token with a letter or digit. `difference-mean`: the mean over tokens from the first
 * one in which the two texts of a pair differ. `all-mean`: the mean over all but special tokens. `{ fromEnd: n }`: the n-th token from the
 * end, 1 being the last; CAA reads the letter of "(A)" with 2. Position 0 is never read: its norm is far above all others.
 */
export type ReadPosition = "last" | "last-content" | "difference-mean" | "all-mean" | { readonly fromEnd: number };

const names = ["last", "last-content", "difference-mean", "all-mean"] as const;

/** Writes a position as the command line takes it: `last`, `difference-mean`, `end-2` for `{ fromEnd: 2 }`. */
export function formatReadPosition(position: ReadPosition): string {
  return typeof position === "string" ? position : `end-${position.fromEnd}`;
}

/** Reads what {@link formatReadPosition} wrote. @throws bad-input for anything else */
export function parseReadPosition(text: string): ReadPosition {
  const name = names.find((known) => known === text);
  if (name) return name;
  const fromEnd = Number(/^end-(\d{1,6})$/.exec(text)?.[1]);
  if (fromEnd >= 1) return { fromEnd };
  throw mismatch("bad-input", "read position", `${names.join(", ")} or end-<n>`, JSON.stringify(text));
}

/** Token positions whose hidden states are averaged. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/** One text of a pair as token ids; `isSpecial` and `isContent` are asked by token id. */
export interface TokenText {
  readonly tokens: Int32Array;
  readonly isSpecial: (token: number) => boolean;
  readonly isContent: (token: number) => boolean;
}

/**
 * Positions to average in a text for a read position, where `common` tokens are shared with the other text of the pair.
 *
 * Where one text is the start of the other, nothing is left of it to differ: then its last token is read.
 *
 * @throws bad-input if nothing but position 0 is left
 */
export function toReadPositions(text: TokenText, position: ReadPosition, common: number, where: string): number[] {
  const { tokens } = text;
  const last = tokens.length - 1;
  const span = (start: number, end: number): number[] =>
    Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  const positions = (() => {
    if (position === "last") return [last];
    if (position === "last-content") return [tokens.findLastIndex((token) => text.isContent(token))];
    if (position === "all-mean") return span(1, tokens.length).filter((i) => !text.isSpecial(tokens[i]!));
    if (position === "difference-mean") return span(Math.max(1, Math.min(common, last)), tokens.length);
    return [tokens.length - position.fromEnd];
  })();
  if (positions.length === 0 || positions[0]! < 1)
    throw mismatch(
      "bad-input",
      where,
      `a token to read at "${formatReadPosition(position)}" after the first position`,
      `${tokens.length} tokens`,
      { hint: "lengthen the text or choose another read position" },
    );
  return positions;
}

/** How many tokens two texts share at their start. */
export function commonStart(a: Int32Array, b: Int32Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
