import { mismatch } from "../../errors.ts";
import { mean } from "../../evaluate/statistics.ts";
import { vectorNorm } from "../../vectors/steering-vector.ts";
import type { ItemStates } from "./item-states.ts";

/** Which rows the mean change is taken over: the prompts' last positions, or every position of the prompts but the first. */
export type ChangeRows = "last" | "all";

/** How a change moves a model's states on items. */
export interface ItemChanges {
  readonly width: number;
  /** Mean change over the rows, `[width]`. */
  readonly mean: Float64Array;
  /** Of each item, at the last position of its prompt, `[width]`. */
  readonly last: readonly Float32Array[];
  /** At every position of the windows before the change, `[tokens, width]`, 0 where the text after it is another; `undefined` if only last rows were read. */
  readonly positions: readonly Float32Array[] | undefined;
  /** Share of the positions, first ones left out, whose token stands in the changed text too. */
  readonly alignedShare: number;
  /** Mean length of the items' own changes. */
  readonly length: number;
  /** Length of the mean of the items' last-position changes over that: 1 if all items change alike, about 1/√n if they have nothing in common. */
  readonly coherence: number;
  /** What the propensities change by, nats. */
  readonly propensities: readonly number[];
}

/**
 * Subtracts states before a change from those after it, position by position.
 *
 * Where the changed items have more text before them (a prefix, a system prompt), windows are laid side by side from their ends, as far as
 * their tokens are the same.
 *
 * @throws internal if the two are not of the same items; bad-input if nothing changes at all
 */
export function toItemChanges(
  before: ItemStates,
  after: ItemStates,
  { rows = "last" }: { readonly rows?: ChangeRows } = {},
): ItemChanges {
  const { width } = before;
  if (after.windows.length !== before.windows.length || after.width !== width || after.lastOnly !== before.lastOnly)
    throw mismatch("internal", "internal: item states", "states of the same items", "others");
  if (before.lastOnly && rows === "all")
    throw mismatch("internal", "internal: item states", "all rows for a mean over them", "last rows");
  const positions: Float32Array[] = [];
  const last: Float32Array[] = [];
  let [aligned, counted] = [0, 0];
  for (const [w, window] of before.windows.entries()) {
    const [own, changed] = [before.rows[w]!, after.rows[w]!];
    const { tokens, promptLength } = window;
    if (before.lastOnly) {
      if (window.side === 0) last.push(subtract(own, changed));
      continue;
    }
    const other = after.windows[w]!.tokens;
    const shift = other.length - tokens.length;
    const change = new Float32Array(own.length);
    for (let position = tokens.length - 1; position >= 0; position--) {
      if (tokens[position] !== other[position + shift]) break;
      const [at, from] = [position * width, (position + shift) * width];
      for (let i = 0; i < width; i++) change[at + i] = changed[from + i]! - own[at + i]!;
      if (position > 0) aligned++;
    }
    counted += tokens.length - 1;
    positions.push(change);
    if (window.side === 0) last.push(change.slice((promptLength - 1) * width, promptLength * width));
  }
  const meanChange = rows === "all" ? meanOverPrompts(before, positions) : meanOf(last, width);
  if (positions.every(isZero) && last.every(isZero))
    throw mismatch("bad-input", "change", "one that moves the small model's states at the map's source", "no change", {
      hint: "it acts after the map's source layer: use a map from a later one",
    });
  const length = mean(last.map(vectorNorm));
  return {
    width,
    mean: meanChange,
    last,
    positions: before.lastOnly ? undefined : positions,
    alignedShare: counted === 0 ? 1 : aligned / counted,
    length,
    coherence: vectorNorm(meanOf(last, width)) / length,
    propensities: after.propensities.map((value, i) => value - before.propensities[i]!),
  };
}

/** Mean over every position of the prompts but the first; an item whose two windows share a prompt counts once. */
function meanOverPrompts({ windows, width }: ItemStates, positions: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(width);
  let rows = 0;
  for (const [w, { promptLength, side }] of windows.entries()) {
    if (side !== 0) continue;
    for (let position = 1; position < promptLength; position++, rows++)
      for (let i = 0; i < width; i++) sum[i]! += positions[w]![position * width + i]!;
  }
  return sum.map((value) => value / Math.max(1, rows));
}

function meanOf(rows: readonly Float32Array[], width: number): Float64Array {
  const sum = new Float64Array(width);
  for (const row of rows) for (let i = 0; i < width; i++) sum[i]! += row[i]!;
  return sum.map((value) => value / rows.length);
}

function subtract(before: Float32Array, after: Float32Array): Float32Array {
  return after.map((value, i) => value - before[i]!);
}

function isZero(values: Float32Array): boolean {
  return values.every((value) => value === 0);
}
