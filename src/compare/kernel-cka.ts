import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";
import { centreColumns } from "./centre-columns.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure } from "./measure.ts";
import { type PairMatrix, scorePairs, toPairMatrix, upperTriangle } from "./pair-matrix.ts";
import { quantileOfSorted } from "./quantile.ts";
import { squaredDistances } from "./squared-distances.ts";

export interface KernelCkaOptions {
  /** `linear`: inner products of rows. `rbf` (the default): exp(−‖a − b‖²/(2σ²)). */
  readonly kernel?: "linear" | "rbf" | undefined;
  /** σ over the median distance between two rows of the side. Default 1. */
  readonly bandwidth?: number | undefined;
  /** Whether to take off what sampling alone adds. Default false. */
  readonly debiased?: boolean | undefined;
}

/** Centred kernel alignment of two sides. */
export interface KernelCka {
  /** 0 to 1, or about 0 for unrelated rows (and as often below) where debiased; `NaN` where a side does not vary. */
  readonly value: number;
}

/**
 * Scores how alike two kernels are over the same rows: `⟨K, L⟩/(‖K‖ ‖L‖)` of the centred kernel matrices, `[n, n]` each.
 *
 * The biased form centres by rows and columns (HKH), diagonals included; unrelated rows score well above 0 where rows are few for the
 * dimensions. The debiased form is the ratio of unbiased estimates of HSIC: K without its diagonal is U-centred,
 * `K(i,j) − Σ K(i,·)/(n − 2) − Σ K(·,j)/(n − 2) + ΣΣK/((n − 1)(n − 2))`, and products run over i ≠ j.
 *
 * With the Gaussian kernel near rows count and far ones are all alike, so it hears less of a few loud directions and more of
 * neighbourhoods the smaller the bandwidth is. Both kernels are unchanged by rotations, shifts and a common scale of either side; σ follows the
 * scale. Cost n² (dX + dY), memory 2 n² doubles.
 *
 * @throws bad-input if the rows are not paired, a value is not finite, there are fewer than 4 rows to debias, or the bandwidth is not above 0
 * @see Kornblith, Norouzi, Lee, Hinton, arXiv 1905.00414, sections 2 and 3; Song, Smola, Gretton, Bedo, Borgwardt, JMLR 13 (2012),
 *   theorem 5 (unbiased HSIC); Nguyen, Raghu, Kornblith, arXiv 2010.15327, section 2 (its use in CKA); Székely and Rizzo, Annals of
 *   Statistics 42 (2014) (U-centring)
 */
export function kernelCka(X: Matrix, Y: Matrix, options: KernelCkaOptions = {}): KernelCka {
  checkPairedRows(X, Y, "kernel CKA");
  return { value: scorePairs(kernelSide(X, options), kernelSide(Y, options))() };
}

/** One side's centred kernel, scaled to norm 1. */
export function kernelSide(X: Matrix, options: KernelCkaOptions = {}): PairMatrix {
  const { kernel = "rbf", bandwidth = 1, debiased = false } = options;
  if (!(bandwidth > 0)) throw mismatch("bad-input", "bandwidth", "a number above 0", String(bandwidth));
  if (debiased && X.rows < 4) throw mismatch("bad-input", "debiased CKA", "at least 4 rows", String(X.rows));
  const K = !hasSpread(X) ? undefined : kernel === "linear" ? gram(centreColumns(X)) : gaussian(X, bandwidth);
  return K && toPairMatrix(debiased ? uCentred(K) : centred(K));
}

/** The forms that are not a function of moments alone, as measures. */
export const ckaMeasures: readonly Measure[] = [
  ckaMeasure("linear-cka-debiased", "linear CKA, debiased", { kernel: "linear", debiased: true }),
  ckaMeasure("kernel-cka", "kernel CKA", { kernel: "rbf" }),
  ckaMeasure("kernel-cka-debiased", "kernel CKA, debiased", { kernel: "rbf", debiased: true }),
];

function ckaMeasure(name: string, label: string, form: KernelCkaOptions): Measure {
  const prepare: Required<Measure>["prepare"] = (X, Y) => {
    checkPairedRows(X, Y, label);
    return scorePairs(kernelSide(X, form), kernelSide(Y, form));
  };
  return {
    name,
    label,
    source: form.debiased ? "arXiv 1905.00414, 2010.15327" : "arXiv 1905.00414",
    says:
      form.kernel === "linear"
        ? "rows that lie the same way from the mean in one side do so in the other; loud directions decide"
        : "rows that are near one another in one side are so in the other",
    unchangedBy: "rotation, shift, common scale",
    run: (X, Y) => prepare(X, Y)(),
    prepare,
  };
}

/** The Gaussian kernel with σ a multiple of the median distance; `undefined` if that is 0. */
function gaussian(X: Matrix, bandwidth: number): Matrix | undefined {
  const D = squaredDistances(X);
  const median = quantileOfSorted(upperTriangle(D).map(Math.sqrt).sort(), 0.5);
  if (!(median > 0)) return undefined;
  const scale = -1 / (2 * (bandwidth * median) ** 2);
  for (let k = 0; k < D.data.length; k++) D.data[k] = Math.exp(scale * (D.data[k] as number));
  return D;
}

/** H K H with H = I − 1/n. */
function centred(K: Matrix): Matrix {
  const n = K.rows;
  const means = rowSums(K).map((sum) => sum / n);
  const mean = means.reduce((a, b) => a + b, 0) / n;
  return createMatrix(
    n,
    n,
    K.data.map((value, at) => value - (means[Math.floor(at / n)] as number) - (means[at % n] as number) + mean),
  );
}

/** U-centred: rows and columns sum to 0 without the diagonal, which is 0. */
function uCentred(K: Matrix): Matrix {
  const n = K.rows;
  for (let i = 0; i < n; i++) K.data[i * n + i] = 0;
  const sums = rowSums(K);
  const all = sums.reduce((a, b) => a + b, 0) / ((n - 1) * (n - 2));
  const shares = sums.map((sum) => sum / (n - 2));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      if (i !== j)
        K.data[i * n + j] = (K.data[i * n + j] as number) - (shares[i] as number) - (shares[j] as number) + all;
  return K;
}

function rowSums({ rows: n, data }: Matrix): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => data.subarray(i * n, (i + 1) * n).reduce((a, b) => a + b, 0));
}
