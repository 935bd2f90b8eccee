import type { TailWay } from "../../engine/tail/tail-model.ts";
import type { StitchCost } from "../../stitch/weights.ts";

/** A loss with the middle 95 % of what other held-out documents would give. */
export interface StitchLoss {
  /** Cross-entropy, nats per token, over all held-out tokens but the first of each window. */
  readonly nats: number;
  readonly low: number;
  readonly high: number;
}

/** A model alone. */
export interface AloneModel {
  readonly name: string;
  readonly blocks: number;
  readonly width: number;
  readonly loss: StitchLoss;
  readonly cost: StitchCost;
  /** Measured while writing token by token; null if nothing was written. */
  readonly msPerToken: number | null;
}

/** One pair of cut points. */
export interface StitchPair {
  readonly source: number;
  readonly target: number;
  readonly way: TailWay;
  readonly loss: StitchLoss;
  /** Loss less that of the source alone, of the same documents: below 0 the stitched model is better than the small one by itself. */
  readonly againstSource: StitchLoss;
  /** On the validation documents, which choose what is tuned. */
  readonly validationNats: number;
  /** R² of the map on rows that did not fit it. */
  readonly r2: number;
  readonly lambda: number;
  readonly nulls: {
    /** A map fitted on source rows beside target rows of other texts. */
    readonly shuffledNats: number;
    /** The same from a source that was never trained. */
    readonly untrainedNats: number | null;
  };
  readonly cost: StitchCost;
  readonly msPerToken: number | null;
  readonly tuned: TunedPair | null;
}

/** The same pair with its map tuned on the stitched loss. */
export interface TunedPair {
  readonly loss: StitchLoss;
  readonly againstSource: StitchLoss;
  /** Loss less that of the plain map: below 0 tuning helped. */
  readonly againstPlain: StitchLoss;
  readonly validationNats: number;
  /** Share of each round's step that was kept. */
  readonly kept: readonly number[];
}

/** What the late blocks make of rows that no source model had a part in. */
export interface StitchTarget {
  readonly target: number;
  /** The mean state everywhere. */
  readonly constantNats: number;
  /** Each token's mean state: what is just the current token. */
  readonly table: StitchLoss;
  /** Held-out tokens that the table has never seen; they get the mean. */
  readonly unseenShare: number;
}

export interface StitchResult {
  readonly kind: "stitch";
  readonly version: 1;
  readonly corpus: { readonly name: string; readonly sha256: string };
  readonly documents: { readonly fit: number; readonly validation: number; readonly heldOut: number };
  readonly rows: { readonly fit: number; readonly tuning: number; readonly heldOutTokens: number };
  readonly context: number;
  readonly seed: number;
  readonly source: AloneModel;
  readonly target: AloneModel;
  readonly pairs: readonly StitchPair[];
  readonly targets: readonly StitchTarget[];
  readonly warnings: readonly string[];
}
