import type { RunModel } from "../../evaluate/run-record.ts";
import type { Explained } from "./held-rows.ts";
import type { CurvePoint } from "./training-cost.ts";

/** Where a training on the target starts. */
export type SaeStart = "carried" | "scratch" | "shuffled map";

/** One seed: an autoencoder of the source, carried, and trained further beside one trained from scratch. */
export interface SaeStudySeed {
  readonly seed: number;
  /** On the source's own held-out rows. */
  readonly source: Explained;
  readonly sourceL0: number;
  /** Without any training on the target. */
  readonly zeroShot: {
    readonly carried: Explained;
    readonly carriedL0: number;
    /** With decoder rows of length 1: of topk other features may be chosen. */
    readonly carriedUnit: Explained;
    readonly shuffledMap: Explained;
    /** As many random directions, read and written alike: where training from scratch begins. */
    readonly untrained: Explained;
    /** The autoencoder trained from scratch, each feature writing another one's direction. */
    readonly permuted: Explained;
  };
  /** What the trainings reach at the end, at equal steps on the same rows in the same order. */
  readonly trained: Readonly<Record<SaeStart, Explained>>;
  readonly curves: Readonly<Record<SaeStart, readonly CurvePoint[]>>;
  readonly survival: {
    readonly judged: number;
    readonly silent: number;
    readonly survives: number;
    readonly median: number;
    readonly lower: number;
    readonly upper: number;
    /** The same carried through the map of wrongly paired rows. */
    readonly nullSurvives: number;
    readonly nullMedian: number;
    /** The same after training further from the carried autoencoder. */
    readonly trainedSurvives: number;
    readonly trainedMedian: number;
  };
}

/** What it takes to explain a share of what training from scratch explains in the end. */
export interface SaeLevel {
  /** Share of the variance that training from scratch explains at its end. */
  readonly share: number;
  /** By seed. */
  readonly level: readonly number[];
  /** Steps by seed; null where it was never reached. */
  readonly steps: Readonly<Record<SaeStart, readonly (number | null)[]>>;
  /** 1 − steps from the carried autoencoder / steps from scratch, by seed. */
  readonly saved: readonly (number | null)[];
}

/** Loss of the target with an autoencoder's reconstructions in place of its states. */
export interface SaeLoss {
  readonly name: string;
  readonly explained: number;
  readonly l0: number | null;
  readonly loss: number;
  readonly recovered: { readonly value: number; readonly low: number | null; readonly high: number | null };
}

export interface SaeStudyResult {
  readonly format: "trimtab-sae-study";
  readonly version: 1;
  readonly source: RunModel;
  readonly target: RunModel;
  readonly sites: { readonly source: string; readonly target: string };
  readonly settings: {
    readonly kind: string;
    readonly features: number;
    readonly k: number;
    readonly batch: number;
    readonly steps: number;
  };
  readonly rows: { readonly trained: number; readonly heldOut: number; readonly groups: number };
  readonly maps: {
    readonly forward: { readonly r2: number; readonly r2Shuffled: number };
    readonly backward: { readonly r2: number; readonly r2Shuffled: number };
    readonly rows: number;
  };
  /** Held-out target rows mapped to the source and back: what maps alone keep; no carried autoencoder can explain much more. */
  readonly ceiling: Explained;
  readonly seeds: readonly SaeStudySeed[];
  readonly levels: readonly SaeLevel[];
  readonly flops: {
    /** A step of training on the target. */
    readonly step: number;
    /** Training on the target, all steps. */
    readonly training: number;
    readonly maps: number;
    /** Training the autoencoder of the source. */
    readonly sourceTraining: number;
    /** Reading the maps' rows with both models. */
    readonly reading: number;
  };
  /** Clean loss of the target, nats a token, and that under autoencoders of the first seed; null where it was not measured. */
  readonly losses: { readonly clean: number; readonly arms: readonly SaeLoss[] } | null;
  readonly seed: number;
  readonly warnings: readonly string[];
}
