import type { Random } from "../../linalg/random.ts";

/** Rows of one window by site. */
export type WindowStates = readonly Float32Array[];

/**
 * Puts source rows beside target rows of other windows: the null of a map fitted on pairs without a relation.
 *
 * All windows of one unit are joined; the target rows, shuffled within their windows so that not even the position is shared, are
 * moved on by half of the whole, so that a window meets its own rows only where it is longer than all others together. Every row is
 * used once, so means and variances are those of the true pairs. Sites from `sources` on are targets.
 *
 * Returns undefined for fewer than two windows: there is nothing to pair with.
 */
export function shuffleUnit(
  windows: readonly WindowStates[],
  { widths, sources, random }: { widths: readonly number[]; sources: number; random: Random },
): Float32Array[] | undefined {
  if (windows.length < 2) return undefined;
  const counts = windows.map((states) => (states[0] as Float32Array).length / (widths[0] as number));
  const n = counts.reduce((sum, count) => sum + count, 0);
  const order = shuffledOrder(counts, random);
  return widths.map((width, site) => {
    const result = new Float32Array(n * width);
    let start = 0;
    windows.forEach((states, w) => {
      const rows = states[site] as Float32Array;
      const count = counts[w] as number;
      if (site < sources) result.set(rows, start * width);
      else
        for (let row = 0; row < count; row++) {
          const from = (order[start + row] as number) * width;
          const to = (start + row + (n >> 1)) % n;
          result.set(rows.subarray(from, from + width), to * width);
        }
      start += count;
    });
    return result;
  });
}

/** For each row of the joined windows, which row of its window stands there; the same for all sites, whose rows belong together. */
function shuffledOrder(counts: readonly number[], random: Random): Int32Array {
  return Int32Array.from(counts.flatMap((count) => random.shuffle(Array.from({ length: count }, (_, row) => row))));
}
