import type { OpenModel } from "../../engine/open-model.ts";
import { compareSteering } from "../../evaluate/compare.ts";
import type { PropensityItem } from "../../evaluate/items.ts";
import { toFinite, zAgainst } from "../../evaluate/statistics.ts";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import type { AnchorEffect } from "./anchor-study.ts";

/** A carried direction and where it comes from. */
export interface CarriedByAnchors extends Pick<AnchorEffect, "anchors" | "way"> {
  readonly vector: SteeringVector;
}

export interface MeasureEffectsOptions {
  readonly name: string;
  readonly items: readonly PropensityItem[];
  readonly native: SteeringVector;
  readonly carried: readonly CarriedByAnchors[];
  /** In median row norms; its negative is run too. */
  readonly strength: number;
  readonly randomCount: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Steers by one concept's direction as several maps carried it; all stand beside the same random directions, which run once. */
export async function measureEffects(
  target: OpenModel,
  { name, items, native, carried, strength, randomCount, seed, signal }: MeasureEffectsOptions,
): Promise<readonly AnchorEffect[]> {
  const effects: AnchorEffect[] = [];
  let random: readonly number[] | undefined;
  for (const { anchors, way, vector } of carried) {
    const found = await compareSteering(target, items, {
      native,
      transferred: vector,
      strengths: [-strength, strength],
      // All directions are as long as the median row: the first comparison's random ones are those of every other.
      randomCount: random ? 0 : randomCount,
      seed,
      ...(signal && { signal }),
    });
    random ??= found.effect.random;
    const z = (effect: number | null): number | null =>
      effect === null ? null : toFinite(zAgainst(effect, random ?? []));
    const nativeZ = z(found.effect.native.value);
    effects.push({
      concept: name,
      anchors,
      way,
      cosine: cosineBetween(native, vector)[0]?.cosine ?? null,
      effect: found.effect.transferred.value,
      native: found.effect.native.value,
      deltaR: found.deltaCorrelation.value,
      // Over a native slope of next to nothing it is any number.
      slopeRatio: (nativeZ ?? 0) >= verdictThresholds.insideNull ? found.slope.ratio.value : null,
      z: z(found.effect.transferred.value),
      nativeZ,
    });
  }
  return effects;
}
