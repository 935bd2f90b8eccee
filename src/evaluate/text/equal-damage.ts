/** One strength of an arm: what it cost and what it did. */
export interface DamagePoint {
  readonly strength: number;
  /** Any measure of cost that is 0 without steering. */
  readonly damage: number;
  readonly effect: number;
}

/**
 * Reads the effect of an arm at a given damage, by straight lines between neighbouring strengths.
 *
 * Going outward from strength 0 (no damage, no effect), the first stretch that contains the level counts: further out, a model so damaged
 * that the measure falls again must not be taken for a mild one. `NaN` beyond what was measured: nothing is extrapolated.
 *
 * @param points - of one side, all strengths of one sign, in any order; without strength 0
 */
export function effectAtDamage(points: readonly DamagePoint[], level: number): number {
  const path = [...points].sort((a, b) => Math.abs(a.strength) - Math.abs(b.strength));
  let before = { damage: 0, effect: 0 };
  for (const point of path) {
    if (!Number.isFinite(point.damage) || !Number.isFinite(point.effect)) return Number.NaN;
    const low = Math.min(before.damage, point.damage);
    const high = Math.max(before.damage, point.damage);
    if (low <= level && level <= high) {
      const share = high === low ? 0 : (level - before.damage) / (point.damage - before.damage);
      return before.effect + share * (point.effect - before.effect);
    }
    before = point;
  }
  return Number.NaN;
}

/** Levels to compare at: `count` equal steps up to the largest damage that every one of the curves reaches; none if one has no points. */
export function damageLevels(curves: readonly (readonly DamagePoint[])[], count = 4): number[] {
  const most = Math.min(...curves.map((points) => Math.max(...points.map(({ damage }) => damage))));
  return most > 0 && Number.isFinite(most) ? Array.from({ length: count }, (_, i) => ((i + 1) * most) / count) : [];
}
