import type { ArmKind } from "../../evaluate/arms.ts";
import type { Estimate } from "../../evaluate/comparison.ts";
import type { ContrastFeature } from "../../evaluate/features/contrast-features.ts";
import type { TextResult } from "../../evaluate/text/text-result.ts";
import type { FeatureFit, FeatureMapScores } from "../../features/s2l/feature-map.ts";
import type { FitRecord } from "../../maps/affine-map.ts";
import type { MapScores } from "../../maps/score/map-scores.ts";

/** One vector of a concept at one strength, or the unsteered model. */
export interface FeaturePoint {
  readonly arm: string;
  readonly kind: ArmKind | "none";
  readonly strength: number;
  /** Change of the score from the unsteered model. */
  readonly change: Estimate;
  /** KL(unsteered ‖ steered) on neutral text, nats a position. */
  readonly damage: number | null;
}

/** The effects of all vectors of a concept where they do equal damage. */
export interface FeatureLevel {
  /** KL, nats a position. */
  readonly damage: number;
  readonly effects: readonly { readonly arm: string; readonly kind: ArmKind; readonly effect: Estimate }[];
  /** Mean over the random directions that reach it. */
  readonly random: number | null;
  /** Mean over the wrong features that reach it. */
  readonly wrong: number | null;
}

/** A concept, steered by one feature of the small model in two ways. */
export interface FeatureConcept {
  readonly name: string;
  /** Why nothing was measured; `null` otherwise. */
  readonly problem: string | null;
  /** The feature that tells the concept's pairs apart, with how well it does on pairs that it was not chosen on. */
  readonly feature: ContrastFeature | null;
  /** AUROC of the best of so many features where sides are shuffled, 95 % quantile. */
  readonly chanceAuroc: number | null;
  /** Cosines in the target: of s2l with l2l, and of each with the target's own contrast vector. */
  readonly cosines: { readonly s2lL2l: number; readonly s2lNative: number; readonly l2lNative: number } | null;
  readonly scorer: string;
  readonly points: readonly FeaturePoint[];
  readonly levels: readonly FeatureLevel[];
  /** s2l less l2l at the largest common damage; its interval treats the two as independent. */
  readonly gain: Estimate | null;
  readonly texts: TextResult | null;
}

/** Steering by feature index: from features straight to hidden states (s2l), or by the decoder through a map of hidden states (l2l). */
export interface FeatureStudy {
  readonly source: string;
  readonly target: string;
  readonly sites: { readonly source: string; readonly target: string };
  readonly sae: { readonly name: string; readonly features: number };
  readonly s2l: { readonly fit: FeatureFit; readonly scores: FeatureMapScores };
  readonly l2l: { readonly fit: FitRecord; readonly scores: Omit<MapScores, "r2ByDimension"> };
  readonly concepts: readonly FeatureConcept[];
  readonly strengths: readonly number[];
  readonly prompts: number;
  readonly samples: number;
  readonly random: number;
  readonly wrong: number;
  readonly seed: number;
}
