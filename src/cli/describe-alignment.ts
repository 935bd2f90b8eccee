import { type AlignmentRecord, type SideCounts, usableShare } from "../index.ts";
import type { Shown } from "./inspect.ts";

/** Shows how rows were paired and how much of what each model read could be. */
export function describePaired(alignment: AlignmentRecord | undefined): Shown["rows"] {
  if (!alignment) return [["paired", "by token id"]];
  const { by, source, target } = alignment;
  const show = (name: string, side: SideCounts): string => {
    const all = side.tokens + side.lost;
    const lost = side.lost > 0 ? ` (${percent(side.lost / all)} in no window)` : "";
    return `${percent(usableShare(side))} of ${all} tokens of the ${name}${lost}`;
  };
  return [["paired", `by ${by}: usable ${show("source", source)}, ${show("target", target)}`]];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
