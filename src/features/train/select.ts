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
  const heap: Heap = { values: new Float64Array(k), places: new Int32Array(k) };
  const { values, places } = heap;
  const candidates = among?.length ?? features;
  for (let row = 0; row < rows; row++) {
    const base = row * features;
    let size = 0;
    let least = 0;
    for (let c = 0; c < candidates; c++) {
      const feature = among ? (among[c] as number) : c;
      const value = data[base + feature] as number;
      // Of equal values the first stays: they come in ascending order.
      if (!(value > least)) continue;
      if (size < k) {
        siftUp(heap, size++, value, feature);
        if (size === k) least = values[0] as number;
      } else {
        siftDown(heap, size, value, feature);
        least = values[0] as number;
      }
    }
    for (let s = 0; s < size; s++) addEntry(into, row, places[s] as number, values[s] as number);
  }
}

/** The largest so far, the one that leaves next in front: the smallest, or of equal ones that of the later feature. */
interface Heap {
  readonly values: Float64Array;
  readonly places: Int32Array;
}

function siftUp({ values, places }: Heap, from: number, value: number, place: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = values[parent] as number;
    if (!(value < above || (value === above && place > (places[parent] as number)))) break;
    values[at] = above;
    places[at] = places[parent] as number;
    at = parent;
  }
  values[at] = value;
  places[at] = place;
}

function siftDown({ values, places }: Heap, size: number, value: number, place: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    let below = values[child] as number;
    if (child + 1 < size) {
      const next = values[child + 1] as number;
      if (next < below || (next === below && (places[child + 1] as number) > (places[child] as number))) {
        child++;
        below = next;
      }
    }
    if (!(below < value || (below === value && (places[child] as number) > place))) break;
    values[at] = below;
    places[at] = places[child] as number;
    at = child;
  }
  values[at] = value;
  places[at] = place;
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
