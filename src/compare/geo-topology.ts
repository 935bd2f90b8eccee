import { mismatch } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { hasSpread } from "./has-spread.ts";
import type { Measure } from "./measure.ts";
import { fromUpperTriangle, type PairMatrix, rankValues, scorePairs, upperTriangle } from "./pair-matrix.ts";
import { quantileOfSorted } from "./quantile.ts";
import { euclidean } from "./rsa.ts";

export interface GeoTopologyOptions {
  /** Share of pairs so near that their distance counts as 0. Default 0.2. */
  readonly lower?: number | undefined;
  /** Share of pairs below the distance from which all count as 1. Default 0.8. */
  readonly upper?: number | undefined;
}

/** Likeness of two representational geo-topological matrices. */
export interface GeoTopology {
  /** −1 to 1: their correlation over all pairs of rows. `NaN` where a side's distances are all equal. */
  readonly value: number;
}

/**
 * Scores whether two sides agree on who is near and who is far: RSA of distances put through the geo-topological transform.
 *
 * The transform is 0 below a lower threshold, 1 above an upper one and rises straight between them. Thresholds are quantiles of the
 * side's own distances, and distances enter by their ranks over all pairs (scaled to 0 … 1), as in the authors' published analysis: so noise in
 * small distances and the size of large ones are forgotten. `lower` 0 and `upper` 1 is plain RSA by ranks; equal thresholds are the
 * neighbourhood graph alone, topology without geometry. Euclidean distances: unchanged by rotations, shifts, a common scale, and any monotone
 * stretch of the distances.
 *
 * @throws bad-input if the rows are not paired or not finite, or the thresholds are not 0 ≤ lower ≤ upper ≤ 1
 * @see Lin and Kriegeskorte, arXiv 2309.11028 (topological RSA, geo-topological matrices)
 */
export function geoTopology(X: Matrix, Y: Matrix, options: GeoTopologyOptions = {}): GeoTopology {
  checkPairedRows(X, Y, "geo-topology");
  return { value: scorePairs(geoTopologySide(X, options), geoTopologySide(Y, options))() };
}

export const geoTopologyMeasure: Measure = {
  name: "geo-topology",
  label: "geo-topological RSA",
  source: "arXiv 2309.11028",
  says: "pairs that are near or far in one side are so in the other, whatever happens within near and within far",
  unchangedBy: "rotation, shift, common scale, monotone stretch of distances",
  run: (X, Y) => geoTopology(X, Y).value,
  prepare(X, Y) {
    checkPairedRows(X, Y, "geo-topology");
    return scorePairs(geoTopologySide(X, {}), geoTopologySide(Y, {}));
  },
};

function geoTopologySide(X: Matrix, { lower = 0.2, upper = 0.8 }: GeoTopologyOptions): PairMatrix {
  if (!(lower >= 0 && lower <= upper && upper <= 1))
    throw mismatch("bad-input", "thresholds", "0 ≤ lower ≤ upper ≤ 1", `${lower} and ${upper}`);
  if (!hasSpread(X)) return undefined;
  const ranks = rankValues(upperTriangle(euclidean(X)));
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const rank of ranks) [least, most] = [Math.min(least, rank), Math.max(most, rank)];
  if (!(most > least)) return undefined;
  const scaled = ranks.map((rank) => (rank - least) / (most - least));
  const sorted = scaled.slice().sort();
  const [from, to] = [quantileOfSorted(sorted, lower), quantileOfSorted(sorted, upper)];
  const bent = scaled.map((value) => {
    if (to > from) return Math.max(0, Math.min(1, (value - from) / (to - from)));
    return value > to ? 1 : 0;
  });
  return fromUpperTriangle(bent, X.rows);
}
