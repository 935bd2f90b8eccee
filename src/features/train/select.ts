import { addEntry, type Entries } from "./entries.ts";

/** Pre-activations of a batch, `[rows, features]` row-major. */
export interface PreActivations {
  readonly data: Float64Array;
  readonly rows: number;
  readonly features: number;
}

/**
 * Adds the k largest pre-activations of every row, those above 0; of equal ones the feature of lower number.
 *
 * @param among - the features that may be chosen; all if left out
 */
export function selectTopK(
  { data, rows, features }: PreActivations,
  k: number,
  into: Entries,
  among?: Int32Array,
): void {
  const heap = new Int32Array(k);
  const candidates = among?.length ?? features;
  for (let row = 0; row < rows; row++) {
    const base = row * features;
    let size = 0;
    let least = 0;
    for (let c = 0; c < candidates; c++) {
      const at = base + (among ? (among[c] as number) : c);
      const value = data[at] as number;
      // Of equal values the first stays: they come in ascending order.
      if (!(value > least)) continue;
      if (size < k) {
        heap[size] = at;
        siftUp(heap, data, size);
        size++;
        if (size === k) least = data[heap[0] as number] as number;
      } else {
        heap[0] = at;
        siftDown(heap, data, size);
        least = data[heap[0] as number] as number;
      }
    }
    for (let s = 0; s < size; s++) {
      const at = heap[s] as number;
      addEntry(into, row, at - base, data[at] as number);
    }
  }
}

/** Whether the value at `a` leaves before that at `b`: it is smaller, or equal and of a later feature. */
function leavesBefore(data: Float64Array, a: number, b: number): boolean {
  const [x, y] = [data[a] as number, data[b] as number];
  return x < y || (x === y && a > b);
}

function siftUp(heap: Int32Array, data: Float64Array, from: number): void {
  let at = from;
  const item = heap[at] as number;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as number;
    if (!leavesBefore(data, item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function siftDown(heap: Int32Array, data: Float64Array, size: number): void {
  let at = 0;
  const item = heap[0] as number;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && leavesBefore(data, heap[child + 1] as number, heap[child] as number)) child++;
    const below = heap[child] as number;
    if (!leavesBefore(data, below, item)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = item;
}

const bins = 4096;

/**
 * Adds the `count` largest pre-activations of the whole batch, those above 0; of equal ones the earlier. Counted in bins first, so that
 * only one bin in 4096 is sorted.
 */
export function selectBatchTopK({ data, rows, features }: PreActivations, count: number, into: Entries): void {
  let largest = 0;
  const end = rows * features;
  for (let at = 0; at < end; at++) if ((data[at] as number) > largest) largest = data[at] as number;
  if (largest === 0) return;
  const scale = (bins - 1) / largest;
  const counts = new Int32Array(bins);
  for (let at = 0; at < end; at++) {
    const value = data[at] as number;
    if (value > 0) {
      const bin = (value * scale) | 0;
      counts[bin] = (counts[bin] as number) + 1;
    }
  }
  let cut = bins - 1;
  let above = 0;
  while (cut > 0 && above + (counts[cut] as number) < count) above += counts[cut--] as number;
  const edge: number[] = [];
  for (let at = 0; at < end; at++) {
    const value = data[at] as number;
    if (value <= 0) continue;
    const bin = (value * scale) | 0;
    if (bin > cut) addEntry(into, (at / features) | 0, at % features, value);
    else if (bin === cut) edge.push(at);
  }
  edge.sort((a, b) => (data[b] as number) - (data[a] as number) || a - b);
  for (const at of edge.slice(0, Math.max(0, count - above)))
    addEntry(into, (at / features) | 0, at % features, data[at] as number);
}

/**
 * Adds every pre-activation above its feature's threshold, and with coefficient 0 those below it by less than `margin`, through which a
 * threshold learns.
 */
export function selectAbove(
  { data, rows, features }: PreActivations,
  threshold: Float64Array,
  margin: number,
  into: Entries,
): void {
  for (let row = 0; row < rows; row++) {
    const base = row * features;
    for (let j = 0; j < features; j++) {
      const value = data[base + j] as number;
      const limit = threshold[j] as number;
      if (value > limit) addEntry(into, row, j, value);
      else if (value > limit - margin) addEntry(into, row, j, 0);
    }
  }
}
