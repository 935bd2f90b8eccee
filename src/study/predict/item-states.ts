import type { LayerAddition, OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import type { TokenizedItem } from "../../evaluate/items.ts";
import { measurePropensity } from "../../evaluate/propensity.ts";

/** The tokens of an item that are decoded with one of its answers: the prompt and all of the answer but its last token. */
export interface ItemWindow {
  readonly item: number;
  /** 0 the positive answer, 1 the negative; of items whose answers are one token each there is only 0, which stands for both. */
  readonly side: 0 | 1;
  readonly tokens: Int32Array;
  readonly promptLength: number;
}

/** What a model does with items, before or after a change. */
export interface ItemStates {
  readonly windows: readonly ItemWindow[];
  /** For each window rows `[tokens, Σ widths of the sites]`, the sites side by side; only the prompt's last row where `lastOnly`. */
  readonly rows: readonly Float32Array[];
  readonly width: number;
  readonly lastOnly: boolean;
  /** Log-probability of the positive answer less that of the negative, nats, for each item. */
  readonly propensities: readonly number[];
}

export interface ReadItemStatesOptions {
  readonly sites: readonly Site[];
  readonly steering?: readonly LayerAddition[] | undefined;
  /** Keep only the row of the prompt's last token, where the answer is decided. Default false. */
  readonly lastOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Windows of items, two an item unless both answers are one token. */
export function toItemWindows(items: readonly TokenizedItem[]): ItemWindow[] {
  return items.flatMap(({ prompt, continuations }, item) => {
    const sides = continuations.every(({ length }) => length === 1) ? ([0] as const) : ([0, 1] as const);
    return sides.map((side): ItemWindow => {
      const answer = continuations[side].subarray(0, -1);
      const tokens = new Int32Array(prompt.length + answer.length);
      tokens.set(prompt);
      tokens.set(answer, prompt.length);
      return { item, side, tokens, promptLength: prompt.length };
    });
  });
}

/**
 * Reads the hidden states of items at sites, with their answers, and measures the propensities.
 *
 * Memory: with all rows, 4 bytes for each token and dimension.
 *
 * @throws what the engine throws; bad-input for an answer that the model forbids
 */
export async function readItemStates(
  model: OpenModel,
  items: readonly TokenizedItem[],
  { sites, steering = [], lastOnly = false, signal }: ReadItemStatesOptions,
): Promise<ItemStates> {
  const run = { steering, ...(signal && { signal }) };
  const windows = toItemWindows(items);
  const { width } = model.description;
  const full = width * sites.length;
  const rows: Float32Array[] = [];
  for await (const { index, states } of model.readStates([windows.map(({ tokens }) => tokens)], { sites, ...run })) {
    const { tokens, promptLength } = windows[index]!;
    const [first, end] = lastOnly ? [promptLength - 1, promptLength] : [0, tokens.length];
    const own = new Float32Array((end - first) * full);
    for (let position = first; position < end; position++)
      for (const [site, values] of states.entries())
        own.set(values.subarray(position * width, (position + 1) * width), (position - first) * full + site * width);
    rows.push(own);
  }
  const measured = await measurePropensity(model, items, run);
  return { windows, rows, width: full, lastOnly, propensities: measured.map(({ propensity }) => propensity) };
}
