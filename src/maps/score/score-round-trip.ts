import { composeAffine } from "../fit/compose-affine.ts";
import type { Affine } from "../fit/fit-ridge.ts";
import type { Moments } from "../moments.ts";
import { type MomentScores, scoreMoments } from "./score-moments.ts";

/**
 * Scores S → T → S: how much of the source's variance is left after `forward` (A, p) and `backward` (B, q),
 * 1 − Σ‖x − B(A x + p) − q‖² / Σ‖x − x̄‖², from the source's moments on held-out rows alone.
 *
 * `r2` is the share kept, `r2ByDimension` the same for each source dimension, and so on as in {@link scoreMoments}. It says what the
 * two maps lose, not whether what they keep is right: a map and its inverse keep everything even if both are nonsense. Read it
 * beside the score of each.
 *
 * @throws bad-input if the widths do not fit or the source does not vary
 * @example
 * const forward = fitRidge(train, { lambda });
 * const backward = fitRidge(swapMoments(train), { lambda });
 * scoreRoundTrip(forward, backward, heldOut).r2;
 */
export function scoreRoundTrip(forward: Affine, backward: Affine, moments: Moments): MomentScores {
  const { n, meanX, Cxx } = moments;
  return scoreMoments(composeAffine(forward, backward), { n, meanX, meanY: meanX, Cxx, Cyx: Cxx, Cyy: Cxx });
}
