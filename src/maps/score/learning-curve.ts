import type { LearningPoint } from "./map-scores.ts";

/** What the end of a learning curve says. */
export interface CurveOutlook {
  /** R² that the last doubling of the rows added. */
  readonly lastDoubling: number;
  /** R² that another doubling would add if gains go on shrinking as they did. A guess, not a measurement. */
  readonly nextDoubling: number;
}

/** Rows of a point over those of the one before, at the least, that count as a doubling. */
const leastRatio = 1.6;

/**
 * Looks ahead from the last points of a learning curve that lie about a doubling apart: gains per doubling of the rows are taken to shrink by a constant factor.
 *
 * Undefined where there are not three such points. Where gains do not shrink, the next is taken to be as large as the last; a curve that falls
 * promises nothing. On text of another kind all of this may be otherwise.
 */
export function extrapolateCurve(points: readonly LearningPoint[]): CurveOutlook | undefined {
  const last = points.at(-1);
  const middle = last && aboutHalf(points, last);
  const before = middle && aboutHalf(points, middle);
  if (!before || !middle || !last) return undefined;
  const lastDoubling = gainPerDoubling(middle, last);
  const earlier = gainPerDoubling(before, middle);
  const shrinks = earlier > 0 ? Math.min(1, Math.max(0, lastDoubling / earlier)) : 1;
  return { lastDoubling, nextDoubling: Math.max(0, lastDoubling * shrinks) };
}

/** The last point with so many fewer rows that what lies between is about a doubling: folds add few rows at a time. */
function aboutHalf(points: readonly LearningPoint[], { rows }: LearningPoint): LearningPoint | undefined {
  return points.filter((point) => point.rows <= rows / leastRatio).at(-1);
}

function gainPerDoubling(from: LearningPoint, to: LearningPoint): number {
  return (to.r2 - from.r2) / Math.log2(to.rows / from.rows);
}
