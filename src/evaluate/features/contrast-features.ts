import { mismatch, TrimtabError } from "../../errors.ts";
import type { SparseRows } from "../../features/sparse-rows.ts";
import { seededRandom } from "../../linalg/random.ts";
import { areaUnderCurve } from "../../vectors/area-under-curve.ts";
import { bootstrapIntervals } from "../bootstrap.ts";
import { type ConfidenceInterval, quantile } from "../statistics.ts";
import { type ColumnContrast, contrastColumn, type RankedColumns, rankColumns } from "./rank-columns.ts";

/** A feature that tells the two sides of a contrast set apart. */
export interface ContrastFeature {
  readonly feature: number;
  /** On which side it is the stronger, by the pairs that it was chosen on. */
  readonly side: "positive" | "negative";
  /** On the pairs that it was chosen on; AUROC towards its side, so at least 0.5. */
  readonly chosen: ColumnContrast;
  /** On the others, towards the same side: below 0.5 means that the choice was chance. */
  readonly heldOut: ColumnContrast & { readonly interval: ConfidenceInterval | null };
  /** Share of held-out texts of each side with the feature active at a position read. */
  readonly active: { readonly positive: number; readonly negative: number };
  /** How often a feature chosen on shuffled sides does as well on held-out pairs: (1 + count) / (1 + shuffles). */
  readonly p: number;
}

export interface FeatureContrast {
  readonly pairs: { readonly chosen: number; readonly heldOut: number };
  /** Features active in at least one text. */
  readonly activeFeatures: number;
  /** Best first, by the pairs that they were chosen on. */
  readonly features: readonly ContrastFeature[];
  /** Held-out AUROC of the best feature when the sides of each pair are shuffled: what choice among so many gives by chance. */
  readonly shuffled: {
    readonly draws: number;
    readonly median: number;
    readonly p95: number;
    readonly max: number;
    /** Of every draw, ascending. */
    readonly aurocs: readonly number[];
  };
}

export interface ContrastFeaturesOptions {
  /** Features to list. Default 10. */
  readonly top?: number | undefined;
  /** Share of the pairs that is held out. Default 0.5. */
  readonly heldOut?: number | undefined;
  /** Default 200. */
  readonly shuffles?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the features that tell the two sides of contrast pairs apart.
 *
 * Features are chosen on one part of the pairs, by the area under the curve (AUROC) and where that ties by the mean difference, and scored on
 * the other. Beside them stands what the same choice gives when the sides of each pair are exchanged at random: with thousands of features
 * and tens of pairs some always look good on the pairs they were chosen on.
 *
 * @param F - mean activations, rows p₀⁺ p₀⁻ p₁⁺ p₁⁻ … `[2 · pairs, features]`, as `readPairFeatures` gives them
 * @throws bad-input for fewer than four pairs, an odd number of rows, or options out of range; aborted
 */
export function contrastFeatures(
  F: SparseRows,
  { top = 10, heldOut = 0.5, shuffles = 200, seed = 0, signal }: ContrastFeaturesOptions = {},
): FeatureContrast {
  const pairs = F.rows / 2;
  if (!Number.isInteger(pairs) || pairs < 4)
    throw mismatch("bad-input", "contrast set", "at least 4 pairs, two rows each", `${F.rows} rows`);
  if (!(heldOut > 0 && heldOut < 1)) throw mismatch("bad-input", "share held out", "between 0 and 1", String(heldOut));
  const random = seededRandom(seed);
  const order = random.shuffle(Int32Array.from({ length: pairs }, (_, i) => i));
  const count = Math.min(pairs - 2, Math.max(2, Math.round(heldOut * pairs)));
  const parts = { heldOut: rankPairs(F, order.slice(0, count)), chosen: rankPairs(F, order.slice(count)) };
  const truth = { heldOut: sides(count), chosen: sides(pairs - count) };
  const best = choose(parts.chosen, truth.chosen, top);
  const nulls: number[] = [];
  for (let draw = 0; draw < shuffles; draw++) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const mixed = {
      chosen: sides(pairs - count, () => random.integer(2)),
      heldOut: sides(count, () => random.integer(2)),
    };
    const [winner] = choose(parts.chosen, mixed.chosen, 1);
    if (winner)
      nulls.push(towards(contrastColumn(parts.heldOut, winner.feature, mixed.heldOut, count), winner.side).auroc);
  }
  return {
    pairs: { chosen: pairs - count, heldOut: count },
    activeFeatures: countActive(F),
    features: best.map((one) => {
      const held = towards(contrastColumn(parts.heldOut, one.feature, truth.heldOut, count), one.side);
      const { interval, active } = describeHeldOut(parts.heldOut, one, seed);
      const asGood = nulls.filter((auroc) => auroc >= held.auroc).length;
      return { ...one, heldOut: { ...held, interval }, active, p: (1 + asGood) / (1 + nulls.length) };
    }),
    shuffled: {
      draws: nulls.length,
      median: quantile(nulls, 0.5),
      p95: quantile(nulls, 0.95),
      max: nulls.reduce((a, b) => Math.max(a, b), 0),
      aurocs: nulls.sort((a, b) => a - b),
    },
  };
}

