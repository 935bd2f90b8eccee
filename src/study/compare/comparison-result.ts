import type { Measure } from "../../compare/measure.ts";
import type { RunRecord } from "../../evaluate/run-record.ts";
import type { ConfidenceInterval } from "../../evaluate/statistics.ts";

/** What a measure was given: the states as they are, or less the mean state of their token. */
export type ComparedPart = "states" | "beyond";

/** One measure of one pair of layers. */
export interface LikenessCell {
  readonly source: number;
  readonly target: number;
  /** {@link Measure.name} */
  readonly measure: string;
  readonly of: ComparedPart;
  /** `null` where the measure is not defined. */
  readonly value: number | null;
  /**
   * The same rows paired at random: of the states documents kept together, of what is beyond the token among rows of the same token, since taking
   * off a mean makes those alike in both models by itself. `z` and `p` as {@link nullScores} gives them.
   */
  readonly shuffled: {
    readonly mean: number | null;
    readonly sd: number | null;
    readonly z: number | null;
    readonly p: number | null;
  };
  /** An untrained copy of the source in the source's place; `null` where there was none. */
  readonly untrained: number | null;
  /** 95 %, from leaving out a tenth of the documents at a time; `null` where it was not asked for. */
  readonly interval: ConfidenceInterval | null;
}

/** How alike two models' states are, by many measures. Plain data. */
export interface ModelsLikeness {
  readonly format: "trimtab-likeness";
  readonly version: 1;
  readonly corpus: string;
  readonly layers: { readonly source: readonly number[]; readonly target: readonly number[] };
  readonly rows: {
    /** Rows that were compared, of how many documents and different tokens, and how many were read. */
    readonly drawn: number;
    readonly documents: number;
    readonly tokens: number;
    readonly read: number;
    /** `ids`, `spans` or a piece of text: how they were paired. */
    readonly alignment: string;
    /** Rows left where the token's mean is taken off: those of tokens with at least three rows. */
    readonly beyond: number;
  };
  readonly settings: {
    readonly shuffles: number;
    readonly neighbours: number;
    readonly anchors: number;
    readonly seed: number;
  };
  readonly measures: readonly Pick<Measure, "name" | "label" | "source" | "says" | "unchangedBy">[];
  readonly cells: readonly LikenessCell[];
  readonly warnings: readonly string[];
}

/** The same with the record of its run. */
export interface LikenessStudy extends ModelsLikeness {
  readonly run: RunRecord;
}
