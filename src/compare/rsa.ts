import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { gram } from "../linalg/multiply.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure } from "./measure.ts";
import { fromUpperTriangle, type PairMatrix, rankValues, scorePairs, upperTriangle } from "./pair-matrix.ts";
import { squaredDistances } from "./squared-distances.ts";

export interface RsaOptions {
  /** How unlike two rows are: `correlation` 1 − Pearson's r over their dimensions (the default), or `euclidean`. */
  readonly distance?: "correlation" | "euclidean" | undefined;
  /** How the two lists of dissimilarities are compared: `spearman` (the default) by ranks, `pearson` by values. */
  readonly correlation?: "spearman" | "pearson" | undefined;
}

/** Representational similarity analysis of two sides. */
export interface Rsa {
  /** −1 to 1: correlation of the dissimilarities of all pairs of rows. `NaN` where a side's are all equal. */
  readonly value: number;
  /** Pairs of rows, n (n − 1)/2. They are not independent, so no standard error follows from them. */
  readonly pairs: number;
}

/**
 * Scores whether two sides agree on which rows are unlike: the correlation between their representational dissimilarity matrices over
 * the pairs above the diagonal.
 *
 * X `[n, dX]`, Y `[n, dY]`. Rotations, shifts and a common scale change nothing with Euclidean distances. Correlation distance takes each row's own mean
 * over its dimensions away, so it knows the axes: it is unchanged by the scale of a row and by a constant added to it, but not by rotations or by a
 * shift of all rows. Ranks forgive any monotone stretch of the distances. Far pairs are most pairs, so they decide.
 *
 * @throws bad-input if the rows are not paired, fewer than 3 or not finite
 * @see Kriegeskorte, Mur, Bandettini, Frontiers in Systems Neuroscience 2 (2008), doi 10.3389/neuro.06.004.2008
 */
export function rsa(X: Matrix, Y: Matrix, options: RsaOptions = {}): Rsa {
  const n = checkPairedRows(X, Y, "RSA");
  return { value: scorePairs(rsaSide(X, options), rsaSide(Y, options))(), pairs: (n * (n - 1)) / 2 };
}

/** One side's dissimilarities, `[n, n]`, ranked where asked, less their mean, scaled to norm 1. */
function rsaSide(X: Matrix, { distance = "correlation", correlation = "spearman" }: RsaOptions): PairMatrix {
  if (!hasSpread(X)) return undefined;
  const values = upperTriangle(distance === "euclidean" ? euclidean(X) : correlationDistances(X));
  return fromUpperTriangle(correlation === "spearman" ? rankValues(values) : values, X.rows);
}

export const rsaMeasures: readonly Measure[] = [
  rsaMeasure("rsa", "RSA", { distance: "correlation" }, "scale of a row, a constant added to all its dimensions"),
  rsaMeasure("rsa-euclidean", "RSA, Euclidean", { distance: "euclidean" }, "rotation, shift, common scale"),
];

function rsaMeasure(name: string, label: string, form: RsaOptions, unchangedBy: string): Measure {
  const prepare: Required<Measure>["prepare"] = (X, Y) => {
    checkPairedRows(X, Y, label);
    return scorePairs(rsaSide(X, form), rsaSide(Y, form));
  };
  return {
    name,
    label,
    source: "doi 10.3389/neuro.06.004.2008",
    says: "pairs of rows that are unlike in one side are unlike in the other",
    unchangedBy,
    run: (X, Y) => prepare(X, Y)(),
    prepare,
  };
}

/** Euclidean distances between all rows. */
export function euclidean(X: Matrix): Matrix {
  const D = squaredDistances(X);
  for (let k = 0; k < D.data.length; k++) D.data[k] = Math.sqrt(D.data[k] as number);
  return D;
}

/** 1 − Pearson's r of every two rows over their dimensions; rows without spread are uncorrelated with all. */
function correlationDistances(X: Matrix): Matrix {
  const { rows: n, cols: d } = X;
  const Z = createMatrix(n, d);
  for (let i = 0; i < n; i++) {
    const row = X.data.subarray(i * d, (i + 1) * d);
    const mean = row.reduce((sum, value) => sum + value, 0) / d;
    const largest = row.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    if (!(norm > 4 * Number.EPSILON * largest * Math.sqrt(d))) continue;
    for (let j = 0; j < d; j++) Z.data[i * d + j] = ((row[j] as number) - mean) / norm;
  }
  const D = gram(Z);
  for (let k = 0; k < D.data.length; k++) D.data[k] = 1 - (D.data[k] as number);
  return D;
}
