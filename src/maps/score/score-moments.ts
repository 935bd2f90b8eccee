import { mismatch } from "../../errors.ts";
import { multiply } from "../../linalg/multiply.ts";
import type { Affine } from "../fit/fit-ridge.ts";
import { inverseDeviations } from "../fit/inverse-deviations.ts";
import { diagonal, type Moments } from "../moments.ts";

/** Squared errors of an affine map on some rows. */
export interface MomentScores {
  /** 1 − SSE/SST over all target dimensions; SST is about the mean of these very rows. */
  readonly r2: number;
  /** The same by target dimension, `[dTarget]`; NaN for one that does not vary on these rows. */
  readonly r2ByDimension: Float64Array;
  /** Explained variance once every target dimension that varies is scaled to variance 1: the mean of `r2ByDimension` over those. */
  readonly r2Standardised: number;
  /** Mean squared error per row and target dimension. */
  readonly mse: number;
  readonly sse: number;
  readonly sst: number;
  /** Sums of squared errors, `[dTarget]`. */
  readonly sseByDimension: Float64Array;
  /** Sums of squares about the mean, `[dTarget]`. */
  readonly sstByDimension: Float64Array;
  /** Total weight of the rows. */
  readonly n: number;
}

/**
 * Scores any affine map on rows known by their moments alone: `SSE = diag(Cyy − 2 A Cxy + A Cxx Aᵀ) + n (ȳ − A x̄ − p)²`, without a
 * second pass over the rows.
 *
 * As a difference of sums it is exact to about 2⁻⁵² · SST · (1 + ‖A‖² tr Cxx/SST): an R² keeps its digits, while the error of a map that
 * is nearly perfect (1 − R² below 10⁻¹²) is rounding; it is never reported below 0.
 *
 * @throws bad-input if the widths differ, there are no rows, or the target does not vary at all
 */
export function scoreMoments({ A, p }: Affine, moments: Moments): MomentScores {
  const { n, meanX, meanY, Cxx, Cyx, Cyy } = moments;
  if (A.cols !== meanX.length || A.rows !== meanY.length || p.length !== A.rows)
    throw mismatch(
      "bad-input",
      "map to score",
      `one from ${meanX.length} to ${meanY.length} dimensions`,
      `from ${A.cols} to ${A.rows}`,
    );
  const AC = multiply(A, Cxx).data;
  const sstByDimension = diagonal(Cyy);
  const sseByDimension = sstByDimension.map((total, i) => {
    let sse = total;
    let gap = (meanY[i] as number) - (p[i] as number);
    for (let j = 0, at = i * A.cols; j < A.cols; j++, at++) {
      const a = A.data[at] as number;
      sse += a * ((AC[at] as number) - 2 * (Cyx.data[at] as number));
      gap -= a * (meanX[j] as number);
    }
    return Math.max(0, sse) + n * gap * gap;
  });
  const sse = sum(sseByDimension);
  const sst = sum(sstByDimension);
  if (!(n > 0) || !(sst > 0))
    throw mismatch("bad-input", "rows to score", "target states that vary", `${n} rows, total variance ${sst}`);
  const varies = inverseDeviations(Cyy, meanY, n);
  const r2ByDimension = sseByDimension.map((error, i) =>
    (varies[i] as number) > 0 ? 1 - error / (sstByDimension[i] as number) : Number.NaN,
  );
  const known = r2ByDimension.filter((value) => !Number.isNaN(value));
  return {
    r2: 1 - sse / sst,
    r2ByDimension,
    r2Standardised: sum(known) / known.length,
    mse: sse / (n * A.rows),
    sse,
    sst,
    sseByDimension,
    sstByDimension,
    n,
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
