import type { Matrix } from "../linalg/matrix.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import type { Measure, MeasureOptions } from "./measure.ts";
import { defaultNeighbours } from "./nearest-rows.ts";
import { type NeighbourhoodMetrics, neighbourhoodMetrics } from "./neighbourhood-metrics.ts";
import { fitNnkGraph, type NnkGraph } from "./nnk-graph.ts";
import { rankValues } from "./pair-matrix.ts";

/** How alike the neighbourhood graphs of two sides are. */
export interface NeighbourhoodGraphs {
  /** 0 to 1: edges that both graphs have over edges that either has. */
  readonly value: number;
  /** −1 to 1: whether rows with many neighbours, wide or flat neighbourhoods in one side have them in the other: mean of the three below. */
  readonly geometry: number;
  /** Spearman's correlation over rows of each metric; `NaN` where a side has the same for all rows. */
  readonly metrics: { readonly count: number; readonly diameter: number; readonly affinity: number };
  /** Mean over rows of each metric, of X and of Y: what the authors compare models by. */
  readonly means: { readonly X: MeanMetrics; readonly Y: MeanMetrics };
}

/** Mean of each metric over the rows of a side. */
export interface MeanMetrics {
  readonly count: number;
  readonly diameter: number;
  readonly affinity: number;
}

interface Sides {
  readonly graphs: readonly [NnkGraph, NnkGraph];
  readonly metrics: readonly [NeighbourhoodMetrics, NeighbourhoodMetrics];
}

const names = ["count", "diameter", "affinity"] as const;

/**
 * Compares graphs of neighbourhoods: each side's rows are joined to the neighbours that surround them (NNK), and each neighbourhood is measured by how
 * many they are, how wide they stand and how flat the cloud is there.
 *
 * The paper compares models by these metrics over whole clouds of different inputs; as here the rows are paired, each row's neighbourhood is
 * compared with its partner's: the edges in common (`value`), and the rank correlation of each metric over rows (`geometry`). That comparison is
 * ours; the graph is the authors', its metrics as we understood them (the paper's full text was not at hand). X `[n, dX]`, Y `[n, dY]`; candidates for a neighbourhood are the 3 · neighbours nearest rows.
 *
 * Unchanged by rotation, shift and common scale. Two sides can have the same geometry, row by row, and few edges in common.
 *
 * @throws bad-input if the rows are not paired, not finite, or not more than the candidates
 * @see Cosentino, Shekkizhar, Soltanolkotabi, Avestimehr, Ortega, arXiv 2209.08622; Shekkizhar and Ortega, arXiv 1910.09383
 */
export function neighbourhoodGraphs(X: Matrix, Y: Matrix, options: MeasureOptions = {}): NeighbourhoodGraphs {
  const { graphs, metrics } = toSides(X, Y, options);
  const each = names.map((name) => correlate(metrics, name)());
  const [count, diameter, affinity] = each as [number, number, number];
  const means = (of: NeighbourhoodMetrics): MeanMetrics => {
    const [a, b, c] = names.map((name) => of[name].reduce((x, y) => x + y, 0) / X.rows) as [number, number, number];
    return { count: a, diameter: b, affinity: c };
  };
  return {
    value: overlap(graphs)(),
    geometry: meanOf(each),
    metrics: { count, diameter, affinity },
    means: { X: means(metrics[0]), Y: means(metrics[1]) },
  };
}

export const neighbourhoodMeasures: readonly Measure[] = [
  {
    name: "nnk-edges",
    label: "NNK graph, edges",
    source: "arXiv 1910.09383, 2209.08622",
    says: "a row is surrounded by the same rows in both sides",
    unchangedBy: "rotation, shift, common scale",
    run: (X, Y, options) => prepareEdges(X, Y, options)(),
    prepare: prepareEdges,
  },
  {
    name: "nnk-geometry",
    label: "NNK graph, geometry",
    source: "arXiv 2209.08622",
    says: "neighbourhoods that are many, wide or flat in one side are so in the other, whoever the neighbours are",
    unchangedBy: "rotation, shift, common scale",
    run: (X, Y, options) => prepareGeometry(X, Y, options)(),
    prepare: prepareGeometry,
  },
];

function prepareEdges(X: Matrix, Y: Matrix, options?: MeasureOptions) {
  const candidates = toCandidates(X, Y, options);
  return overlap([fitNnkGraph(X, { candidates }), fitNnkGraph(Y, { candidates })]);
}

function prepareGeometry(X: Matrix, Y: Matrix, options?: MeasureOptions) {
  const { metrics } = toSides(X, Y, options);
  const scores = names.map((name) => correlate(metrics, name));
  return (order?: ArrayLike<number>): number => meanOf(scores.map((score) => score(order)));
}

function toCandidates(X: Matrix, Y: Matrix, { neighbours = defaultNeighbours }: MeasureOptions = {}): number {
  checkPairedRows(X, Y, "neighbourhood graphs");
  return 3 * neighbours;
}

function toSides(X: Matrix, Y: Matrix, options?: MeasureOptions): Sides {
  const candidates = toCandidates(X, Y, options);
  const graphs = [fitNnkGraph(X, { candidates }), fitNnkGraph(Y, { candidates })] as const;
  return { graphs, metrics: [neighbourhoodMetrics(graphs[0]), neighbourhoodMetrics(graphs[1])] };
}

/** Edges in common over edges of either. */
function overlap([a, b]: Sides["graphs"]): (order?: ArrayLike<number>) => number {
  const n = a.starts.length - 1;
  return (order) => {
    const seenBy = new Int32Array(n).fill(-1);
    let common = 0;
    for (let i = 0; i < n; i++) {
      const row = order ? (order[i] as number) : i;
      for (let at = b.starts[row] as number; at < (b.starts[row + 1] as number); at++)
        seenBy[b.neighbours[at] as number] = i;
      for (let at = a.starts[i] as number; at < (a.starts[i + 1] as number); at++) {
        const j = a.neighbours[at] as number;
        if (seenBy[order ? (order[j] as number) : j] === i) common++;
      }
    }
    return common / (a.neighbours.length + b.neighbours.length - common);
  };
}

/** Spearman's correlation of one metric over rows. */
function correlate(metrics: Sides["metrics"], name: (typeof names)[number]): (order?: ArrayLike<number>) => number {
  const [a, b] = metrics.map((of) => standardised(rankValues(of[name])));
  return (order) => {
    if (!a || !b) return Number.NaN;
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[order ? (order[i] as number) : i] as number);
    return sum;
  };
}

/** Less the mean, of length 1; `undefined` where all are equal. */
function standardised(ranks: Float64Array): Float64Array | undefined {
  const mean = (ranks.length + 1) / 2;
  const norm = Math.sqrt(ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0));
  return norm > 0 ? ranks.map((rank) => (rank - mean) / norm) : undefined;
}

/** Mean of the values that are defined; `NaN` of none. */
function meanOf(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}
