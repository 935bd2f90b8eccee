import type { Matrix } from "../linalg/matrix.ts";
import { transposedMultiply } from "../linalg/multiply.ts";
import { svd } from "../linalg/svd.ts";
import { centreColumns } from "./centre-columns.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure, PairingScore } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";

/** How well a rotation lays one side on the other. */
export interface ProcrustesLikeness {
  /** 0 to 1: the cosine between one side and the best rotation of the other, all rows as one long vector. `NaN` where a side does not vary. */
  readonly value: number;
  /** arccos of it, radians: a metric between shapes. */
  readonly angle: number;
}

/**
 * Scores how well one side can be rotated onto the other: the sum of the singular values of YᵀX over ‖X‖_F ‖Y‖_F, rows
 * centred.
 *
 * X `[n, dX]`, Y `[n, dY]`; the narrower is padded with zeros, which changes nothing. Of rows scaled to ‖X‖_F = 1 the squared Procrustes distance is
 * 2 − 2 · value. Stricter than CKA: directions of large variance must match one for one. Unrelated rows score about as CKA's root does, far above 0.
 *
 * @throws bad-input if the rows are not paired or a value is not finite
 * @see Williams, Kunz, Kornblith, Linderman, arXiv 2110.14739 (shape metrics); Ding, Denain, Steinhardt, arXiv 2108.01661
 */
export function procrustesLikeness(X: Matrix, Y: Matrix): ProcrustesLikeness {
  const value = prepare(X, Y)();
  return { value, angle: Math.acos(value) };
}

export const procrustesMeasure: Measure = {
  name: "procrustes",
  label: "Procrustes",
  source: "arXiv 2110.14739",
  says: "a rotation and one scale lay one side on the other",
  unchangedBy: "rotation, shift, common scale",
  run: (X, Y) => procrustesLikeness(X, Y).value,
  prepare: (X, Y) => prepare(X, Y),
};

function prepare(X: Matrix, Y: Matrix): PairingScore {
  checkPairedRows(X, Y, "Procrustes");
  const [x, y] = [centreColumns(X), centreColumns(Y)];
  const [normX, normY] = [normOf(x), normOf(y)];
  const varies = hasSpread(X) && hasSpread(Y);
  return (order) => {
    if (!varies) return Number.NaN;
    const { s } = svd(transposedMultiply(order ? permuteRows(y, order) : y, x));
    return Math.min(1, s.reduce((sum, value) => sum + value, 0) / normX / normY);
  };
}

function normOf({ data }: Matrix): number {
  let squares = 0;
  for (const value of data) squares += value * value;
  return Math.sqrt(squares);
}
