import { mismatch } from "../../errors.ts";
import { multiply, multiplyTransposed, transposedMultiply } from "../../linalg/multiply.ts";
import { diagonal, type Moments } from "../moments.ts";
import type { ReducedRankPath } from "./fit-reduced-rank.ts";

/** Ranks with their R² on validation rows, and the one chosen. */
export interface RankChoice {
  readonly rank: number;
  readonly tried: readonly { readonly rank: number; readonly r2: number }[];
}

export interface ChooseRankOptions {
  /** Ranks to try; default all from 1 to the path's `maxRank`. */
  readonly ranks?: readonly number[] | undefined;
  /** The smallest rank whose R² is at most this below the best is chosen. Default 0: the best, the smallest of equals. */
  readonly slack?: number | undefined;
}

/**
 * Scores every rank of a path on rows that did not fit it, from their moments alone, and returns the best.
 *
 * Directions are orthogonal, so each adds its own term to the squared error: with u a column of U, b its row of B and g the gap of the
 * means, SSE(r) = SSE(0) + Σₖ≤ᵣ (bₖ Cxx bₖᵀ − 2 uₖᵀ Cyx bₖᵀ + n ((uₖᵀg − bₖh)² − (uₖᵀg)²)), h the gap of the source means. All ranks
 * cost as much as one.
 *
 * @throws bad-input if the widths differ, no rank is left to try, one is out of range, or the validation rows do not vary
 */
export function chooseRank(
  path: ReducedRankPath,
  validation: Moments,
  { ranks, slack = 0 }: ChooseRankOptions = {},
): RankChoice {
  const { U, B } = path;
  const { n, meanX, meanY, Cxx, Cyx, Cyy } = validation;
  if (meanX.length !== B.cols || meanY.length !== U.rows)
    throw mismatch(
      "bad-input",
      "validation rows",
      `widths ${B.cols} and ${U.rows}`,
      `${meanX.length} and ${meanY.length}`,
    );
  const total = diagonal(Cyy).reduce((sum, value) => sum + value, 0);
  if (!(total > 0))
    throw mismatch("bad-input", "validation rows", "target states that vary", `a total variance of ${total}`);
  if (!(slack >= 0)) throw mismatch("bad-input", "slack", "a number of at least 0", String(slack));
  const k = U.cols;
  const wanted = ranks ?? Array.from({ length: path.maxRank }, (_, i) => i + 1);
  const bad = wanted.find((rank) => !Number.isSafeInteger(rank) || rank < 1 || rank > k);
  if (bad !== undefined || wanted.length === 0)
    throw mismatch("bad-input", "ranks", `integers from 1 to ${k}`, bad === undefined ? "none" : String(bad));

  const spread = diagonal(multiplyTransposed(multiply(B, Cxx), B));
  const shared = diagonal(multiplyTransposed(transposedMultiply(U, Cyx), B));
  const gapX = meanX.map((value, j) => value - (path.meanX[j] as number));
  const gapY = meanY.map((value, i) => value - (path.meanY[i] as number));
  let sse = total + n * gapY.reduce((sum, value) => sum + value * value, 0);
  const r2 = Float64Array.from({ length: k }, (_, c) => {
    let along = 0;
    for (let i = 0; i < U.rows; i++) along += (U.data[i * k + c] as number) * (gapY[i] as number);
    let moved = 0;
    for (let j = 0; j < B.cols; j++) moved += (B.data[c * B.cols + j] as number) * (gapX[j] as number);
    sse += (spread[c] as number) - 2 * (shared[c] as number) + n * ((along - moved) ** 2 - along ** 2);
    return 1 - sse / total;
  });
  const tried = wanted.map((rank) => ({ rank, r2: r2[rank - 1] as number }));
  const best = tried.reduce((most, entry) => Math.max(most, entry.r2), Number.NEGATIVE_INFINITY);
  const rank = tried.reduce((least, entry) => (entry.r2 >= best - slack ? Math.min(least, entry.rank) : least), k);
  return { rank, tried };
}
