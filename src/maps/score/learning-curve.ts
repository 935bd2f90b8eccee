import type { LearningPoint } from "./map-scores.ts";

/** What the end of a learning curve says. */
export interface CurveOutlook {
  /** R² that the last doubling of the rows added. */
  readonly lastDoubling: number;
  /** R² that another doubling would add if gains go on shrinking as they did. A guess, not a measurement. */
  readonly nextDoubling: number;
}

/**
 * Looks ahead from the last three points of a learning curve: gains per doubling of the rows are taken to shrink by a constant factor.
 *
 * Undefined for fewer than three points. Where gains do not shrink, the next is taken to be as large as the last; a curve that falls
 * promises nothing. On text of another kind all of this may be otherwise.
 */
export function extrapolateCurve(points: readonly LearningPoint[]): CurveOutlook | undefined {
  const [before, middle, last] = points.slice(-3);
  if (!before || !middle || !last) return undefined;
  const lastDoubling = gainPerDoubling(middle, last);
  const earlier = gainPerDoubling(before, middle);
  const shrinks = earlier > 0 ? Math.min(1, Math.max(0, lastDoubling / earlier)) : 1;
  return { lastDoubling, nextDoubling: Math.max(0, lastDoubling * shrinks) };
}

function gainPerDoubling(from: LearningPoint, to: LearningPoint): number {
  return (to.r2 - from.r2) / Math.log2(to.rows / from.rows);
}
