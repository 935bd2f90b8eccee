import type { Matrix } from "../linalg/matrix.ts";
import { momentsOfRows } from "../maps/moments-of-rows.ts";
import { type LinearCka, linearCka } from "../maps/score/linear-cka.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";

/**
 * Scores linear CKA of paired rows at hand by their moments, X `[n, dX]`, Y `[n, dY]`: the same value as `kernelCka` with the linear kernel, at
 * a cost of n dX dY instead of n².
 *
 * `debiased` is the moments' own, for normal rows; `kernelCka` has that of the U-statistic.
 *
 * @throws bad-input if the rows are not paired or a value is not finite
 * @see {@link linearCka}
 */
export function linearCkaOfRows(X: Matrix, Y: Matrix): LinearCka {
  checkPairedRows(X, Y, "linear CKA");
  return linearCka(momentsOfRows(X, Y));
}

export const linearCkaMeasure: Measure & Required<Pick<Measure, "prepare">> = {
  name: "linear-cka",
  label: "linear CKA",
  source: "arXiv 1905.00414",
  says: "rows that lie the same way from the mean in one side do so in the other; loud directions decide",
  unchangedBy: "rotation, shift, common scale",
  run: (X, Y) => linearCkaMeasure.prepare(X, Y)(),
  prepare(X, Y) {
    checkPairedRows(X, Y, "linear CKA");
    if (!(hasSpread(X) && hasSpread(Y))) return () => Number.NaN;
    const { Cyy, ...rest } = momentsOfRows(X, Y);
    return (order) => {
      const { Cyx } = order ? momentsOfRows(X, permuteRows(Y, order)) : rest;
      return linearCka({ n: rest.n, Cxx: rest.Cxx, Cyy, Cyx }).value ?? Number.NaN;
    };
  },
};
