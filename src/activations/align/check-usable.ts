import type { ModelDescription } from "../../engine/description.ts";
import { TrimtabError } from "../../errors.ts";
import { type AlignmentCounts, type SideCounts, usableShare } from "./aligned-text.ts";

/** Below this share of usable tokens on both sides a map would be fitted on what two tokenizers happen to agree in. */
export const leastUsable = 0.25;

/**
 * Checks that enough of the text can be paired: a quarter of the tokens of one of the models. The other may use shorter tokens, of which
 * most end nowhere that a token of the first ends.
 *
 * @throws incompatible with the share of each, and how much of the text its tokens spell
 */
export function checkUsable(counts: AlignmentCounts, source: ModelDescription, target: ModelDescription): void {
  if (Math.max(usableShare(counts.source), usableShare(counts.target)) >= leastUsable) return;
  const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const show = ({ name }: ModelDescription, side: SideCounts): string => {
    const all = side.tokens + side.lost;
    const lost =
      side.lost > 0 ? ` (${percent(side.lost / all)} stand where the tokens of one do not spell the text)` : "";
    return `${percent(usableShare(side))} of ${all} tokens of ${name}${lost}`;
  };
  throw new TrimtabError(
    "incompatible",
    `alignment by spans: expected ${percent(leastUsable)} of the tokens of one model or more to end where one of the other ends, got ` +
      `${show(source, counts.source)} and ${show(target, counts.target)}`,
    {
      hint: "a tokenizer that lower-cases or normalises text cannot be followed byte by byte: pair whole sentences, --align sentences",
    },
  );
}
