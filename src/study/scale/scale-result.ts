import type { Estimate } from "../../evaluate/comparison.ts";
import type { RunModel, RunRecord } from "../../evaluate/run-record.ts";
import type { VerdictCode } from "../../evaluate/verdict.ts";
import type { LayerPair } from "../../maps/layer-pairs.ts";

/** A number that was measured once for each seed of the map. */
export interface SeededValue {
  /** Mean over the seeds at which it is defined. */
  readonly value: number | null;
  /** Standard deviation over the seeds, divisor n − 1; `null` below two. */
  readonly sd: number | null;
  /** One for each seed. */
  readonly values: readonly (number | null)[];
}

/** The same with the 95 % interval of the first seed, over held-out windows or items. */
export interface SeededEstimate extends SeededValue {
  readonly interval: Estimate["interval"];
}

/** How the map of a pair scores on text held out, beside its nulls; means over the seeds. */
export interface ScaleMap {
  readonly layers: LayerPair;
  /** `ids`: by token; `spans` and others: see `Alignment`. */
  readonly alignment: string;
  readonly r2: SeededEstimate;
  /** Share of what a table by token id leaves unexplained that the map explains. */
  readonly beyond: SeededValue;
  /** R² of that table alone. */
  readonly tokenTable: SeededValue;
  readonly nulls: {
    readonly mean: SeededValue;
    readonly shuffled: SeededValue;
    readonly rotation: SeededValue;
    /** From a source that was never trained; all `null` where that was not asked for. */
    readonly untrained: SeededValue;
  };
  /** Rows of the first seed. */
  readonly rows: { readonly fitted: number; readonly heldOut: number };
}

/** What a concept's carried vector does in the target, beside the target's own. */
export interface ScaleConcept {
  readonly name: string;
  /** Why nothing could be measured; `null` otherwise. */
  readonly problem: string | null;
  readonly items: number;
  /** Between the native and the carried vector. */
  readonly cosine: SeededValue;
  /** Mean cosine of the carried vector with the native vectors of the *other* concepts, without its sign: what any vector reaches. */
  readonly otherCosine: SeededValue;
  /** The paper's r: Pearson over items of the logit differences under the two vectors, mean over the strengths. */
  readonly r: SeededEstimate;
  /** Δr: Pearson over items of the changes of the log-probability difference, at α*. */
  readonly deltaR: SeededEstimate;
  /** The same of random directions with the native vector, mean over them. */
  readonly randomDeltaR: number | null;
  readonly slopeRatio: SeededEstimate;
  /** z of the effect at ±α* among the random directions' effects. */
  readonly zNative: number | null;
  readonly z: SeededValue;
  /** By the first seed. */
  readonly verdict: VerdictCode | null;
}

/** What scores are set against sizes. */
export const scaleMeasures = ["r2", "beyond", "cosine", "r", "deltaR", "slopeRatio", "z"] as const;
export type ScaleMeasure = (typeof scaleMeasures)[number];

/** One ordered pair of models. */
export interface ScalePair {
  readonly source: string;
  readonly target: string;
  /** Parameters of the target over those of the source; `null` if one could not be opened. */
  readonly ratio: number | null;
  /** Why the pair was not measured; `null` otherwise. */
  readonly problem: string | null;
  readonly map: ScaleMap | null;
  readonly concepts: readonly ScaleConcept[];
  /** Concepts whose native vector stands out among random directions (z of at least 2): the only ones that can judge a transfer. */
  readonly judged: number;
  /** Of the map; of vectors the mean over the judged concepts. */
  readonly summary: Readonly<Record<ScaleMeasure, number | null>>;
}

/** How a measure goes with size, over the pairs of two different models. */
export interface ScaleTrend {
  readonly measure: ScaleMeasure;
  /** Pairs with a value. */
  readonly pairs: number;
  /** Models in them: pairs share models, so this is nearer to the number of independent observations. */
  readonly models: number;
  /** Pearson with log₂ of target's over source's parameters. */
  readonly ratio: number | null;
  /** Spearman with the same. */
  readonly ratioRank: number | null;
  /** Pearson with log₂ of the source's parameters, and of the target's. */
  readonly source: number | null;
  readonly target: number | null;
  /** Share of the ways to deal the sizes out among the models that give a correlation with the ratio at least as far from 0. */
  readonly p: number | null;
  /** How many ways were looked at; 1 over it is the smallest p there can be. */
  readonly permutations: number;
}

/** A model of the study. */
export interface ScaleModelRecord {
  readonly name: string;
  readonly model: RunModel | null;
  readonly problem: string | null;
}

/** What was asked. */
export interface ScaleSettings {
  /** `equal`: every model at one relative depth; `best`: for each pair the layers picked by R² beyond token identity on rows that are not scored. */
  readonly layers: "equal" | "best";
  /** Of `equal`: share of the blocks passed. */
  readonly depth: number;
  readonly corpus: string;
  readonly maxRows: number | null;
  readonly seeds: readonly number[];
  readonly concepts: readonly string[];
  /** Median row norms. */
  readonly strengths: readonly number[];
  readonly reference: number;
  readonly random: number;
  readonly resamples: number;
  readonly self: boolean;
}

/** `trimtab study scale`: how carrying vectors goes with the sizes of the two models. Plain data. */
export interface ScaleResult {
  readonly format: "trimtab-scale";
  readonly version: 1;
  readonly run: RunRecord;
  readonly settings: ScaleSettings;
  readonly models: readonly ScaleModelRecord[];
  readonly pairs: readonly ScalePair[];
  readonly trends: readonly ScaleTrend[];
}
