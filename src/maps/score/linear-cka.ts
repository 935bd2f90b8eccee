import { mismatch } from "../../errors.ts";
import { checkMatrix, type Matrix } from "../../linalg/matrix.ts";

/** What similarity needs of n paired rows: the centred products of `Moments`, which may be given as they are. */
export interface PairProducts {
  readonly n: number;
  /** Σ (x − x̄)(x − x̄)ᵀ, `[dSource, dSource]`. */
  readonly Cxx: Matrix;
  /** Σ (y − ȳ)(x − x̄)ᵀ, `[dTarget, dSource]`. */
  readonly Cyx: Matrix;
  /** Σ (y − ȳ)(y − ȳ)ᵀ, `[dTarget, dTarget]`. */
  readonly Cyy: Matrix;
}

/** Linear CKA of two sets of paired rows. */
export interface LinearCka {
  /** The usual, biased estimate, 0 to 1; null where a side does not vary. */
  readonly value: number | null;
  /** The same less what sampling alone adds; about 0 (and as often below) for unrelated rows; null where nothing is left to divide by. */
  readonly debiased: number | null;
  /** What makes a number meaningless, if anything does. */
  readonly diagnosis: string | undefined;
}

/**
 * Scores how alike the geometries of two sites are: linear centred kernel alignment, `‖Cyx‖²_F/(‖Cxx‖_F ‖Cyy‖_F)`.
 *
 * Unchanged by rotations of either side and by a common scale, not by other linear maps: a few directions of large variance decide it.
 * So it screens layer pairs, cheaply, and says little about whether a map fits.
 *
 * `value` is biased upwards: unrelated rows score about `√(r_x r_y)/n` with r = (tr C)²/‖C‖²_F the effective dimension of a side, which is
 * near 1 when rows are fewer than dimensions. `debiased` takes tr Cxx tr Cyy/(n − 1) from each of the three squared norms. For rows
 * drawn independently from a normal distribution that makes all three unbiased up to one common factor. It is not the estimator from
 * the U-statistic of HSIC: that one needs Σ ‖x − x̄‖²‖y − ȳ‖², a fourth moment, and differs where row norms vary much. Rows of one text
 * depend on one another, so some bias stays in both; the value of shuffled pairs is the null that shares it.
 *
 * @throws bad-input if shapes do not fit or a value is not finite
 * @see Kornblith, Norouzi, Lee, Hinton, "Similarity of Neural Network Representations Revisited", ICML 2019 (linear CKA);
 *   Song, Smola, Gretton, Bedo, Borgwardt, JMLR 13 (2012) (the unbiased HSIC)
 */
export function linearCka(products: PairProducts): LinearCka {
  const { n, Cxx, Cyx, Cyy } = checkProducts(products);
  const constant = describeConstant(!(trace(Cxx) > 0), !(trace(Cyy) > 0));
  if (constant) return { value: null, debiased: null, diagnosis: constant };
  // Each side over its trace first: squares of products of large states would leave the range of a double long before the ratio does.
  const [tx, ty] = [trace(Cxx), trace(Cyy)];
  const [xx, yy, yx] = [sumSquares(Cxx, tx), sumSquares(Cyy, ty), sumSquares(Cyx, Math.sqrt(tx) * Math.sqrt(ty))];
  // With the traces divided out, tr Cxx tr Cyy/(n − 1) is 1/(n − 1) for all three.
  const bias = n > 1 ? 1 / (n - 1) : Number.POSITIVE_INFINITY;
  // A side of one direction has ‖C‖²_F = (tr C)²; rounding may carry what is left of n = 2 rows to either side of zero.
  const room = Math.min(xx, yy) - bias;
  const isSolvable = n > 2 && room > 8 * Number.EPSILON;
  return {
    value: Math.min(1, yx / Math.sqrt(xx * yy)),
    debiased: isSolvable ? (yx - bias) / Math.sqrt((xx - bias) * (yy - bias)) : null,
    diagnosis: isSolvable ? undefined : `${n} rows are too few to tell likeness from chance`,
  };
}

/**
 * Checks that the products belong together, and returns them.
 *
 * @throws bad-input
 */
export function checkProducts<T extends PairProducts>(products: T): T {
  const { n, Cxx, Cyx, Cyy } = products;
  if (!(n >= 0 && Number.isFinite(n))) throw mismatch("bad-input", "paired rows", "a count", String(n));
  checkMatrix(Cyx, "Cyx");
  checkMatrix(Cxx, "Cxx", { rows: Cyx.cols, cols: Cyx.cols });
  checkMatrix(Cyy, "Cyy", { rows: Cyx.rows, cols: Cyx.rows });
  return products;
}

/** Names the side whose rows are all alike; undefined if both vary. */
export function describeConstant(isSourceConstant: boolean, isTargetConstant: boolean): string | undefined {
  if (isSourceConstant && isTargetConstant) return "neither side varies over these rows";
  if (!isSourceConstant && !isTargetConstant) return undefined;
  return `the ${isSourceConstant ? "source" : "target"} does not vary over these rows: all its hidden states are equal`;
}

/** Σ of the diagonal: the summed squares of the rows about their mean. */
export function trace(C: Matrix): number {
  let sum = 0;
  for (let i = 0; i < C.rows; i++) sum += C.data[i * C.cols + i] as number;
  return sum;
}

function sumSquares(C: Matrix, scale: number): number {
  let sum = 0;
  for (const value of C.data) sum += (value / scale) ** 2;
  return sum;
}
