import type { Matrix } from "../linalg/matrix.ts";
import { type Closeness, euclideanCloseness } from "./closeness.ts";
import { fitKnnGraph } from "./knn-graph.ts";
import { type LaplacianBasis, laplacianBasis } from "./laplacian-basis.ts";
import { relativeRows } from "./relative-rows.ts";
import { standardiseColumns } from "./standardise-columns.ts";

/** What a functional map needs to know of one side's rows. */
export interface FunctionalSide {
  readonly basis: LaplacianBasis;
  readonly closeness: Closeness;
}

export interface FunctionalSideOptions {
  /** Nearest rows that each row is joined to. Default 10. */
  readonly neighbours?: number | undefined;
  /** Functions in the basis. Default 50, at most a tenth of the rows. */
  readonly size?: number | undefined;
}

/** Prepares the rows X `[n, d]` of one model for functional maps: the smoothest functions on the graph of near rows. @throws bad-input */
export function toFunctionalSide(X: Matrix, { neighbours, size }: FunctionalSideOptions = {}): FunctionalSide {
  const graph = fitKnnGraph(X, { neighbours });
  const basis = laplacianBasis(graph, { size: size ?? Math.max(2, Math.min(50, Math.floor(X.rows / 10))) });
  return { basis, closeness: euclideanCloseness(X) };
}

/**
 * Functions that can be told on both sides: the distances of all rows from each anchor, `[n, m]`, of mean 0 and equal size each, so that the units
 * of the two models do not count.
 */
export function anchorFunctions({ closeness }: FunctionalSide, anchors: ArrayLike<number>): Matrix {
  return standardiseColumns(relativeRows(closeness, anchors));
}
