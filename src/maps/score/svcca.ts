import { mismatch } from "../../errors.ts";
import { symmetricEigen } from "../../linalg/eigen.ts";
import { createMatrix, type Matrix, transpose } from "../../linalg/matrix.ts";
import { gram, multiply, multiplyTransposed } from "../../linalg/multiply.ts";
import { checkProducts, describeConstant, type PairProducts, trace } from "./linear-cka.ts";

export interface SvccaOptions {
  /** Share of each side's variance that the kept directions hold, above 0 and at most 1. Default 0.99, as in the paper. */
  readonly keep?: number | undefined;
}

/** One side, cut to its leading principal directions: computed once for a site and used for every pair it stands in. */
export interface PrincipalSide {
  /** Directions kept, k. */
  readonly kept: number;
  /** Share of the variance they hold. */
  readonly explained: number;
  /** `[k, d]`; its product with the centred rows has uncorrelated coordinates of unit sum of squares: `whiten C whitenᵀ = I`. */
  readonly whiten: Matrix;
}

/** SVCCA of two sets of paired rows. */
export interface Svcca {
  /** Mean of the canonical correlations, 0 to 1; null where a side does not vary. */
  readonly value: number | null;
  /** Largest first, as many as the side with fewer kept directions has. */
  readonly correlations: Float64Array;
  readonly kept: { readonly source: number; readonly target: number };
  /**
   * What unrelated rows would score at most, on average: `√(max(k_source, k_target)/(n − 1))`, at most 1. For independent rows the
   * mean squared canonical correlation has expectation max(k)/(n − 1); rows of one text depend on one another, so shuffled pairs
   * score somewhat more.
   */
  readonly chance: number;
  /** What makes the number meaningless, if anything does. */
  readonly diagnosis: string | undefined;
}

/**
 * Scores how much two sites share, whatever their coordinates: both sides cut to the principal directions that hold `keep` of
 * their variance, then the mean canonical correlation between what is left.
 *
 * Unchanged by rotations and scalings of either side; with `keep: 1`, by every invertible linear map of it. A direction of
 * little variance that is kept counts as much as the first. Nothing is regularised: directions below rounding
 * (`d · 2⁻⁵² ·` the largest eigenvalue) are left out as not there, and `kept` says how many stayed. Correlations below
 * about 1e-8 are rounding.
 *
 * @throws bad-input if shapes do not fit, a value is not finite or `keep` is out of range
 * @see Raghu, Gilmer, Yosinski, Sohl-Dickstein, "SVCCA", NeurIPS 2017; Björck and Golub, Math. Comp. 27 (1973)
 */
export function svcca(products: PairProducts, options: SvccaOptions = {}): Svcca {
  const { n, Cxx, Cyx, Cyy } = checkProducts(products);
  return svccaOfSides(n, Cyx, toPrincipalSide(Cxx, options), toPrincipalSide(Cyy, options));
}

/**
 * Cuts one side, given its centred products C `[d, d]`, to its leading principal directions.
 *
 * @throws bad-input if C is not square or finite, or `keep` is out of range
 */
export function toPrincipalSide(C: Matrix, { keep = 0.99 }: SvccaOptions = {}): PrincipalSide {
  if (!(keep > 0 && keep <= 1)) throw mismatch("bad-input", "keep", "a share above 0 and at most 1", String(keep));
  const { values, vectors } = symmetricEigen(C);
  const total = trace(C);
  const least = C.rows * Number.EPSILON * (values[0] ?? 0);
  let kept = 0;
  let sum = 0;
  // The last comparison leaves out what rounding adds: with keep 1 the sum need not reach the trace to the last bit.
  while (kept < values.length && (values[kept] as number) > least && sum < keep * total) {
    sum += values[kept] as number;
    kept++;
  }
  const whiten = createMatrix(kept, C.rows, vectors.data.slice(0, kept * C.rows));
  for (let i = 0; i < kept; i++) {
    const scale = 1 / Math.sqrt(values[i] as number);
    for (let at = i * C.rows; at < (i + 1) * C.rows; at++) whiten.data[at] = scale * (whiten.data[at] as number);
  }
  return { kept, explained: total > 0 ? Math.min(1, sum / total) : 0, whiten };
}

/**
 * The same from sides already cut: n rows, Cyx `[dTarget, dSource]`. A sweep over many pairs decomposes each site once.
 *
 * @throws bad-input if the widths differ
 */
export function svccaOfSides(n: number, Cyx: Matrix, source: PrincipalSide, target: PrincipalSide): Svcca {
  if (Cyx.cols !== source.whiten.cols || Cyx.rows !== target.whiten.cols)
    throw mismatch(
      "bad-input",
      "Cyx",
      `a matrix of ${target.whiten.cols} x ${source.whiten.cols}`,
      `${Cyx.rows} x ${Cyx.cols}`,
    );
  const kept = { source: source.kept, target: target.kept };
  const chance = n > 1 ? Math.min(1, Math.sqrt(Math.max(kept.source, kept.target) / (n - 1))) : 1;
  if (kept.source === 0 || kept.target === 0)
    return {
      value: null,
      correlations: new Float64Array(0),
      kept,
      chance,
      diagnosis: describeConstant(kept.source === 0, kept.target === 0),
    };
  const T = multiplyTransposed(multiply(target.whiten, Cyx), source.whiten);
  const correlations = singularValues(T).map((value) => Math.min(1, value));
  const isForced = kept.source + kept.target > n - 1;
  return {
    value: correlations.reduce((sum, value) => sum + value, 0) / correlations.length,
    correlations,
    kept,
    chance,
    diagnosis: isForced
      ? `${n} rows for ${kept.source} + ${kept.target} directions: some correlations are 1 whatever the rows; use more rows or keep less`
      : undefined,
  };
}

/** Singular values of T, largest first, from the eigenvalues of the smaller of its two Gram matrices. */
function singularValues(T: Matrix): Float64Array {
  const small = T.rows <= T.cols ? T : transpose(T);
  return symmetricEigen(gram(small)).values.map((value) => Math.sqrt(Math.max(0, value)));
}
