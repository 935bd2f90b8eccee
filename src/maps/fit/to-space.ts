import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix, transpose } from "../../linalg/matrix.ts";
import { multiply, multiplyTransposed } from "../../linalg/multiply.ts";
import type { Moments } from "../moments.ts";
import { type Affine, decomposeSource, intercept } from "./fit-ridge.ts";
import { inverseDeviations } from "./inverse-deviations.ts";
import { scaleColumns } from "./solve-ridge.ts";
import { swapMoments } from "./swap-moments.ts";

/** Coordinates a fit works in. */
export type Space = "raw" | "standardised" | "whitened";

export interface ToSpaceOptions {
  /** Which side changes its coordinates; default both. */
  readonly side?: "source" | "target" | "both" | undefined;
  /**
   * Whitened only: directions whose share of variance, as an eigenvalue of the correlation matrix over the largest, is at most this are
   * cut. Default 10⁻¹⁰, a hundred-thousandth
   * of the strongest spread: about where the rounding of float32 states with means tens of times their spread begins. The whitened side is then as wide as its rank.
   */
  readonly tolerance?: number | undefined;
  /** Whitened only: added to every eigenvalue before its root, in units of their mean, so that weak directions stay weak. Default 0. */
  readonly shrinkage?: number | undefined;
}

/** Moments in other coordinates, and the way back. */
export interface SpaceMoments {
  /** Those of x′ = T (x − x̄) and y′ likewise: means are 0. */
  readonly moments: Moments;
  /** Turns a map x′ ↦ y′ into the same map x ↦ y. @throws bad-input for other widths than those of `moments` */
  restore(affine: Affine): Affine;
}

/**
 * Changes the coordinates of either side or both, so that any fit of the returned moments is a fit in that space.
 *
 * - `raw`: as they are.
 * - `standardised`: centred, every dimension divided by its standard deviation; a constant dimension becomes 0.
 * - `whitened`: centred, uncorrelated, variance 1 in every direction: T = Λ^(−1/2) V D⁻¹ with D the standard deviations and Λ, V the
 *   eigenvalues and vectors of the correlation matrix. With `shrinkage` γ it is (Λ + γ)^(−1/2).
 *
 * A whitened target weighs all its directions alike, however small: reduced-rank regression becomes canonical correlation, Procrustes
 * a rotation between directions and not between sizes. `restore` puts back the size of each direction; directions that were cut, and
 * constant target dimensions, are predicted by their mean. Ridge standardises its source by itself, so a standardised source changes
 * nothing there, and no scaling of the target does; a whitened source does: every direction is then shrunk alike.
 *
 * @throws bad-input if there are fewer than two rows, a value is not finite, nothing varies on a side to be whitened, or an option is
 * not a number of at least 0
 * @example
 * const { moments, restore } = toSpace(train, "whitened");
 * const map = restore(fitProcrustes(moments, { scaled: true }));
 */
