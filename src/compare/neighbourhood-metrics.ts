import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";
import type { NnkGraph } from "./nnk-graph.ts";

/** What the neighbourhood of each row is like, `[n]` each. */
export interface NeighbourhoodMetrics {
  /** How many neighbours surround the row: grows with the local dimension. */
  readonly count: Float64Array;
  /** Largest distance between two of its neighbours, of rows scaled to length 1: how wide its neighbourhood is. 0 for fewer than two. */
  readonly diameter: Float64Array;
  /**
   * Mean affinity of its tangent directions with those of its neighbours, 0 to 1: `√(Σ cos²(principal angles)/least dimension)`. Near 1 where the cloud is
   * flat, less where it bends; 0 for a row without neighbours.
   */
  readonly affinity: Float64Array;
}

/**
 * Measures the polytopes of an NNK graph: the three metrics by which manifolds of features are described, row by row.
 *
 * The tangent directions of row i are the span of (neighbour − row i).
 *
 * @see Cosentino, Shekkizhar, Soltanolkotabi, Avestimehr, Ortega, arXiv 2209.08622 (manifold graph metrics: number of neighbours, diameter of the polytope,
 *   affinity of neighbourhoods); Soltanolkotabi and Candès, Annals of Statistics 40 (2012), definition 1.2 (affinity of subspaces)
 */
export function neighbourhoodMetrics({ starts, neighbours, rows }: NnkGraph): NeighbourhoodMetrics {
  const n = rows.rows;
  const spans = Array.from({ length: n }, (_, i) =>
    tangents(rows, i, neighbours.subarray(starts[i] as number, starts[i + 1] as number)),
  );
  const count = new Float64Array(n);
  const diameter = new Float64Array(n);
  const affinity = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const of = neighbours.subarray(starts[i] as number, starts[i + 1] as number);
    count[i] = of.length;
    let [widest, sum] = [0, 0];
    of.forEach((a, at) => {
      for (const b of of.subarray(at + 1)) widest = Math.max(widest, squaredDistance(rows, a, b));
      sum += affinityOf(spans[i] as Matrix, spans[a] as Matrix);
    });
    diameter[i] = Math.sqrt(widest);
    affinity[i] = of.length > 0 ? sum / of.length : 0;
  }
  return { count, diameter, affinity };
}

/** An orthonormal basis, as rows, of the span of (row j − row i); directions within rounding of those before are left out. */
function tangents({ data, cols: d }: Matrix, i: number, of: Int32Array): Matrix {
  const basis: Float64Array[] = [];
  for (const j of of) {
    const v = Float64Array.from({ length: d }, (_, t) => (data[j * d + t] as number) - (data[i * d + t] as number));
    const before = norm(v);
    // Twice is enough for orthogonality to rounding.
    for (let pass = 0; pass < 2; pass++)
      for (const u of basis) {
        let product = 0;
        for (let t = 0; t < d; t++) product += (u[t] as number) * (v[t] as number);
        for (let t = 0; t < d; t++) v[t] = (v[t] as number) - product * (u[t] as number);
      }
    const after = norm(v);
    if (after > 1e-10 * before) basis.push(v.map((value) => value / after));
  }
  const B = createMatrix(basis.length, d);
  basis.forEach((row, at) => {
    B.data.set(row, at * d);
  });
  return B;
}

function affinityOf(A: Matrix, B: Matrix): number {
  const least = Math.min(A.rows, B.rows);
  if (least === 0) return 0;
  let squares = 0;
  for (const value of multiplyTransposed(A, B).data) squares += value * value;
  return Math.sqrt(Math.min(1, squares / least));
}

function squaredDistance({ data, cols: d }: Matrix, a: number, b: number): number {
  let sum = 0;
  for (let t = 0; t < d; t++) sum += ((data[a * d + t] as number) - (data[b * d + t] as number)) ** 2;
  return sum;
}

function norm(v: Float64Array): number {
  let squares = 0;
  for (const value of v) squares += value * value;
  return Math.sqrt(squares);
}
