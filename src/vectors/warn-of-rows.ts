import { formatReadPosition, type ReadPosition } from "../activations/read-position.ts";
import { coversReadPosition, parseRowSelection } from "../activations/row-selection.ts";

/**
 * Says of which maps' rows a vector read at a position is not one, and how to fit a map that saw such rows.
 *
 * `selections` are the row selections of the maps that carry it, as {@link parseRowSelection} reads them. A vector that does not say
 * where it was read gives no warning: nothing is known.
 *
 * @throws bad-input for a selection that is none
 */
export function warnOfRows(readAt: ReadPosition | undefined, selections: readonly string[]): string[] {
  if (readAt === undefined) return [];
  const position = formatReadPosition(readAt);
  const others = isMean(readAt) ? ["--rows all"] : [];
  return [...new Set(selections)]
    .filter((selection) => !coversReadPosition(parseRowSelection(selection), readAt))
    .map(
      (selection) =>
        `the vector was read at ${position} and the map fitted on rows "${selection}", which are other rows: it may carry the vector badly. Fit one with ${[`--rows all,pairs@${position}*20 --pairs FILE, its own contrast set`, ...others].join(" or ")}`,
    );
}

function isMean(position: ReadPosition): boolean {
  return position === "difference-mean" || position === "all-mean";
}
