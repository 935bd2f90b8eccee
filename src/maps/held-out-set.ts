import type { PairedRows } from "../activations/paired-rows.ts";
import type { Random } from "../linalg/random.ts";

/** Held-out windows kept in memory: a uniform sample of those offered, bounded in rows. */
export interface HeldOutSet {
  readonly rows: number;
  /** Takes a window and returns those that must leave for it to fit (perhaps itself); they are free for training. */
  add(window: PairedRows): PairedRows[];
  /** What is held, in the order of the corpus. */
  windows(): readonly PairedRows[];
}

/**
 * Opens a held-out set of at most `maxRows` rows.
 *
 * Cosines, the interval and the token table need the rows themselves, so they are held, and memory must not grow with the corpus. Each
 * window draws a priority when it comes; the lowest priorities stay. That is a uniform sample of all windows offered, early and
 * late alike, and a window that leaves has been seen by nothing but this set, so training may have it.
 */
export function createHeldOutSet(maxRows: number, random: Random): HeldOutSet {
  const held: { readonly priority: number; readonly window: PairedRows }[] = [];
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(window) {
      const priority = random.uniform();
      const place = held.findIndex((entry) => entry.priority > priority);
      held.splice(place < 0 ? held.length : place, 0, { priority, window });
      rows += window.tokens.length;
      const released: PairedRows[] = [];
      while (rows > maxRows && held.length > 1) {
        const last = held.pop() as { readonly window: PairedRows };
        rows -= last.window.tokens.length;
        released.push(last.window);
      }
      return released;
    },
    windows: () => held.map((entry) => entry.window).sort((a, b) => a.window - b.window),
  };
}
