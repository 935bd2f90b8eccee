import { type AlignmentCounts, noCounts } from "../../activations/align/aligned-text.ts";
import type { ModelIdentity } from "../../engine/description.ts";
import type { Site } from "../../engine/site.ts";
import type { AlignmentRecord, CorpusRecord, RowCounts } from "../affine-map.ts";
import type { BlockName, JointMoments } from "../joint-moments.ts";
import type { DocumentSketch } from "./document-sketch.ts";
import type { NormHistogram } from "./norm-histogram.ts";
import type { Shard } from "./shard.ts";
import type { TokenSums } from "./token-sums.ts";

/** What is collected: everything that must be equal for two collections to be parts of one. */
export interface CollectionPlan {
  readonly source: ModelIdentity;
  readonly target: ModelIdentity;
  readonly sourceSites: readonly Site[];
  readonly targetSites: readonly Site[];
  /** Products of two sites that are kept; sites are numbered sources first, then targets. */
  readonly blocks: readonly BlockName[];
  /** Tokens per window. */
  readonly context: number;
  readonly seed: number;
  /** 1: one part of the windows chooses the penalty. K ≥ 2: K parts for cross-validation. */
  readonly folds: number;
  /** Whether the fitting part is kept in pieces that give a learning curve. */
  readonly hasCurve: boolean;
  /** Which rows, as `formatRowSelection` writes it, and of which contrast set. */
  readonly rowSelection: string;
  readonly pairs?: { readonly name: string; readonly sha256: string } | undefined;
  /** How rows are paired, as `formatAlignment` writes it, where it is not by token id. */
  readonly alignment?: string | undefined;
  /** Of aligned rows: whose token ids the token table goes by. That of the model which was the target when they were read. */
  readonly tokensOf?: "source" | "target" | undefined;
  /** Most bytes of held-out rows and of each token table. */
  readonly maxHeldBytes: number;
}

/** A window that neither fits nor validates, kept whole: cosines, intervals and the token table need its rows. */
export interface HeldWindow {
  /** Number of the window in its corpus. */
  readonly window: number;
  /** Group it was split by. */
  readonly group: number;
  /** Token id of each row, `[n]`; of aligned rows that of the model which `tokensOf` names. */
  readonly tokens: Int32Array;
  /** By site, `[n, width]`. */
  readonly states: readonly Float32Array[];
  readonly weights: Float64Array | undefined;
}

/** Bytes of held-out rows, and of each token table, unless said otherwise: little beside two models, and enough for fine scores. */
export const defaultHeldBytes: number = 2 ** 28;

/** A text whose collection was merged into another. */
export interface JoinedText {
  readonly corpus: CorpusRecord;
  /** Parts of it that were read; empty for the whole of it. */
  readonly shards: readonly Shard[];
  /** A sample of its documents, by which a merge knows text that was read before; absent in older files. */
  readonly sketch?: DocumentSketch | undefined;
}

/** What was read to make a collection. */
export interface Ledger {
  readonly corpus: CorpusRecord;
  /** Parts of the corpus that were read; empty for the whole of it. */
  readonly shards: readonly Shard[];
  /** A sample of the documents; of several texts each has its own. */
  readonly sketch?: DocumentSketch | undefined;
  /** The texts that were merged, where they are several; `corpus` is then their sum. */
  readonly joined?: readonly JoinedText[] | undefined;
  /** Positions read and left out. */
  readonly rows: Pick<RowCounts, "total" | "leftOut">;
  /** Of aligned rows: how much of the text could be paired. */
  readonly alignment?: AlignmentCounts | undefined;
  /** Windows that gave at least one row. */
  readonly windows: number;
  /** Last unit that is summed, −1 for none: where a collection that was broken off goes on. */
  readonly lastUnit: number;
  /** Bounds above which a row is a sink, by site. */
  readonly limits: readonly number[] | undefined;
  /** False for a collection that was broken off. */
  readonly isComplete: boolean;
  /** Whether text was left unread because there were enough rows. */
  readonly stoppedEarly: boolean;
}

/**
 * Everything that fits, scores and similarities need of the rows that were read, whatever their number: moments by part, the bounded
 * sample that is held out, sums by token id, norms. It saves, resumes and merges.
 */
export interface Collection {
  readonly plan: CollectionPlan;
  readonly ledger: Ledger;
  /** Moments by part; see `splitGroups`. */
  readonly parts: readonly JointMoments[];
  /** Rows by part. */
  readonly rowCounts: readonly number[];
  /** Source rows beside target rows of other windows; only products of a source and a target site. */
  readonly shuffled: JointMoments;
  /** In the order of the corpus. */
  readonly heldOut: readonly HeldWindow[];
  /** Priority from which on windows had no room among those held out; 1 while there is room. See `createHeldOutSet`. */
  readonly heldLimit: number;
  /** Sums of states by token id over the rows that fit, and over those of part 0, which validate. */
  readonly tokens: { readonly fitted: TokenSums; readonly validation: TokenSums };
  /** Row norms by site. */
  readonly norms: readonly NormHistogram[];
}

/** Widths of all sites, sources first. */
export function planWidths({ source, target, sourceSites, targetSites }: CollectionPlan): readonly number[] {
  return [...sourceSites.map(() => source.width), ...targetSites.map(() => target.width)];
}

/** The products that pair up rows shuffled between windows: those of a source and a target site. */
export function shuffledBlocks({ blocks, sourceSites }: CollectionPlan): readonly BlockName[] {
  return blocks.filter(({ row, col }) => col < sourceSites.length && row >= sourceSites.length);
}

/** How the rows of a collection were paired, for the record of what is made of it; nothing where it was by token id. */
export function alignmentOf({ plan, ledger }: Pick<Collection, "plan" | "ledger">): {
  readonly alignment?: AlignmentRecord;
} {
  if (plan.alignment === undefined) return {};
  const { alignment = noCounts } = ledger;
  return { alignment: { by: plan.alignment, tokensOf: plan.tokensOf ?? "target", ...alignment } };
}
