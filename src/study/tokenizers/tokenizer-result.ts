import type { RunModel, RunRecord } from "../../evaluate/run-record.ts";
import type { AlignmentRecord } from "../../maps/affine-map.ts";
import type { LayerPair } from "../../maps/layer-pairs.ts";
import type { ConceptCell } from "../scale/measure-concept.ts";

/** What a concept's vector does in the target, carried by one way of pairing rows. */
export interface TokenizerConceptResult extends ConceptCell {
  readonly name: string;
  readonly items: number;
  /** Mean cosine, without its sign, of the carried vector with the native vectors of the other concepts: what any vector reaches. */
  readonly otherCosine: number | null;
}

/** One way of pairing rows: a source model, and what makes a row of it and the target. */
export interface TokenizerArmResult {
  /** Such as `demo:xs by ids`. */
  readonly name: string;
  readonly source: string;
  /** As `formatAlignment` writes it. */
  readonly align: string;
  readonly layers: LayerPair;
  /** How much of the text was usable; `null` where rows were paired by token id. */
  readonly alignment: AlignmentRecord | null;
  readonly rows: { readonly fitted: number; readonly heldOut: number };
  readonly r2: number;
  readonly interval: { readonly low: number; readonly high: number };
  readonly beyond: number;
  readonly tokenTable: number;
  readonly nulls: {
    readonly mean: number;
    readonly shuffled: number;
    readonly rotation: number;
    readonly untrained: number | null;
  };
  readonly concepts: readonly TokenizerConceptResult[];
}

/** `trimtab study tokenizers`: what another tokenizer costs. Plain data. */
export interface TokenizerResult {
  readonly format: "trimtab-tokenizers";
  readonly version: 1;
  readonly run: RunRecord;
  readonly settings: {
    readonly corpus: string;
    readonly maxRows: number;
    readonly seed: number;
    readonly concepts: readonly string[];
    /** Median row norms. */
    readonly strengths: readonly number[];
    readonly reference: number;
    readonly random: number;
    readonly resamples: number;
  };
  readonly models: readonly { readonly name: string; readonly model: RunModel }[];
  readonly arms: readonly TokenizerArmResult[];
}
