import type { VerdictCode } from "../../evaluate/verdict.ts";

/** A verdict in two or three words, with a sign that does not need colour. */
export const verdictBadges: Readonly<Record<VerdictCode, string>> = {
  transfers: "✓ transfers",
  partly: "◐ in part",
  fails: "✗ does not transfer",
  reversed: "⇄ reversed",
  "cannot-judge": "? cannot be judged",
};
