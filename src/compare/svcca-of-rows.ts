import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { transposedMultiply } from "../linalg/multiply.ts";
import { momentsOfRows } from "../maps/moments-of-rows.ts";
import { type Svcca, type SvccaOptions, svcca, svccaOfSides, toPrincipalSide } from "../maps/score/svcca.ts";
import { centreColumns } from "./centre-columns.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";

/**
 * Scores SVCCA of paired rows at hand, X `[n, dX]`, Y `[n, dY]`: which directions both sides have, whatever their scale.
 *
 * @throws bad-input if the rows are not paired, a value is not finite or `keep` is out of range
 * @see {@link svcca}; Raghu, Gilmer, Yosinski, Sohl-Dickstein, arXiv 1706.05806
 */
export function svccaOfRows(X: Matrix, Y: Matrix, options: SvccaOptions = {}): Svcca {
  checkPairedRows(X, Y, "SVCCA");
  return svcca(momentsOfRows(X, Y), options);
}

export const svccaMeasure: Measure & Required<Pick<Measure, "prepare">> = {
  name: "svcca",
  label: "SVCCA",
  source: "arXiv 1706.05806",
  says: "both sides hold the same directions, loud or quiet, in whatever mixture",
  unchangedBy: "rotation, shift, common scale; any invertible linear map, but for what 99 % of the variance keeps",
  run: (X, Y) => svccaMeasure.prepare(X, Y)(),
  prepare(X, Y) {
    const n = checkPairedRows(X, Y, "SVCCA");
    if (!(hasSpread(X) && hasSpread(Y))) return () => Number.NaN;
    const { Cxx, Cyy } = momentsOfRows(X, Y);
    const sides = [toPrincipalSide(Cxx), toPrincipalSide(Cyy)] as const;
    const [x, y] = [centreColumns(X), centreColumns(Y)];
    return (order) => {
      const Cyx = transposedMultiply(order ? permuteRows(y, order) : y, x);
      return svccaOfSides(n, createMatrix(Y.cols, X.cols, Cyx.data), ...sides).value ?? Number.NaN;
    };
  },
};
