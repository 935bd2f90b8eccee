/**
 * Area under the ROC curve of scores: the chance that a positive one is higher than a negative one, ties half. 0.5 says nothing.
 *
 * Exact, as Mann and Whitney's U by ranks, ties at their mean rank, divided by the number of combinations. `NaN` where a class is empty.
 *
 * @see Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve"
 */
export function areaUnderCurve(positive: ArrayLike<number>, negative: ArrayLike<number>): number {
  const all = [
    ...Array.from(positive, (value) => ({ value, isPositive: true })),
    ...Array.from(negative, (value) => ({ value, isPositive: false })),
  ].sort((a, b) => a.value - b.value);
  let rankSum = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    const meanRank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) if (all[i]!.isPositive) rankSum += meanRank;
    start = end;
  }
  const n = positive.length;
  return (rankSum - (n * (n + 1)) / 2) / (n * negative.length);
}
