import type { Matrix } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";
import { nearestBy, toUnitRows } from "./nearest-rows.ts";

/** A directed graph of neighbourhoods: the neighbours of row i are `neighbours[starts[i]]` up to `starts[i + 1]`, with their weights. */
export interface NnkGraph {
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
  readonly weights: Float64Array;
  /** The rows less their mean, of length 1: `[n, d]`. */
  readonly rows: Matrix;
}

/** Weights below this are neighbours that the regression does not need: rounding of a solve of some 30 values near 1. */
const leastWeight = 1e-8;

/**
 * Joins every row to the neighbours that surround it and leaves out those that stand behind another: a graph by non-negative kernel regression.
 *
 * Of the `candidates` rows of greatest cosine (about the mean of all rows) each row is written as a combination with weights θ ≥ 0 in the space of the
 * kernel k(a, b) = (1 + cos(a, b))/2: θ minimises θᵀ K θ/2 − kᵀ θ, and rows of θ > 0 are neighbours. How many they are follows from the shape of
 * the cloud, not from a number that was chosen; they are the corners of a polytope around the row.
 *
 * Weights are unique where the candidates are fewer than the dimensions; else those found first stay. X `[n, d]`. Unchanged by rotation, shift and common scale. Cost n² d for the cosines, then n small regressions.
 *
 * @throws bad-input if there are not more rows than candidates
 * @see Shekkizhar and Ortega, arXiv 1910.09383 (NNK graphs)
 */
export function fitNnkGraph(X: Matrix, { candidates }: { readonly candidates: number }): NnkGraph {
  const rows = toUnitRows(X);
  const C = gram(rows);
  const n = X.rows;
  const nearest = nearestBy(C, candidates);
  const kernel = (i: number, j: number): number => (1 + (C.data[i * n + j] as number)) / 2;
  const starts = new Int32Array(n + 1);
  const neighbours: number[] = [];
  const weights: number[] = [];
  const K = new Float64Array(candidates * candidates);
  const k = new Float64Array(candidates);
  for (let i = 0; i < n; i++) {
    const of = nearest.subarray(i * candidates, (i + 1) * candidates);
    of.forEach((a, at) => {
      k[at] = kernel(i, a);
      of.forEach((b, to) => {
        K[at * candidates + to] = kernel(a, b);
      });
    });
    solveNonNegative(K, k).forEach((weight, at) => {
      if (weight <= leastWeight) return;
      neighbours.push(of[at] as number);
      weights.push(weight);
    });
    starts[i + 1] = neighbours.length;
  }
  return { starts, neighbours: Int32Array.from(neighbours), weights: Float64Array.from(weights), rows };
}

/**
 * The θ ≥ 0 that minimises θᵀ K θ/2 − kᵀ θ, K `[m, m]` positive semidefinite: the active-set method.
 *
 * One value at a time is let go of its bound, the one along which the gradient falls most; the free ones are solved for, and where that passes a
 * bound the step ends there. Ends where the gradient is ≥ 0 at every bound, which is the minimum.
 *
 * @see Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23
 */
export function solveNonNegative(K: Float64Array, k: Float64Array): Float64Array {
  const m = k.length;
  const theta = new Float64Array(m);
  const free: number[] = [];
  const shut = new Set<number>();
  // Each turn lowers the objective; three turns a value is Lawson and Hanson's own limit, against circling by rounding.
  for (let turn = 0; turn < 3 * m; turn++) {
    let [next, steepest] = [-1, 1e-12];
    for (let a = 0; a < m; a++) {
      if (free.includes(a) || shut.has(a)) continue;
      let slope = k[a] as number;
      for (const b of free) slope -= (K[a * m + b] as number) * (theta[b] as number);
      if (slope > steepest) [next, steepest] = [a, slope];
    }
    if (next < 0) break;
    free.push(next);
    for (;;) {
      const solved = solveFree(K, k, free);
      // A value that depends on the others adds nothing: leave it at its bound for good.
      if (!solved) {
        shut.add(free.pop() as number);
        break;
      }
      let step = 1;
      solved.forEach((value, at) => {
        const before = theta[free[at] as number] as number;
        if (value <= 0) step = Math.min(step, before / (before - value));
      });
      free.forEach((a, at) => {
        theta[a] = (theta[a] as number) + step * ((solved[at] as number) - (theta[a] as number));
      });
      if (step >= 1) break;
      for (let at = free.length - 1; at >= 0; at--)
        if ((theta[free[at] as number] as number) <= 1e-14) theta[free.splice(at, 1)[0] as number] = 0;
      if (free.length === 0) break;
    }
  }
  return theta;
}

/** Solves K θ = k over the free values by a Cholesky factor; `undefined` where they depend on one another. */
function solveFree(K: Float64Array, k: Float64Array, free: readonly number[]): Float64Array | undefined {
  const m = k.length;
  const f = free.length;
  const L = new Float64Array(f * f);
  const x = new Float64Array(f);
  for (let i = 0; i < f; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = K[(free[i] as number) * m + (free[j] as number)] as number;
      for (let t = 0; t < j; t++) sum -= (L[i * f + t] as number) * (L[j * f + t] as number);
      if (i !== j) L[i * f + j] = sum / (L[j * f + j] as number);
      else if (sum > 1e-12) L[i * f + i] = Math.sqrt(sum);
      else return undefined;
    }
    let right = k[free[i] as number] as number;
    for (let t = 0; t < i; t++) right -= (L[i * f + t] as number) * (x[t] as number);
    x[i] = right / (L[i * f + i] as number);
  }
  for (let i = f - 1; i >= 0; i--) {
    let right = x[i] as number;
    for (let t = i + 1; t < f; t++) right -= (L[t * f + i] as number) * (x[t] as number);
    x[i] = right / (L[i * f + i] as number);
  }
  return x;
}
