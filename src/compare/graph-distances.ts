import { mismatch } from "../errors.ts";
import type { KnnGraph } from "./knn-graph.ts";

/**
 * Lengths of the shortest paths along a graph from one row to every row, `[n]`: geodesic distances of the surface that the rows lie on, as far as
 * the graph follows it. Dijkstra's algorithm on a binary heap.
 *
 * @throws bad-input if the row is not one of the graph's
 * @see Dijkstra, "A note on two problems in connexion with graphs", Numerische Mathematik 1 (1959)
 */
export function graphDistances({ n, starts, neighbours, lengths }: KnnGraph, from: number): Float64Array {
  if (!Number.isInteger(from) || from < 0 || from >= n)
    throw mismatch("bad-input", "row of a graph", `0 to ${n - 1}`, String(from));
  const found = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const heap = createHeap();
  found[from] = 0;
  heap.push(from, 0);
  for (let nearest = heap.pop(); nearest !== undefined; nearest = heap.pop()) {
    const { row, key } = nearest;
    // A row stands in the heap once for every time a shorter way to it was found; the longer ones are passed over.
    if (key > (found[row] as number)) continue;
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at++) {
      const to = neighbours[at] as number;
      const length = key + (lengths[at] as number);
      if (length >= (found[to] as number)) continue;
      found[to] = length;
      heap.push(to, length);
    }
  }
  return found;
}

interface HeapEntry {
  readonly row: number;
  readonly key: number;
}

/** A binary heap, smallest key first. */
function createHeap(): { push(row: number, key: number): void; pop(): HeapEntry | undefined } {
  const entries: HeapEntry[] = [];
  const keyAt = (at: number): number => entries[at]?.key ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number): void => {
    [entries[a], entries[b]] = [entries[b] as HeapEntry, entries[a] as HeapEntry];
  };
  return {
    push(row, key) {
      entries.push({ row, key });
      for (let at = entries.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (keyAt(parent) <= key) break;
        swap(at, parent);
        at = parent;
      }
    },
    pop() {
      const top = entries[0];
      const last = entries.pop();
      if (last === undefined || entries.length === 0) return top;
      entries[0] = last;
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        const child = keyAt(left + 1) < keyAt(left) ? left + 1 : left;
        if (keyAt(child) >= keyAt(at)) break;
        swap(at, child);
        at = child;
      }
      return top;
    },
  };
}
