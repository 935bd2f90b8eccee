import { type AlignedText, singleRuns } from "./aligned-text.ts";
import type { SpanPairs } from "./span-pairs.ts";

/** A number of tokens, by model. */
export interface BySide {
  readonly source: number;
  readonly target: number;
}

/** A document in the tokens of two models. */
export interface TwiceTokenised {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly pairs: SpanPairs;
  /** Whether both spell the text to its end. */
  readonly isWhole: boolean;
}

/** A piece of a document as both models read it. */
export interface CutWindow {
  /** Ids of the source, after its BOS where it adds one. */
  readonly tokens: Int32Array;
  readonly aligned: AlignedText;
}

/**
 * Cuts a document at boundaries that both tokenizations share, so that each window holds the same text for both: from where the last one
 * ended to the last shared boundary within `context` tokens of either side.
 *
 * `left` counts the tokens behind the last window.
 *
 * @param heads - what a window of each model starts with
 */
export function cutTogether(
  { source, target, pairs }: TwiceTokenised,
  heads: { readonly source: readonly number[]; readonly target: readonly number[] },
  context: number,
): { readonly windows: readonly CutWindow[]; readonly left: BySide } {
  const windows: CutWindow[] = [];
  const [stepS, stepT] = [context - heads.source.length, context - heads.target.length];
  let [s, t] = [0, 0];
  let lost: BySide = { source: 0, target: 0 };
  const lengthTo = (pair: number): BySide => ({
    source: (pairs.source[pair] as number) + 1 - s,
    target: (pairs.target[pair] as number) + 1 - t,
  });
  const fits = (pair: number): boolean => {
    const length = lengthTo(pair);
    return length.source <= stepS && length.target <= stepT;
  };
  for (let first = 0; first < pairs.source.length; ) {
    let last = first;
    while (last + 1 < pairs.source.length && fits(last + 1)) last++;
    const length = lengthTo(last);
    const tokens = Int32Array.of(...heads.source, ...source.subarray(s, s + length.source));
    const others = Int32Array.of(...heads.target, ...target.subarray(t, t + length.target));
    // The first position gives no row: a window needs two tokens. One that fits no window is left out whole.
    if (fits(last) && tokens.length >= 2 && others.length >= 2) {
      const places = (of: Int32Array, head: number, start: number): Int32Array =>
        of.subarray(first, last + 1).map((token) => token - start + head);
      const [from, to] = [places(pairs.source, heads.source.length, s), places(pairs.target, heads.target.length, t)];
      const isRow = (_: number, row: number): boolean => (from[row] as number) > 0 && (to[row] as number) > 0;
      const rows = { source: singleRuns(from.filter(isRow)), target: singleRuns(to.filter(isRow)) };
      windows.push({ tokens, aligned: { tokens: others, ...rows, lost } });
      lost = { source: 0, target: 0 };
    } else lost = { source: lost.source + length.source, target: lost.target + length.target };
    s += length.source;
    t += length.target;
    first = last + 1;
  }
  return {
    windows,
    left: { source: lost.source + source.length - s, target: lost.target + target.length - t },
  };
}
