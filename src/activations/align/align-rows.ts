import type { DecodedWindow, PairedRows, SiteOf } from "../read-rows.ts";
import type { SinkLimits } from "../sink-limits.ts";
import { type AlignedText, countAligned, type PositionRuns } from "./aligned-text.ts";

export interface AlignRowsOptions {
  readonly limits: SinkLimits;
  readonly of: readonly SiteOf[];
  /** Special tokens of the target. */
  readonly special: ReadonlySet<number>;
}

/**
 * Takes the rows of a window that two models read in their own tokens.
 *
 * A row is the mean of its positions on each side, of one position its state as it is. Sinks stand in no mean; a row of which a side has
 * nothing else is one. A row weighs what the source's last token in it weighs.
 */
export function alignRows(decoded: DecodedWindow, { limits, of, special }: AlignRowsOptions): PairedRows {
  const { window, weights, isText, sites } = decoded;
  const { index, unit, group, document, tokens } = window;
  const aligned = window.aligned as AlignedText;
  const isSink = (side: SiteOf["side"], position: number): boolean =>
    sites?.some(({ norms }, at) => of[at]?.side === side && (norms[position] as number) > (limits[at] as number)) ??
    false;
  const runs = (side: SiteOf["side"]): PositionRuns => aligned[side];
  const positionsOf = (side: SiteOf["side"], row: number): number[] => {
    const { first, last } = runs(side);
    const positions: number[] = [];
    for (let at = first[row] as number; at <= (last[row] as number); at++) if (!isSink(side, at)) positions.push(at);
    return positions;
  };
  const isOtherSpecial = (row: number): boolean =>
    !window.readPositions && special.has(aligned.tokens[aligned.target.last[row] as number] as number);

  const kept: { readonly row: number; readonly source: number[]; readonly target: number[] }[] = [];
  const left = { special: 0, sink: 0, unselected: 0 };
  aligned.source.last.forEach((position, row) => {
    if (weights[position] === 0) left[isText[position] ? "unselected" : "special"]++;
    else if (isOtherSpecial(row)) left.special++;
    else {
      const [a, b] = [positionsOf("source", row), positionsOf("target", row)];
      if (a.length === 0 || b.length === 0) left.sink++;
      else kept.push({ row, source: a, target: b });
    }
  });
  const ends = new Set(aligned.source.last);
  let unaligned = 0;
  for (let position = 1; position < tokens.length; position++)
    if (!ends.has(position)) {
      if (isText[position]) unaligned++;
      else left.special++;
    }

  const keptWeights = Float64Array.from(kept, ({ row }) => weights[aligned.source.last[row] as number] as number);
  const isPooled = kept.some(({ source, target }) => source.length > 1 || target.length > 1);
  return {
    unit,
    window: index,
    group,
    document,
    read: tokens.length,
    tokens: Int32Array.from(kept, ({ row }) => aligned.tokens[aligned.target.last[row] as number] as number),
    states: of.map(({ model, side }, at) =>
      meansOf(
        sites?.[at]?.rows,
        model.description.width,
        kept.map((row) => row[side]),
      ),
    ),
    weights: keptWeights.every((weight) => weight === 1) ? undefined : keptWeights,
    leftOut: { first: 1, ...left, unaligned },
    alignment: countAligned(tokens.length, aligned),
    ...(isPooled && {
      norms: of.map(({ side }, at) =>
        Float64Array.from(kept.flatMap((row) => row[side].map((position) => sites?.[at]?.norms[position] as number))),
      ),
    }),
  };
}

/** Row by row the mean of the states at its positions, summed in float64; a single one is copied, to the bit. */
function meansOf(rows: Float32Array | undefined, width: number, kept: readonly (readonly number[])[]): Float32Array {
  const result = new Float32Array(kept.length * width);
  if (!rows) return result;
  kept.forEach((positions, to) => {
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (const position of positions) sum += rows[position * width + i] as number;
      result[to * width + i] = sum / positions.length;
    }
  });
  return result;
}
