/** The largest few of a stream of values, each with something that belongs to it. */
export interface TopList<T> {
  /** Whether a value would be kept: ask before making what belongs to it. */
  readonly takes: (value: number) => boolean;
  readonly add: (value: number, item: T) => void;
  /** Largest first; of equal values the one that came first. */
  readonly list: () => readonly { readonly value: number; readonly item: T }[];
}

/** Opens an empty list of at most `limit` values. */
export function openTopList<T>(limit: number): TopList<T> {
  const kept: { readonly value: number; readonly item: T }[] = [];
  const takes = (value: number): boolean =>
    kept.length < limit || value > (kept.at(-1)?.value ?? Number.POSITIVE_INFINITY);
  return {
    takes,
    add(value, item) {
      if (!takes(value)) return;
      let [from, to] = [0, kept.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if ((kept[middle] as { value: number }).value >= value) from = middle + 1;
        else to = middle;
      }
      kept.splice(from, 0, { value, item });
      if (kept.length > limit) kept.pop();
    },
    list: () => kept,
  };
}
