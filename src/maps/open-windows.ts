import type { ContrastPair } from "../activations/contrast-set.ts";
import type { Corpus } from "../activations/corpus.ts";
import { joinWindows, pairWindows } from "../activations/pair-windows.ts";
import { isReadFrom, type RowSelection } from "../activations/row-selection.ts";
import { type TokenWindow, toWindows } from "../activations/windows.ts";
import type { OpenModel } from "../engine/open-model.ts";

/** A contrast set whose read positions give rows. */
export interface PairSource {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  /** Reads `<|…|>` in the texts as special tokens. Default false. */
  readonly parseSpecial?: boolean | undefined;
}

/** The windows that a selection of rows takes from: those of the corpus, then those of the contrast set, whichever it names. */
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
  if (corpus && isReadFrom(rows, "corpus")) streams.push(toWindows(source, corpus.documents({ signal }), { context }));
  const rule = rows.find(({ kind }) => kind === "pairs");
  if (pairs && rule?.kind === "pairs") {
    const { parseSpecial = false } = pairs;
    streams.push(pairWindows(source, pairs.pairs, rule.readAt, { parseSpecial, signal }));
  }
  return joinWindows(...streams);
}
