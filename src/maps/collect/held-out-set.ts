import { seededRandom } from "../../linalg/random.ts";
import type { HeldWindow } from "./collection.ts";
import { mixSeed } from "./split-groups.ts";

/** Held-out windows kept in memory: a uniform sample of those offered, bounded in rows. */
export interface HeldOutSet {
  /** Takes a window and returns those that must leave for it to fit (perhaps itself); they are free for fitting. */
  add(window: HeldWindow): HeldWindow[];
  /** What is held, in the order of the corpus. */
  windows(): readonly HeldWindow[];
  /** The lowest priority that ever had to leave; 1 while there is room. Only windows below it are held. */
  limit(): number;
}

/**
 * Held-out rows kept at most: what the first hundred thousand rows hold out, so that memory is the same for any longer text. At so many
 * the interval of R² (about ±0.015) is narrower than any decision about a map.
 */
const maxHeldRows = 10_000;

/** Rows that fit into so many bytes of states, and no more than are worth keeping. */
export function heldRowLimit(widths: readonly number[], maxBytes: number): number {
  const rowBytes = 4 * widths.reduce((sum, width) => sum + width, 0);
  return Math.max(1, Math.min(maxHeldRows, Math.floor(maxBytes / rowBytes)));
}

/**
 * Opens a held-out set of at most `maxRows` rows.
 *
 * Memory must not grow with the corpus. Every group of windows has a priority, drawn from the seed and its number alone; the lowest
 * stay. What stays is thus a uniform sample of all groups offered, and does not depend on the order in which they came: shards that are
 * merged hold the windows that one run would hold. Groups leave whole, so that no window is scored whose neighbours are fitted; one that
 * leaves has been seen by nothing but this set, so it may be fitted. A single group stays, however large.
 */
export function createHeldOutSet(
  maxRows: number,
  seed: number,
  start: { readonly windows: readonly HeldWindow[]; readonly limit: number } = { windows: [], limit: 1 },
): HeldOutSet {
  const held: { readonly priority: number; readonly window: HeldWindow }[] = [];
  let rows = 0;
  let { limit } = start;
  function add(window: HeldWindow): HeldWindow[] {
    const priority = seededRandom(mixSeed(seed + 2, window.group)).uniform();
    // A smaller window might still fit where a longer one of lower priority did not, but then order would matter.
    if (priority >= limit) return [window];
    const place = held.findIndex((entry) => entry.priority > priority);
    held.splice(place < 0 ? held.length : place, 0, { priority, window });
    rows += window.tokens.length;
    const released: HeldWindow[] = [];
    // Windows of equal priority, those of one group, leave together: neighbours must not part, and order must not matter.
    const isOneGroup = (): boolean => held[0]?.priority === held.at(-1)?.priority;
    while ((rows > maxRows && !isOneGroup()) || (held.at(-1)?.priority ?? 0) >= limit) {
      const last = held.pop() as { readonly priority: number; readonly window: HeldWindow };
      limit = last.priority;
      rows -= last.window.tokens.length;
      released.push(last.window);
    }
    return released;
  }
  for (const window of start.windows) add(window);
  return {
    add,
    limit: () => limit,
    windows: () => held.map((entry) => entry.window).sort((a, b) => a.window - b.window),
  };
}
