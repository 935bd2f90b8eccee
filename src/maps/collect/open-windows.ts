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
  {
    corpus,
    pairs,
    rows,
    context,
    signal,
  }: {
    corpus: Corpus | undefined;
    pairs: PairSource | undefined;
    rows: RowSelection;
    context: number;
    signal: AbortSignal | undefined;
  },
): AsyncIterable<TokenWindow> {
  const streams: AsyncIterable<TokenWindow>[] = [];
  const rule = rows.find(({ kind }) => kind === "pairs");
  if (pairs && rule?.kind === "pairs") {
    const { parseSpecial = false } = pairs;
    streams.push(pairWindows(source, pairs.pairs, rule.readAt, { parseSpecial, signal }));
  }
  if (corpus && isReadFrom(rows, "corpus")) streams.push(toWindows(source, corpus.documents({ signal }), { context }));
  return joinWindows(...streams);
}