export function toSpace(
  moments: Moments,
  space: Space,
  { side = "both", tolerance = 1e-10, shrinkage = 0 }: ToSpaceOptions = {},
): SpaceMoments {
  for (const [name, value] of Object.entries({ tolerance, shrinkage }))
    if (!(value >= 0 && Number.isFinite(value)))
      throw mismatch("bad-input", name, "a number of at least 0", String(value));
  const { n, meanX, meanY, Cxx, Cyx, Cyy } = moments;
  const source =
    side === "target" ? unchanged : toCoordinates(moments, space, { tolerance, shrinkage, name: "source" });
  const target =
    side === "source"
      ? unchanged
      : toCoordinates(swapMoments(moments), space, { tolerance, shrinkage, name: "target" });
  const changed: Moments = {
    n,
    meanX: source.width === undefined ? meanX : new Float64Array(source.width),
    meanY: target.width === undefined ? meanY : new Float64Array(target.width),
    Cxx: source.carry(source.carryColumns(Cxx)),
    Cyx: target.carry(source.carryColumns(Cyx)),
    Cyy: target.carry(target.carryColumns(Cyy)),
  };
  return { moments: changed, restore };

  function restore({ A, p }: Affine): Affine {
    const [dSource, dTarget] = [changed.meanX.length, changed.meanY.length];
    if (A.cols !== dSource || A.rows !== dTarget || p.length !== dTarget)
      throw mismatch("bad-input", "map to restore", `one from ${dSource} to ${dTarget}`, `from ${A.cols} to ${A.rows}`);
    const full = target.undo(source.enter(A));
    // Where the mean goes is carried back apart from the slope: with directions cut, the slope alone would not reach it.
    const atMean = multiplyTransposed(createMatrix(1, dSource, changed.meanX), A).data.map(
      (value, i) => value + (p[i] as number),
    );
    const back = target.undo(createMatrix(dTarget, 1, atMean)).data;
    const reached = target.width === undefined ? back : back.map((value, i) => value + (meanY[i] as number));
    return { A: full, p: intercept(full, meanX, reached) };
  }
}

/** Coordinates x′ = T (x − x̄) of one side, as products with T and with its (pseudo-)inverse S. */
interface Coordinates {
  /** Rows of T; undefined where nothing changes, the mean included. */
  readonly width: number | undefined;
  /** T C */
  carry(C: Matrix): Matrix;
  /** C Tᵀ */
  carryColumns(C: Matrix): Matrix;
  /** A T */
  enter(A: Matrix): Matrix;
  /** S A */
  undo(A: Matrix): Matrix;
}

const same = (A: Matrix): Matrix => A;
const unchanged: Coordinates = { width: undefined, carry: same, carryColumns: same, enter: same, undo: same };

function toCoordinates(
  moments: Moments,
  space: Space,
  { tolerance, shrinkage, name }: { readonly tolerance: number; readonly shrinkage: number; readonly name: string },
): Coordinates {
  if (space === "raw") return unchanged;
  const inverse = inverseDeviations(moments.Cxx, moments.meanX, moments.n);
  const deviation = inverse.map((value) => (value > 0 ? 1 / value : 0));
  if (space === "standardised")
    return {
      width: inverse.length,
      carry: (C) => scaleRows(C, inverse),
      carryColumns: (C) => scaleColumns(C, inverse),
      enter: (A) => scaleColumns(A, inverse),
      undo: (A) => scaleRows(A, deviation),
    };
  const { eigenvalues, W, rank } = decomposeSource(moments);
  const floor = tolerance * (eigenvalues[0] ?? 0);
  const width = eigenvalues.filter((value, k) => k < rank && value > floor).length;
  if (width === 0) throw mismatch("bad-input", `${name} to whiten`, "states that vary", "none that do");
  // W = V D⁻¹ gives T = (Λ + γ)^(−1/2) W and, as V is orthogonal, S = D² Wᵀ (Λ + γ)^(1/2).
  const directions = createMatrix(width, W.cols, W.data.slice(0, width * W.cols));
  const root = eigenvalues.slice(0, width).map((value) => Math.sqrt(value + shrinkage));
  const T = scaleRows(
    directions,
    root.map((value) => 1 / value),
  );
  const variance = deviation.map((value) => value * value);
  const S = scaleRows(transpose(scaleRows(directions, root)), variance);
  return {
    width,
    carry: (C) => multiply(T, C),
    carryColumns: (C) => multiplyTransposed(C, T),
    enter: (A) => multiply(A, T),
    undo: (A) => multiply(S, A),
  };
}

/** A with row i multiplied by factors[i], a copy. */
function scaleRows(A: Matrix, factors: Float64Array): Matrix {
  const result = createMatrix(A.rows, A.cols, A.data.slice());
  for (let i = 0; i < A.rows; i++)
    for (let at = i * A.cols; at < (i + 1) * A.cols; at++)
      result.data[at] = (result.data[at] as number) * (factors[i] as number);
  return result;
}
