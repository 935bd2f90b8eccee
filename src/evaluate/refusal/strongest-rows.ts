import type { RefusalRow, RefusalSide } from "./refusal-result.ts";

/** At one layer and for one kind of vector, the strengths that change most without breaking the model. */
export interface StrongestRows {
  readonly layer: number;
  readonly kind: Exclude<RefusalRow["kind"], "none">;
  /** Where refusal of harmful prompts falls most. `null` if nothing but broken answers was left. */
  readonly suppression: RefusalRow | null;
  /** Where refusal of harmless prompts rises most. */
  readonly induction: RefusalRow | null;
}

/** Share of broken answers from which a strength has no answers to speak of. */
export const brokenLimit = 0.1;

/**
 * Finds for each layer and kind of vector the strongest effects among rows with at most a tenth of broken answers more than the unsteered model has.
 *
 * They are chosen by looking at the numbers they are then judged by: an upper end, not an expectation. The more layers and strengths
 * were tried, the more it flatters, and random directions are flattered alike.
 */
export function strongestRows({ rows }: RefusalSide): StrongestRows[] {
  const unsteered = rows[0]!;
  const isSound = (row: RefusalRow): boolean =>
    (["harmful", "harmless"] as const).every(
      (kind) => (row[kind].broken.value ?? 1) <= (unsteered[kind].broken.value ?? 0) + brokenLimit,
    );
  const steered = rows.filter(({ kind }) => kind !== "none");
  const layers = [...new Set(steered.map(({ layer }) => layer!))];
  return layers.flatMap((layer) =>
    (["native", "transferred", "random"] as const).flatMap((kind): StrongestRows[] => {
      const own = steered.filter((row) => row.layer === layer && row.kind === kind);
      if (own.length === 0) return [];
      const most = (value: (row: RefusalRow) => number | null): RefusalRow | null =>
        own
          .filter((row) => isSound(row) && value(row) !== null)
          .reduce<RefusalRow | null>((best, row) => (best && value(best)! >= value(row)! ? best : row), null);
      const negated = (value: number | null): number | null => (value === null ? null : -value);
      return [
        {
          layer,
          kind,
          suppression: most(({ change }) => negated(change.harmful.value)),
          induction: most(({ change }) => change.harmless.value),
        },
      ];
    }),
  );
}

/**
 * The layer to show: where the native vector changes most, the fall of refused harmful and the rise of refused harmless prompts together; of
 * equal ones the first.
 */
export function shownLayer(side: RefusalSide): number {
  const native = strongestRows(side).filter(({ kind }) => kind === "native");
  const reach = ({ suppression, induction }: StrongestRows): number =>
    (induction?.change.harmless.value ?? 0) - (suppression?.change.harmful.value ?? 0);
  return native.reduce((best, each) => (reach(each) > reach(best) ? each : best)).layer;
}
