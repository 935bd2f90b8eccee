import type { RunModel } from "../../evaluate/run-record.ts";
import type { ProbeKind } from "../../features/probes/probe.ts";
import type { MeasuredScores } from "./measure-arms.ts";

/** Where a probe was trained and where it is carried to. */
export type ProbeWay = "source-to-target" | "target-to-source";

/** Draws of a null. */
export interface NullDraws {
  readonly auroc: readonly number[];
  readonly accuracy: readonly number[];
}

/** One concept, one way, one kind of probe: everything on the same texts, which none of the probes has seen. */
export interface ProbeCell {
  readonly concept: string;
  readonly way: ProbeWay;
  readonly kind: ProbeKind;
  /** Texts; two of each pair. */
  readonly texts: { readonly trained: number; readonly heldOut: number };
  readonly arms: {
    /** Trained on the model that it reads here. */
    readonly native: MeasuredScores;
    /** Trained on the other model, on its own states: what there is to carry. */
    readonly origin: MeasuredScores;
    /** Carried backward, Bᵀ w: no label and no text of the new model was used but the map's. */
    readonly backward: MeasuredScores;
    /** The direction carried forward, A w; of a difference of means. */
    readonly forward: MeasuredScores | null;
    /** `backward` with its threshold moved by a few labelled pairs of the training texts. */
    readonly recalibrated: MeasuredScores;
    /** Which tokens occur, without a model. */
    readonly tokens: MeasuredScores;
    /** Carried backward through a map fitted on wrongly paired rows. */
    readonly shuffledMap: MeasuredScores;
  };
  /** Correlation with the native probe's scores over the texts held out. */
  readonly correlation: { readonly backward: number; readonly forward: number | null; readonly shuffledMap: number };
  readonly nulls: {
    /** Directions drawn at random, threshold at the mean of the training texts. */
    readonly random: NullDraws;
    /** Trained on shuffled labels, then carried. */
    readonly shuffledLabels: NullDraws;
  };
}

/** A map as the study used it. */
export interface ProbeStudyMap {
  readonly from: string;
  readonly to: string;
  readonly layers: string;
  readonly r2: number;
  readonly r2Shuffled: number;
  readonly rows: number;
}

export interface ProbeStudyResult {
  readonly format: "trimtab-probe-study";
  readonly version: 1;
  readonly source: RunModel;
  readonly target: RunModel;
  readonly sites: { readonly source: string; readonly target: string };
  readonly readAt: string;
  readonly seed: number;
  readonly draws: number;
  readonly recalibrationPairs: number;
  readonly maps: readonly [ProbeStudyMap, ProbeStudyMap];
  readonly cells: readonly ProbeCell[];
  readonly warnings: readonly string[];
}
