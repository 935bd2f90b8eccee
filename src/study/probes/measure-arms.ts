import { bootstrapIntervals } from "../../evaluate/bootstrap.ts";
import { type ConfidenceInterval, rankDraw, toStanding } from "../../evaluate/statistics.ts";
import { measureScores, type ScoreMeasures } from "../../features/probes/measure-scores.ts";

/** {@link ScoreMeasures} with 95 % intervals over groups of texts; `null` where too many draws lack a class. */
export interface MeasuredScores extends ScoreMeasures {
  readonly accuracyInterval: ConfidenceInterval | null;
  readonly aurocInterval: ConfidenceInterval | null;
  /** Of this area under the curve − that of the first arm, on the same draws. */
  readonly gapInterval: ConfidenceInterval | null;
}

export interface MeasureArmsOptions {
  /** `[texts]`: 1 positive, 0 negative. */
  readonly labels: Uint8Array;
  /** `[texts]`: texts of one group are drawn together. */
  readonly groups: Int32Array;
  readonly seed: number;
  /** Default 1000. */
  readonly resamples?: number;
}

/**
 * Measures several probes' scores of the same texts, with intervals by bootstrap over groups: pairs, or documents. All share the draws.
 *
 * @param arms - scores `[texts]` of each
 * @throws bad-input if a class has no texts
 */
export function measureArms(
  arms: readonly Float64Array[],
  { labels, groups, seed, resamples = 1000 }: MeasureArmsOptions,
): MeasuredScores[] {
  const members = new Map<number, number[]>();
  for (const [i, group] of groups.entries()) members.set(group, [...(members.get(group) ?? []), i]);
  const byGroup = [...members.values()];
  const measured = arms.map((scores) => measureScores(scores, labels));
  const standings = arms.map(toStanding);
  const intervals = bootstrapIntervals(
    byGroup.length,
    (draw) => {
      const texts = Int32Array.from([...draw].flatMap((group) => byGroup[group]!));
      const found = arms.map((scores, arm) => measureDraw(texts, labels, scores, rankDraw(standings[arm]!, texts)));
      return found.flatMap(([accuracy, auroc]) => [accuracy, auroc, auroc - found[0]![1]]);
    },
    { seed, resamples },
  );
  return measured.map((measures, arm) => ({
    ...measures,
    accuracyInterval: intervals[3 * arm]!,
    aurocInterval: intervals[3 * arm + 1]!,
    gapInterval: intervals[3 * arm + 2]!,
  }));
}

/** Accuracy and area under the curve of a draw of texts, given the ranks of their scores among the draw. */
function measureDraw(
  texts: Int32Array,
  labels: Uint8Array,
  scores: Float64Array,
  ranks: Float64Array,
): [number, number] {
  let [right, positive, rankSum] = [0, 0, 0];
  for (const [k, i] of texts.entries()) {
    const isPositive = labels[i] === 1;
    if (scores[i]! > 0 === isPositive) right++;
    if (!isPositive) continue;
    positive++;
    rankSum += ranks[k]!;
  }
  const negative = texts.length - positive;
  return [right / texts.length, (rankSum - (positive * (positive + 1)) / 2) / (positive * negative)];
}
