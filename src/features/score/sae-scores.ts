import type { Site } from "../../engine/site.ts";
import type { Interval } from "../../maps/score/map-scores.ts";
import type { CorpusPart } from "../train/model-rows.ts";

/** A value with its 95 % interval over documents drawn anew; without one where there was a single document. */
export interface ScoredValue {
  readonly value: number;
  readonly interval: Interval | undefined;
}

/** How many features were active, and which never or often. */
export interface FeatureUse {
  /** Mean number of active features of a row, and its quantiles at 5, 25, 50, 75 and 95 %. */
  readonly l0: number;
  readonly l0Quantiles: readonly number[];
  /** Share of the features that were active on none of the rows. */
  readonly dead: number;
  /** Share of the features that were active on more than a tenth of the rows. */
  readonly dense: number;
}

/** What stands in place of the hidden states, and what that keeps of them and of the model. */
export interface SaeArm {
  readonly name: "autoencoder" | "untrained" | "shuffled features" | "mean row" | "zero row";
  /** Explained variance, 1 − FVU: 1 less squared error over squared distance from the mean row. */
  readonly explained: ScoredValue;
  /** Mean cosine of a row with its reconstruction. */
  readonly cosine: number;
  readonly use: FeatureUse | undefined;
  /** Mean loss of the model with the reconstruction in place of the rows, nats per token; undefined where the loss was not measured. */
  readonly loss: ScoredValue | undefined;
  /** `1 − (loss − clean) / (ablated − clean)`, ablated by the mean row. */
  readonly recoveredFromMean: ScoredValue | undefined;
  /** The same, ablated by zeros. */
  readonly recoveredFromZero: ScoredValue | undefined;
}

/** How well an autoencoder codes the hidden states of a model, beside what knows nothing. */
export interface SaeScores {
  readonly model: string;
  readonly site: Site;
  readonly corpus: {
    readonly name: string;
    readonly part: CorpusPart;
    readonly documents: number;
    readonly windows: number;
    /** Rows scored: positions of text but the first, without sinks. */
    readonly rows: number;
    /** Tokens whose prediction was scored. */
    readonly tokens: number;
  };
  readonly seed: number;
  /** Loss of the model left alone, nats per token. */
  readonly clean: ScoredValue | undefined;
  /** The autoencoder first, then its nulls. */
  readonly arms: readonly SaeArm[];
  readonly warnings: readonly string[];
}
