/** Positions of tokens that one row of a model is made of: row i from `first[i]` to `last[i]`, ascending, never position 0. */
export interface PositionRuns {
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** A window's text as the second model reads it, and the rows that both give. */
export interface AlignedText {
  /** Token ids of the target, after its BOS where it adds one. */
  readonly tokens: Int32Array;
  /** Row i of each side; as many on both. */
  readonly source: PositionRuns;
  readonly target: PositionRuns;
  /** Tokens of text before this window, since the one before it, that stand in no window: what could not be aligned at all. */
  readonly lost: { readonly source: number; readonly target: number };
}

/** How much of what one model read could be paired. */
export interface SideCounts {
  /** Tokens of text in windows: all but the first position of each. */
  readonly tokens: number;
  /** Those of them that stand in a row, before any is left out for another reason. */
  readonly used: number;
  /** Tokens of text that stand in no window. */
  readonly lost: number;
}

/** How much of the text could be paired, by model. */
export interface AlignmentCounts {
  readonly source: SideCounts;
  readonly target: SideCounts;
}

/** Runs of one position each. */
export function singleRuns(positions: Int32Array): PositionRuns {
  return { first: positions, last: positions };
}

/** Counts what of a window was paired; `length` is the number of the source's tokens, the first among them. */
export function countAligned(length: number, { tokens, source, target, lost }: AlignedText): AlignmentCounts {
  const used = ({ first, last }: PositionRuns): number =>
    last.reduce((sum, end, row) => sum + end - (first[row] as number) + 1, 0);
  return {
    source: { tokens: length - 1, used: used(source), lost: lost.source },
    target: { tokens: tokens.length - 1, used: used(target), lost: lost.target },
  };
}

/** Nothing read yet. */
export const noCounts: AlignmentCounts = {
  source: { tokens: 0, used: 0, lost: 0 },
  target: { tokens: 0, used: 0, lost: 0 },
};

/** The counts of two parts of a text together. */
export function addCounts(a: AlignmentCounts, b: AlignmentCounts): AlignmentCounts {
  const add = (x: SideCounts, y: SideCounts): SideCounts => ({
    tokens: x.tokens + y.tokens,
    used: x.used + y.used,
    lost: x.lost + y.lost,
  });
  return { source: add(a.source, b.source), target: add(a.target, b.target) };
}

/** Share of a model's tokens that stand in rows, 0 to 1; of no tokens 0. */
export function usableShare({ tokens, used, lost }: SideCounts): number {
  return tokens + lost === 0 ? 0 : used / (tokens + lost);
}
