import type { ScoredText } from "./scorer.ts";

/** Share of a text's letters that are capitals, among letters that have a case; `null` without such a letter. */
export function scoreCapitalLetters(text: string): ScoredText {
  const capitals = count(text, /\p{Lu}/gu);
  const all = capitals + count(text, /\p{Ll}/gu);
  return { value: all === 0 ? null : capitals / all };
}

/**
 * Share of a text's words that are all capitals, among words of at least two letters with a case (`I` and `A` say nothing); `null`
 * without such a word.
 */
export function scoreCapitalWords(text: string): ScoredText {
  const words = (text.match(/\p{L}[\p{L}\p{M}'’]*/gu) ?? []).filter((word) => count(word, /[\p{Lu}\p{Ll}]/gu) >= 2);
  const capitals = words.filter((word) => !/\p{Ll}/u.test(word)).length;
  return { value: words.length === 0 ? null : capitals / words.length };
}

function count(text: string, expression: RegExp): number {
  return text.match(expression)?.length ?? 0;
}
