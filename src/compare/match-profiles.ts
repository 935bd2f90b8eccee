import { createMatrix, type Matrix, transpose } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";
import { permuteRows } from "./permute-rows.ts";
import { standardiseColumns } from "./standardise-columns.ts";

/** How well rows of two kinds of profile, one a model, are told to belong together. */
export interface ProfileMatch {
  /** Mean cosine of the two profiles of a row, columns standardised: 1 for equal profiles, about 0 for unrelated ones. */
  readonly likeness: number;
  /** Mean over rows of 1/rank of its own counterpart among all, by cosine; both ways, averaged. */
  readonly reciprocalRank: number;
  /** Share of rows whose own counterpart is the nearest of all; both ways, averaged. */
  readonly topOne: number;
}

/**
 * Compares profiles R `[n, m]` with S `[n, m]`, row i with row i: how alike the two are, and how often one finds the other among all n.
 *
 * Columns are standardised first, each side by itself: raw profiles are nearly equal for all rows (every row is far from an anchor that is far from
 * all), and their cosine is close to 1 for any two. Rows named in `leaveOut` (the anchors, which know their own place) do not count and are not
 * found. Of equal cosines the place in the middle counts. NaN where fewer than two rows are left or a side does not vary.
 */
export function matchProfiles(R: Matrix, S: Matrix, leaveOut: ArrayLike<number> = []): ProfileMatch {
  const sides = toUnitProfiles(R, S, leaveOut);
  if (!sides) return { likeness: Number.NaN, reciprocalRank: Number.NaN, topOne: Number.NaN };
  const P = multiplyTransposed(...sides);
  const n = P.rows;
  let [likeness, reciprocalRank, topOne] = [0, 0, 0];
  for (const ways of [P, transpose(P)])
    for (let i = 0; i < n; i++) {
      const all = ways.data.subarray(i * n, (i + 1) * n);
      const own = all[i] as number;
      const rank = rankOf(own, all);
      likeness += own / (2 * n);
      reciprocalRank += 1 / (2 * n * rank);
      if (rank === 1) topOne += 1 / (2 * n);
    }
  return { likeness, reciprocalRank, topOne };
}

/** {@link ProfileMatch.likeness} alone, at n · m instead of n² · m. */
export function profileLikeness(R: Matrix, S: Matrix, leaveOut: ArrayLike<number> = []): number {
  const sides = toUnitProfiles(R, S, leaveOut);
  if (!sides) return Number.NaN;
  const [A, B] = sides;
  return A.data.reduce((sum, value, at) => sum + value * (B.data[at] as number), 0) / A.rows;
}

/** The rows that count, columns standardised, each of length 1; undefined where fewer than two are left or a side does not vary. */
function toUnitProfiles(R: Matrix, S: Matrix, leaveOut: ArrayLike<number>): [Matrix, Matrix] | undefined {
  const without = new Set(Array.from(leaveOut));
  const kept = Array.from({ length: R.rows }, (_, i) => i).filter((i) => !without.has(i));
  if (kept.length < 2) return undefined;
  const sides = [R, S].map((of) => toUnitRows(standardiseColumns(permuteRows(of, kept)))) as [Matrix, Matrix];
  return sides.some(({ data }) => data.every((value) => value === 0)) ? undefined : sides;
}

/** 1 more than how many are larger, and half of those that are equal besides it. */
function rankOf(own: number, all: Float64Array): number {
  let [larger, equal] = [0, 0];
  for (let j = 0; j < all.length; j++) {
    const value = all[j] as number;
    if (value > own) larger++;
    else if (value === own) equal++;
  }
  return larger + (equal + 1) / 2;
}

/** Rows of length 1 without a shift: columns have mean 0 already. */
function toUnitRows(A: Matrix): Matrix {
  const { rows, cols, data } = A;
  const result = createMatrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    let squared = 0;
    for (let j = 0; j < cols; j++) squared += (data[i * cols + j] as number) ** 2;
    const factor = squared > 0 ? 1 / Math.sqrt(squared) : 0;
    for (let j = 0; j < cols; j++) result.data[i * cols + j] = (data[i * cols + j] as number) * factor;
  }
  return result;
}
