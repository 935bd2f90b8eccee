import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply } from "../linalg/multiply.ts";
import { graphDistances } from "./graph-distances.ts";
import { fitKnnGraph, type KnnGraphOptions } from "./knn-graph.ts";
import { toUnitRows } from "./nearest-rows.ts";
import { type Readout, readoutDistances } from "./readout-distances.ts";
import { squaredDistances } from "./squared-distances.ts";

/** How near, or how far, every row is of one row: `[n]`. The same array for the same row. */
export type Closeness = (row: number) => Float64Array;

/** Cosines of rows about the mean of all of them: what is left of a row that all share tells none from another. X `[n, d]`. */
export function cosineCloseness(X: Matrix): Closeness {
  const unit = toUnitRows(X);
  const { cols: d, data } = unit;
  return remember((row) => multiply(unit, createMatrix(d, 1, data.slice(row * d, (row + 1) * d))).data);
}

/** Euclidean distances. X `[n, d]`. */
export function euclideanCloseness(X: Matrix): Closeness {
  const D = squaredDistances(X);
  return remember((row) => D.data.slice(row * D.cols, (row + 1) * D.cols).map(Math.sqrt));
}

/** Lengths of shortest paths on the graph of nearest rows. X `[n, d]`. @throws bad-input as {@link fitKnnGraph} */
export function graphCloseness(X: Matrix, options: KnnGraphOptions = {}): Closeness {
  const graph = fitKnnGraph(X, options);
  return remember((row) => graphDistances(graph, row));
}

/** Lengths of straight lines between states as the model's own readout sees them: see {@link readoutDistances}. */
export function readoutCloseness(X: Matrix, readout: Readout): Closeness {
  return remember(readoutDistances(X, readout));
}

function remember(compute: (row: number) => Float64Array): Closeness {
  const known = new Map<number, Float64Array>();
  return (row) => {
    const found = known.get(row) ?? compute(row);
    known.set(row, found);
    return found;
  };
}
