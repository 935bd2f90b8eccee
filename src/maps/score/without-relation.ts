import { createMatrix } from "../../linalg/matrix.ts";
import type { CrossMoments, Moments } from "../moments.ts";

/**
 * The moments of rows whose sides have nothing to do with each other: what a fit or a similarity finds in them it finds in anything.
 *
 * Shuffling leaves both sides' own rows as they were, so only their product is taken from the shuffled pairs, scaled to the weight of the
 * training rows; shuffled rows all weigh 1, and means of theirs would not be those of weighted rows. Where no unit had two windows to
 * shuffle the product is 0: a source without any relation.
 */
export function withoutRelation(training: Moments, shuffled: CrossMoments): Moments {
  const { rows, cols } = training.Cyx;
  if (shuffled.n === 0) return { ...training, Cyx: createMatrix(rows, cols) };
  const share = training.n / shuffled.n;
  return {
    ...training,
    Cyx: createMatrix(
      rows,
      cols,
      shuffled.Cyx.data.map((value) => value * share),
    ),
  };
}
