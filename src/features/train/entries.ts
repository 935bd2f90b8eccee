/** Places of a batch `[rows, features]` that take part, in any order; room grows as they are added. */
export interface Entries {
  count: number;
  row: Int32Array;
  feature: Int32Array;
  /** Coefficient of the feature, 0 where it is not active but takes part in a gradient. */
  value: Float64Array;
}

/** Opens an empty list with room for some. */
export function createEntries(room: number): Entries {
  return { count: 0, row: new Int32Array(room), feature: new Int32Array(room), value: new Float64Array(room) };
}

/** Adds a place. */
export function addEntry(entries: Entries, row: number, feature: number, value: number): void {
  const at = entries.count;
  if (at === entries.row.length) grow(entries);
  entries.row[at] = row;
  entries.feature[at] = feature;
  entries.value[at] = value;
  entries.count = at + 1;
}

function grow(entries: Entries): void {
  const room = 2 * entries.row.length + 16;
  const longer = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
    to.set(from);
    return to;
  };
  entries.row = longer(entries.row, new Int32Array(room));
  entries.feature = longer(entries.feature, new Int32Array(room));
  entries.value = longer(entries.value, new Float64Array(room));
}

/** Places grouped by feature: those of feature j are `order[starts[j]]` to `order[starts[j + 1] − 1]`, in the order they were added. */
export interface ByFeature {
  readonly starts: Int32Array;
  readonly order: Int32Array;
}

/** Groups places by feature, by counting. */
export function groupByFeature({ count, feature }: Entries, features: number): ByFeature {
  const starts = new Int32Array(features + 1);
  for (let at = 0; at < count; at++) {
    const next = (feature[at] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let j = 0; j < features; j++) starts[j + 1] = (starts[j + 1] as number) + (starts[j] as number);
  const filled = starts.slice();
  const order = new Int32Array(count);
  for (let at = 0; at < count; at++) {
    const j = feature[at] as number;
    const to = filled[j] as number;
    order[to] = at;
    filled[j] = to + 1;
  }
  return { starts, order };
}