interface Chosen {
  readonly feature: number;
  readonly side: "positive" | "negative";
  readonly chosen: ColumnContrast;
}

function rankPairs(F: SparseRows, numbers: readonly number[]): RankedColumns {
  return rankColumns(F, Int32Array.from(numbers.flatMap((pair) => [2 * pair, 2 * pair + 1])));
}

/** Labels of pairs of rows: 1 0 1 0 …, or each pair exchanged where `flip` gives 1. */
function sides(pairs: number, flip: () => number = () => 0): Uint8Array {
  const labels = new Uint8Array(2 * pairs);
  for (let pair = 0; pair < pairs; pair++) labels[2 * pair + flip()] = 1;
  return labels;
}

/** The best features for some labels: by AUROC away from one half, then by the mean difference. */
function choose(columns: RankedColumns, labels: Uint8Array, top: number): readonly Chosen[] {
  const kept: Chosen[] = [];
  for (let feature = 0; feature < columns.cols; feature++) {
    if (columns.offsets[feature] === columns.offsets[feature + 1]) continue;
    const found = contrastColumn(columns, feature, labels, columns.rows / 2);
    const isPositive = found.auroc > 0.5 || (found.auroc === 0.5 && found.difference > 0);
    const side = isPositive ? "positive" : "negative";
    const one: Chosen = { feature, side, chosen: towards(found, side) };
    const last = kept.at(-1);
    if (kept.length === top && last && !isBetter(one, last)) continue;
    let to = kept.length;
    while (to > 0 && isBetter(one, kept[to - 1] as Chosen)) to--;
    kept.splice(to, 0, one);
    if (kept.length > top) kept.pop();
  }
  return kept;
}

function isBetter(a: Chosen, b: Chosen): boolean {
  if (a.chosen.auroc !== b.chosen.auroc) return a.chosen.auroc > b.chosen.auroc;
  return a.chosen.difference > b.chosen.difference;
}

function towards({ auroc, difference }: ColumnContrast, side: "positive" | "negative"): ColumnContrast {
  return side === "positive" ? { auroc, difference } : { auroc: 1 - auroc, difference: -difference };
}

function describeHeldOut(
  { offsets, at, value, rows }: RankedColumns,
  { feature, side }: Chosen,
  seed: number,
): { readonly interval: ConfidenceInterval | null; readonly active: ContrastFeature["active"] } {
  const pairs = rows / 2;
  const dense = new Float64Array(rows);
  for (let k = offsets[feature] as number; k < (offsets[feature + 1] as number); k++)
    dense[at[k] as number] = value[k] as number;
  const take = (units: ArrayLike<number>, from: number): Float64Array =>
    Float64Array.from(units, (pair) => dense[2 * pair + from] as number);
  const all = Array.from({ length: pairs }, (_, pair) => pair);
  const [high, low] = side === "positive" ? [0, 1] : [1, 0];
  const share = (values: Float64Array): number => values.filter((one) => one > 0).length / pairs;
  const [interval] = bootstrapIntervals(pairs, (units) => [areaUnderCurve(take(units, high), take(units, low))], {
    seed,
  });
  return {
    interval: interval ?? null,
    active: { positive: share(take(all, 0)), negative: share(take(all, 1)) },
  };
}

function countActive({ indices }: SparseRows): number {
  return new Set(indices).size;
}
