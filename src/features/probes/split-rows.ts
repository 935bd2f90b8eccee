import { mismatch } from "../../errors.ts";
import { seededRandom } from "../../linalg/random.ts";

/** Numbers of the rows that train and of those held out. */
export interface RowSplit {
  readonly trained: Int32Array;
  readonly heldOut: Int32Array;
}

/**
 * Splits rows by whole groups: a share of the groups, drawn by seed, is held out.
 *
 * @throws bad-input if either side would lack one of the labels: fewer than four groups, or classes that are too rare
 */
export function splitRows(
  { labels, groups }: { readonly labels: Uint8Array; readonly groups: Int32Array },
  { share = 0.5, seed }: { readonly share?: number; readonly seed: number },
): RowSplit {
  if (!(share > 0 && share < 1)) throw mismatch("bad-input", "share held out", "between 0 and 1", String(share));
  const all = seededRandom(seed).shuffle([...new Set(groups)]);
  const held = new Set(all.slice(0, Math.max(1, Math.round(share * all.length))));
  const numbers = Array.from(groups, (group, i) => ({ i, isHeld: held.has(group) }));
  const take = (isHeld: boolean): Int32Array =>
    Int32Array.from(numbers.filter((row) => row.isHeld === isHeld).map(({ i }) => i));
  const split = { trained: take(false), heldOut: take(true) };
  for (const [name, rows] of Object.entries(split)) {
    const positive = rows.filter((i) => labels[i] === 1).length;
    if (positive === 0 || positive === rows.length)
      throw mismatch(
        "bad-input",
        "labelled texts",
        `texts of both labels among those ${name === "trained" ? "that train" : "held out"}`,
        `${positive} positive of ${rows.length}`,
        { hint: `there are ${all.length} groups of texts; give more, or hold out another share` },
      );
  }
  return split;
}
