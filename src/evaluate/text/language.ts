import { mismatch } from "../../errors.ts";
import type { ScoreText } from "./scorer.ts";

/** The languages that {@link openLanguageScorer} knows: ISO 639-1 codes, as the `eld` library lists them. */
export const languageCodes: readonly string[] =
  "am ar az be bg bn ca cs da de el en es et eu fa fi fr gu he hi hr hu hy is it ja ka kn ko ku lo lt lv ml mr ms nl no or pa pl pt ro ru sk sl sq sr sv ta te th tl tr uk ur vi yo zh".split(
    " ",
  );

/**
 * Opens a function that tells whether a text is in a language: 1 or 0, `null` without a letter.
 *
 * It takes the likeliest of sixty languages by n-grams of letters, in any case. On 40 characters of French or English it is right 99 times
 * of 100, on 20 characters 96 times; a text that is half in each gets one of them. The tables (4 MB) are loaded at the first call.
 *
 * @param code - ISO 639-1, such as `fr`
 * @throws bad-input for a code that it does not know
 * @see https://github.com/nitotm/efficient-language-detector-js
 */
export async function openLanguageScorer(code: string): Promise<ScoreText> {
  if (!languageCodes.includes(code))
    throw mismatch("bad-input", "language", "an ISO 639-1 code such as fr", JSON.stringify(code), {
      hint: `known are ${languageCodes.join(" ")}`,
    });
  const { eld } = await import("eld/large");
  return (text) => ({ value: /\p{L}/u.test(text) ? Number(eld.detect(text).language === code) : null });
}
