import type { AdamMoments } from "./adam.ts";
import type { Parameters } from "./parameters.ts";
import type { TrainSettings } from "./settings.ts";

/** One line of a training's history: means over the steps since the line before. */
export interface TrainPoint {
  readonly step: number;
  readonly rows: number;
  readonly loss: number;
  /** 1 less the fraction of variance unexplained, on the rows that are trained on. */
  readonly explained: number;
  readonly l0: number;
  /** Share of the features that count as dead. */
  readonly dead: number;
}

/** Where training stands, between two steps: with settings and source all that is needed to go on to the same result. */
export interface TrainingState {
  /** Settings with `steps` known. */
  readonly settings: TrainSettings & { readonly steps: number };
  /** By what rows are multiplied, so that their mean length is the root of their width. */
  readonly inputScale: number;
  /** Variance of a row so scaled, summed over dimensions. */
  readonly variance: number;
  /** Rows of the source, estimated where it is read in blocks. */
  readonly totalRows: number;
  readonly parameters: Parameters;
  readonly moments: AdamMoments;
  /** Steps done. */
  step: number;
  /** `[features]`: rows seen since the feature was last active. */
  readonly idle: Float64Array;
  /** Where the block begins that the next step takes from, and rows of its order already used. */
  epoch: number;
  block: number;
  firstChunk: number;
  used: number;
  /** Sums over the steps since the last line of the history. */
  sums: { readonly loss: number; readonly explained: number; readonly l0: number; readonly steps: number };
  readonly history: TrainPoint[];
}

/** Sums of no steps. */
export const noSums: TrainingState["sums"] = { loss: 0, explained: 0, l0: 0, steps: 0 };
