import type { ModelIdentity } from "../../engine/description.ts";
import type { AlignmentRecord, CorpusRecord } from "../affine-map.ts";
import type { LayerPair } from "../layer-pairs.ts";
import type { Interval } from "./map-scores.ts";

/** What a pair of layers can be judged by; of each, more is better and 0 means nothing found. */
export const sweepCriteria = ["r2", "beyond", "cka", "svcca"] as const;
export type SweepCriterion = (typeof sweepCriteria)[number];

/** One source layer with one target layer. */
export interface SweepCell extends LayerPair {
  /** R² of the ridge regression on held-out rows; its penalty was chosen on other ones. */
  readonly r2: number;
  /**
   * Share of what a table by token id leaves unexplained that a map of the rest explains, on held-out rows; see `TokenIdentityScore`.
   */
  readonly beyond: number;
  /** Linear CKA and SVCCA of the rows that fit; null where a side does not vary. */
  readonly cka: number | null;
  readonly svcca: number | null;
  /** Ridge penalty of `r2`. */
  readonly lambda: number;
  /** The same scores on the rows that chose their penalties; `r2` is null where the penalty was given. */
  readonly validation: { readonly r2: number | null; readonly beyond: number };
  /** The same of source rows beside target rows of other windows: what a criterion finds where there is nothing. Null where none were shuffled. */
  readonly shuffled: { readonly r2: number; readonly cka: number | null; readonly svcca: number | null };
  /** Interval of `r2` over groups of held-out windows, for the pairs that a summary names. */
  readonly r2Interval?: Interval;
}

/** A pair for each criterion; null where no pair has a score. */
export type BestPairs = Readonly<Record<SweepCriterion, LayerPair | null>>;

/** How every source layer does with every target layer. Plain values: it can be written as JSON as it is. */
export interface SweepResult {
  readonly kind: "sweep";
  readonly version: string;
  readonly source: ModelIdentity;
  readonly target: ModelIdentity;
  /** Layers compared, ascending. */
  readonly layers: { readonly source: readonly number[]; readonly target: readonly number[] };
  readonly corpus: CorpusRecord;
  readonly context: number;
  readonly seed: number;
  readonly rowSelection: string;
  /** How rows were paired, where it was not by token id. */
  readonly alignment?: AlignmentRecord;
  readonly rows: { readonly training: number; readonly validation: number; readonly heldOut: number };
  /** Groups of held-out windows: what intervals draw from. */
  readonly heldOutGroups: number;
  /** Source by source, targets ascending. */
  readonly cells: readonly SweepCell[];
  /**
   * The best of all cells by each criterion. They were picked by the very numbers that they show, so these are optimistic, the more so the
   * more cells and the fewer rows.
   */
  readonly best: BestPairs;
  /** The pairs at equal relative depth, see `equalRelativeDepth`, and the best among them. */
  readonly equalDepth: { readonly pairs: readonly LayerPair[]; readonly best: BestPairs };
  /**
   * The pair to fit where nothing else decides: the best by R² beyond token identity on the validation rows, so that its held-out scores
   * are not those it was picked by. Neither model's last layer if there is another pair: its states are read by the unembedding alone, and
   * no block is left for a vector to act through.
   */
  readonly picked: LayerPair | null;
  /** R² of the best pair less that of the best at equal depth, drawn together; null where they are one or there is none. */
  readonly gain: { readonly r2: number; readonly interval: Interval } | null;
}
