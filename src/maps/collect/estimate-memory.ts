import { calibrationRows } from "../../activations/sink-limits.ts";
import { unitTokens } from "../../activations/windows.ts";
import type { ModelDescription } from "../../engine/description.ts";
import type { BlockName } from "../joint-moments.ts";
import { defaultHeldBytes } from "./collection.ts";
import { heldRowLimit } from "./held-out-set.ts";
import { normBins } from "./norm-histogram.ts";
import { type CollectedLayers, planLayers } from "./plan-layers.ts";
import { partCount } from "./split-groups.ts";

/** What decides how much a collection holds. */
export interface MemoryOptions {
  readonly layers: CollectedLayers;
  readonly folds?: number | undefined;
  readonly hasCurve?: boolean | undefined;
  readonly maxHeldBytes?: number | undefined;
}

/** Bytes by what they are for. They are bounds: reached by enough text, and never passed, however much more there is. */
export interface MemoryEstimate {
  /** Means and products of all parts, and those of shuffled pairs. */
  readonly moments: number;
  readonly heldOut: number;
  /** Sums by token id, of the rows that fit and those that validate. */
  readonly tokens: number;
  /** Rows on their way: read ahead, waiting for the sink bounds, packed for products. */
  readonly reading: number;
  /** Copies of held-out rows and token sums while a checkpoint or the result is written. */
  readonly writing: number;
  readonly total: number;
}

/** What `readRows` lets wait decoded on either side. */
const bytesAhead = 2 ** 27;
/** Rows packed at a time, in float64, both factors of a product at once. */
const packedRows = 2 * 513;

/**
 * The most bytes that `collectMoments` holds for these models and options, whatever the text, besides the models themselves and the
 * engine. Fitting from what was collected takes about as much as `moments` again.
 *
 * @throws bad-input for layers that the models have not
 */
export function estimateMemory(
  source: Pick<ModelDescription, "blocks" | "width" | "vocabulary">,
  target: Pick<ModelDescription, "blocks" | "width" | "vocabulary">,
  { layers, folds = 1, hasCurve = true, maxHeldBytes = defaultHeldBytes }: MemoryOptions,
): MemoryEstimate {
  const { sources, targets, blocks } = planLayers(layers, source.blocks, target.blocks);
  const widths = [...sources.map(() => source.width), ...targets.map(() => target.width)];
  const rowWidth = widths.reduce((sum, width) => sum + width, 0);
  const products = (of: readonly BlockName[]): number =>
    of.reduce((sum, { row, col }) => sum + 8 * (widths[row] as number) * (widths[col] as number), 8 * rowWidth);
  const crossing = blocks.filter(({ row, col }) => col < sources.length && row >= sources.length);
  const parts = partCount({ folds, hasCurve: hasCurve && folds === 1 });
  const histograms = 8 * normBins * widths.length;
  const moments = parts * products(blocks) + products(crossing) + histograms;
  const heldOut = heldRowLimit(widths, maxHeldBytes) * 4 * rowWidth;
  const tokens = 2 * Math.min(maxHeldBytes, Math.max(source.vocabulary, target.vocabulary) * 8 * rowWidth);
  const unit = unitTokens * 4 * rowWidth;
  // One unit is being summed, kept whole for the shuffled pairs and copied by them; the first ones wait for the sink bounds.
  const reading =
    2 * Math.min(bytesAhead, unit) + 2 * unit + calibrationRows(widths) * 4 * rowWidth + packedRows * 8 * rowWidth;
  const writing = heldOut + tokens;
  return { moments, heldOut, tokens, reading, writing, total: moments + heldOut + tokens + reading + writing };
}
