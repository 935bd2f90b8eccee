import type { Estimate } from "../../evaluate/comparison.ts";
import type { RunRecord } from "../../evaluate/run-record.ts";

/** How a predicted change of each item agrees with the true one. Intervals: 95 % bootstrap over items, all predictions on the same draws. */
export interface PredictionAgreement {
  readonly pearson: Estimate;
  readonly spearman: Estimate;
  /** Share of the items that truly change whose sign was predicted. */
  readonly sign: Estimate;
  /** Least-squares slope of the true changes on the predicted ones: 1 if the size is right, above 1 if it is predicted too small. */
  readonly slope: Estimate;
  /** Mean of (predicted − true)², nats². */
  readonly mse: Estimate;
  /** 1 − mse / mean of true²: 1 perfect, 0 no better than predicting no change at all, below 0 worse. */
  readonly skill: Estimate;
  /** Mse of the small model's own change less this one's, nats²: above 0, the map adds to what the small model shows by itself. */
  readonly gainOverSmall: Estimate;
}

/** One way to predict the items' changes. */
export interface Prediction {
  readonly name: string;
  /** What the map predicts; what needs no map; what should predict nothing. */
  readonly kind: "prediction" | "baseline" | "null";
  /** Predicted change of each item, nats. */
  readonly changes: readonly number[];
  readonly agreement: PredictionAgreement | null;
  /** Mean over items of KL(truly changed ‖ predicted) of the next token's distribution, nats; `null` without truth, or where no distribution is predicted. */
  readonly divergence: number | null;
}

/** Many draws of one null. */
export interface PredictionNull {
  readonly name: string;
  readonly draws: number;
  /** Mean change over the items, one for each draw. */
  readonly meanChanges: readonly number[];
  /** One for each draw; `null` without truth. */
  readonly pearson: readonly (number | null)[] | null;
  readonly skill: readonly (number | null)[] | null;
}

/** The change of the small model. */
export interface SmallChange {
  /** In words, such as `adapter s-happy.gguf`. */
  readonly description: string;
  /** Of the small model's propensities, mean and standard deviation over items, nats. */
  readonly mean: number;
  readonly sd: number | null;
  /** Mean length of the items' changes at the map's source, and that in median row norms of the site. */
  readonly length: number;
  readonly relativeLength: number | null;
  /** See `ItemChanges`. */
  readonly coherence: number;
  readonly alignedShare: number;
  /** Length of the carried mean change, and that in median row norms of the target's site. */
  readonly carriedLength: number;
  readonly carriedRelative: number | null;
}

/** What truly happened to the large model. */
export interface TrueChange {
  readonly description: string;
  readonly changes: readonly number[];
  readonly mean: Estimate;
  readonly sd: number | null;
  /** Mean of true², nats²: what predicting no change costs. */
  readonly zeroMse: number;
  /** Variance over items, nats²: what the best constant costs, which nobody knows beforehand. */
  readonly constantMse: number;
  /** Mean over items of KL(changed ‖ unchanged) of the next token's distribution, nats. */
  readonly divergence: number | null;
}

/** `trimtab predict`: what a change of the small model says of the same change of the large one. Plain data. */
export interface PredictResult {
  readonly format: "trimtab-predict";
  readonly version: 1;
  readonly run: RunRecord;
  readonly settings: {
    readonly sources: readonly string[];
    readonly target: string;
    /** Held-out R² of the map. */
    readonly r2: number;
    /** Rows that the mean change is of. */
    readonly rows: "last" | "all" | "corpus";
    readonly items: string;
    readonly draws: number;
    readonly seed: number;
    readonly resamples: number;
    /** Items whose next-token distribution was compared. */
    readonly divergenceItems: number;
  };
  readonly small: SmallChange;
  readonly predictions: readonly Prediction[];
  readonly nulls: readonly PredictionNull[];
  readonly truth: TrueChange | null;
}
