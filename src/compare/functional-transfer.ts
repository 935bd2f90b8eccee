import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply, multiplyTransposed, transposedMultiply } from "../linalg/multiply.ts";
import { type Affine, fitRidgePath, type RidgePath, type SourceBasis } from "../maps/fit/fit-ridge.ts";
import type { Moments } from "../maps/moments.ts";
import { centreColumns } from "./centre-columns.ts";
import { anchorFunctions, type FunctionalSide } from "./functional-basis.ts";
import { solveFunctionalMap } from "./functional-map.ts";

/** Rows that are known to belong together: row `x[i]` of the source and row `y[i]` of the target. */
export interface AnchorPairs {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** What a transfer needs of both models' rows, whichever anchors are known: made once. */
export interface TransferSides {
  readonly X: Matrix;
  readonly Y: Matrix;
  readonly x: FunctionalSide;
  readonly y: FunctionalSide;
  /** X about its mean, and its products with the source's functions, `[kX, dX]`. */
  readonly centred: Matrix;
  readonly projected: Matrix;
  readonly meanX: Float64Array;
  readonly Cxx: Matrix;
  /** Coordinates of the target about their mean, as functions on its graph: coefficients `[kY, dY]`. */
  readonly coordinates: Matrix;
  readonly meanY: Float64Array;
}

/**
 * Prepares rows X `[nX, dX]` of the source and Y `[nY, dY]` of the target for {@link fitFunctionalTransfer}. Which row belongs to which need not be
 * known, and the two sides need not have equally many.
 */
export function toTransferSides(X: Matrix, Y: Matrix, x: FunctionalSide, y: FunctionalSide): TransferSides {
  const centred = centreColumns(X);
  return {
    X,
    Y,
    x,
    y,
    centred,
    projected: transposedMultiply(x.basis.functions, centred),
    meanX: meanOf(X),
    Cxx: transposedMultiply(centred, centred),
    coordinates: transposedMultiply(y.basis.functions, centreColumns(Y)),
    meanY: meanOf(Y),
  };
}

/**
 * Fits maps from source to target from few rows whose counterparts are known, and many whose are not: every ridge penalty at once.
 *
 * The anchors tell a functional map C from functions on the target's graph to functions on the source's. The target's coordinates are such functions;
 * `Ŷ = Φ C Ψᵀ(Y − ȳ) + ȳ` are their values at the source's rows, a guess of the target's state for each. An affine map is then fitted to the pairs of X and
 * Ŷ, so that directions can be carried, and rows that took no part.
 *
 * Only smooth coordinates survive the basis: what varies from neighbour to neighbour is lost, and the map is too short. Penalties should be chosen on
 * anchors that were left out.
 *
 * @throws bad-input for fewer than two anchors, or unequally many
 * @see Fumero et al., "Latent Functional Maps", arXiv 2406.14183, sections 3.2 and 3.4
 */
export function fitFunctionalTransfer(
  sides: TransferSides,
  anchors: AnchorPairs,
  { alpha, basis }: { readonly alpha: number; readonly basis?: SourceBasis | undefined },
): RidgePath {
  checkAnchors(sides, anchors, 2);
  const { x, y, projected, coordinates, meanX, meanY, Cxx } = sides;
  const C = solveFunctionalMap(y.basis.values, x.basis.values, {
    a: transposedMultiply(y.basis.functions, anchorFunctions(y, anchors.y)),
    b: transposedMultiply(x.basis.functions, anchorFunctions(x, anchors.x)),
    alpha,
  });
  // Ŷ less ȳ is Φ (C coordinates): all that a ridge needs of it are its products with X, and its mean.
  const values = multiply(C, coordinates);
  const n = sides.X.rows;
  const ofOnes = columnSums(x.basis.functions);
  const shift = multiply(createMatrix(1, ofOnes.length, ofOnes), values).data;
  const moments: Moments = {
    n,
    meanX,
    meanY: meanY.map((value, j) => value + (shift[j] as number) / n),
    Cxx,
    Cyx: transposedMultiply(values, projected),
    Cyy: createMatrix(meanY.length, meanY.length),
  };
  return fitRidgePath(moments, basis);
}

/** @throws bad-input for unequally many anchors, fewer than `least`, or one that is no row */
export function checkAnchors({ X, Y }: Pick<TransferSides, "X" | "Y">, { x, y }: AnchorPairs, least: number): void {
  if (x.length !== y.length || x.length < least)
    throw mismatch("bad-input", "anchors", `as many of both sides, at least ${least}`, `${x.length} and ${y.length}`);
  for (const [rows, { rows: n }] of [
    [x, X],
    [y, Y],
  ] as const)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      if (!Number.isInteger(row) || row < 0 || row >= n)
        throw mismatch("bad-input", "anchor", `a row from 0 to ${n - 1}`, String(row));
    }
}

/** The target states that a map predicts: X `[n, dX]` to `[n, dY]`. */
export function predictRows(X: Matrix, { A, p }: Affine): Matrix {
  const product = multiplyTransposed(X, A);
  return createMatrix(
    product.rows,
    product.cols,
    product.data.map((value, at) => value + (p[at % product.cols] as number)),
  );
}

function columnSums({ cols, data }: Matrix): Float64Array {
  const sums = new Float64Array(cols);
  for (let at = 0; at < data.length; at++) sums[at % cols] = (sums[at % cols] as number) + (data[at] as number);
  return sums;
}

function meanOf(X: Matrix): Float64Array {
  return columnSums(X).map((sum) => sum / X.rows);
}
