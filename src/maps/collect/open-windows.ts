import { alignedPairWindows } from "../../activations/align/aligned-pair-windows.ts";
import { idAlignment, parseAlignment } from "../../activations/align/alignment.ts";
import { toSegmentWindows } from "../../activations/align/segment-windows.ts";
import { toSpanWindows } from "../../activations/align/span-windows.ts";
import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { Corpus } from "../../activations/corpus.ts";
import { joinWindows, pairWindows } from "../../activations/pair-windows.ts";
import { isReadFrom, type RowSelection } from "../../activations/row-selection.ts";
import { type TokenWindow, toWindows } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";

/** A contrast set whose read positions give rows. */
export interface PairSource {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  /** Reads `<|…|>` in the texts as special tokens. Default false. */
  readonly parseSpecial?: boolean | undefined;
}

/**
 * The windows that a selection of rows takes from: those of the contrast set, then those of the corpus, whichever it names. Contrast sets
 * are short: a limit of rows or tokens cuts the corpus, and the rows that were asked for beside it are always there.
 */
export function openWindows(
  source: OpenModel,
  target: OpenModel,
  { corpus, pairs, rows, context, alignment: asked, signal }: OpenWindowsOptions,
): AsyncIterable<TokenWindow> {
  const alignment = asked === undefined ? idAlignment : parseAlignment(asked);
  const streams: AsyncIterable<TokenWindow>[] = [];
  const rule = rows.find(({ kind }) => kind === "pairs");
  if (pairs && rule?.kind === "pairs") {
    const options = { parseSpecial: pairs.parseSpecial ?? false, signal };
    streams.push(
      alignment.kind === "ids"
        ? pairWindows(source, pairs.pairs, rule.readAt, options)
        : alignedPairWindows(source, target, pairs.pairs, rule.readAt, options),
    );
  }
  if (corpus && isReadFrom(rows, "corpus")) {
    const documents = corpus.documents({ signal });
    streams.push(
      "pool" in alignment
        ? toSegmentWindows(source, target, documents, alignment, { context })
        : alignment.kind === "spans"
          ? toSpanWindows(source, target, documents, { context })
          : toWindows(source, documents, { context }),
    );
  }
  return joinWindows(...streams);
}

interface OpenWindowsOptions {
  readonly corpus: Corpus | undefined;
  readonly pairs: PairSource | undefined;
  readonly rows: RowSelection;
  readonly context: number;
  /** As a plan of a collection has it: nothing of rows paired by token id. */
  readonly alignment: string | undefined;
  readonly signal: AbortSignal | undefined;
}
