import type { DecoderRelation } from "../../features/decoder-relation.ts";
import type { CorpusRecord } from "../../maps/affine-map.ts";

/** One autoencoder of a comparison. */
export interface DecoderSide {
  readonly model: string;
  /** Such as `resid_post.1`. */
  readonly site: string;
  readonly sae: string;
  readonly features: number;
  readonly width: number;
}

/** Mean cosine of decoder directions carried by a map, `A w`, with their matches, and what chance gives. */
export interface CarriedDirections {
  readonly mean: number;
  /** The same with the matches permuted, mean over the draws. */
  readonly shuffled: number;
  /** By correlation of the activations: how well features that are more surely the same are carried. */
  readonly byCorrelation: readonly {
    readonly from: number;
    readonly to: number;
    readonly features: number;
    readonly cosine: number | null;
  }[];
}

/** Whether the decoders of two autoencoders are linear images of one another, feature by feature. */
export interface DecoderStudy {
  readonly source: DecoderSide;
  readonly target: DecoderSide;
  readonly corpus: CorpusRecord;
  readonly rows: number;
  /** Least correlation of activations at which two features count as one. */
  readonly least: number;
  /** Features matched one to one by when they are active. */
  readonly matched: number;
  /** The same between codes of different documents: what chance matches. `null` where there was one document only. */
  readonly matchedByChance: number | null;
  readonly medianCorrelation: number;
  /** The paper's fit on the matched features, beside its nulls; `null` with too few of them. */
  readonly relation: DecoderRelation | null;
  /** Why there is none. */
  readonly problem: string | null;
  /** The same fit taking feature i of the one for feature i of the other, where both have equally many; `null` otherwise. */
  readonly byIndex: DecoderRelation | null;
  readonly carried: CarriedDirections | null;
  readonly seed: number;
}
