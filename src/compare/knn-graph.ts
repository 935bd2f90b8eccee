import { mismatch } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { squaredDistances } from "./squared-distances.ts";

/**
 * An undirected graph whose edges join near rows: the neighbours of row i are `neighbours[starts[i]]` up to `starts[i + 1]`, with the lengths of
 * the edges beside them. Connected.
 */
export interface KnnGraph {
  readonly n: number;
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
  /** Euclidean lengths, of the rows' own unit. */
  readonly lengths: Float64Array;
  /** Edges that were added to join parts that had none between them: 0 where the rows are one cloud. */
  readonly bridges: number;
}

export interface KnnGraphOptions {
  /** Nearest rows that each row is joined to. Default 10. */
  readonly neighbours?: number | undefined;
}

/**
 * Joins every row of X `[n, d]` to its k nearest rows by Euclidean distance, and to those that count it among theirs.
 *
 * Where that leaves several parts, the shortest edge between the part of row 0 and the rest is added until there is one part: distances along the
 * graph are then all finite, and the graph Laplacian has one constant direction. `bridges` says how often. Memory n² doubles.
 *
 * @throws bad-input if there are not more rows than neighbours, or a value is not finite
 * @see Tenenbaum, de Silva and Langford, "A global geometric framework for nonlinear dimensionality reduction", Science 290 (2000)
 */
export function fitKnnGraph(X: Matrix, { neighbours: k = 10 }: KnnGraphOptions = {}): KnnGraph {
  const n = X.rows;
  if (!Number.isInteger(k) || k < 1) throw mismatch("bad-input", "neighbours", "a count of at least 1", String(k));
  if (n <= k)
    throw mismatch("bad-input", "rows of a neighbourhood graph", `more than ${k}, the neighbours of each`, String(n));
  const D = squaredDistances(X);
  const edges = Array.from({ length: n }, () => new Set<number>());
  for (let i = 0; i < n; i++)
    for (const j of nearestOf(D, i, k)) {
      edges[i]?.add(j);
      edges[j]?.add(i);
    }
  const bridges = join(D, edges);
  const starts = new Int32Array(n + 1);
  edges.forEach((of, i) => {
    starts[i + 1] = (starts[i] as number) + of.size;
  });
  const neighbours = Int32Array.from(edges.flatMap((of) => [...of].sort((a, b) => a - b)));
  const lengths = new Float64Array(neighbours.length);
  for (let i = 0; i < n; i++)
    for (let at = starts[i] as number; at < (starts[i + 1] as number); at++)
      lengths[at] = Math.sqrt(D.data[i * n + (neighbours[at] as number)] as number);
  return { n, starts, neighbours, lengths, bridges };
}

/** The k rows nearest to row i, without itself; of equally near ones the first. */
function nearestOf({ data, cols: n }: Matrix, i: number, k: number): readonly number[] {
  const found: number[] = [];
  const far = (at: number): number => data[i * n + at] as number;
  for (let j = 0; j < n; j++) {
    if (j === i || (found.length === k && far(j) >= far(found[k - 1] as number))) continue;
    let at = found.length;
    while (at > 0 && far(found[at - 1] as number) > far(j)) at--;
    found.splice(at, 0, j);
    if (found.length > k) found.pop();
  }
  return found;
}

/** Adds shortest edges until every row is reached from row 0, and says how many. Prim's rule on parts instead of rows. */
function join({ data, cols: n }: Matrix, edges: readonly Set<number>[]): number {
  const isIn = new Uint8Array(n);
  // Of each row outside, the nearest row inside.
  const nearest = new Int32Array(n).fill(-1);
  const far = (i: number, j: number): number => data[i * n + j] as number;
  const take = (start: number): void => {
    const waiting = [start];
    isIn[start] = 1;
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      for (let j = 0; j < n; j++)
        if (isIn[j] === 0 && (nearest[j] === -1 || far(row, j) < far(nearest[j] as number, j))) nearest[j] = row;
      for (const j of edges[row] ?? [])
        if (isIn[j] === 0) {
          isIn[j] = 1;
          waiting.push(j);
        }
    }
  };
  take(0);
  for (let bridges = 0; ; bridges++) {
    let best = -1;
    for (let j = 0; j < n; j++)
      if (isIn[j] === 0 && (best === -1 || far(nearest[j] as number, j) < far(nearest[best] as number, best))) best = j;
    if (best === -1) return bridges;
    const from = nearest[best] as number;
    edges[from]?.add(best);
    edges[best]?.add(from);
    take(best);
  }
}
