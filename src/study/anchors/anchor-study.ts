import type { AnchorWay } from "../../compare/fit-from-anchors.ts";
import type { RunRecord } from "../../evaluate/run-record.ts";
import type { ConfidenceInterval } from "../../evaluate/statistics.ts";

/** What a map scored. */
export interface AnchorScore {
  /** On rows of documents that gave no anchor and no unpaired row. */
  readonly r2: number;
  /** Mean over concepts of the cosine of the carried direction with the native one; `null` without concepts. */
  readonly cosine: number | null;
  /** By concept, in the order of {@link AnchorStudyResult.concepts}; `null` where nothing was carried. */
  readonly cosines: readonly (number | null)[];
}

/** One way to a map from so many anchors, over draws of the anchors. */
export interface AnchorPoint {
  readonly anchors: number;
  readonly way: AnchorWay;
  readonly draws: readonly AnchorScore[];
  /** The same draws with the anchors' counterparts shuffled. */
  readonly shuffled: readonly AnchorScore[];
  /** R² less that of `affine`, first draw: 95 % bootstrap interval over held-out documents. `null` for affine itself. */
  readonly gain: { readonly r2: number; readonly interval: ConfidenceInterval } | null;
}

/** What a carried direction does to a task's items. */
export interface AnchorEffect {
  readonly concept: string;
  /** `null`: all rows. */
  readonly anchors: number | null;
  readonly way: AnchorWay | "shuffled";
  readonly cosine: number | null;
  /** Nats; that of the native direction beside it. */
  readonly effect: number | null;
  readonly native: number | null;
  readonly deltaR: number | null;
  /** `null` where the native direction itself does not stand out among random ones. */
  readonly slopeRatio: number | null;
  /** Among random directions of the same length. */
  readonly z: number | null;
  readonly nativeZ: number | null;
}

/** Maps from few anchors, by functional maps and by ridge. Plain data. */
export interface AnchorStudyResult {
  readonly format: "trimtab-anchors";
  readonly version: 1;
  readonly corpus: string;
  readonly layers: { readonly source: number; readonly target: number };
  readonly rows: {
    readonly fit: number;
    readonly heldOut: number;
    readonly heldOutDocuments: number;
    readonly alignment: string;
  };
  readonly concepts: readonly string[];
  readonly draws: number;
  readonly seed: number;
  readonly randomDirections: number;
  readonly points: readonly AnchorPoint[];
  /** A ridge on all rows, paired: what is to be reached. */
  readonly all: AnchorScore;
  readonly effects: readonly AnchorEffect[];
  readonly warnings: readonly string[];
}

/** The same with the record of its run. */
export interface AnchorStudy extends AnchorStudyResult {
  readonly run: RunRecord;
}
