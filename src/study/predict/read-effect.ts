import type { Edit, LayerAddition, OpenModel, ScoredItem } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { TokenizedItem } from "../../evaluate/items.ts";
import { toPropensity } from "../../evaluate/propensity.ts";
import { toItemWindows } from "./item-states.ts";

/** What a model answers to items under one change. */
export interface EffectReading {
  /** Log-probability of the positive answer less that of the negative, nats, for each item. */
  readonly propensities: readonly number[];
  /** Logits of the token after the prompt, `[vocabulary]`, for the first items. */
  readonly next: readonly Float32Array[];
}

/** What is added to the hidden states at one site: one row everywhere, one for each item, or one for each position. */
export type AddedRows =
  | { readonly kind: "everywhere"; readonly row: Float32Array }
  | { readonly kind: "items"; readonly rows: readonly Float32Array[] }
  /** For each window of `toItemWindows`, `[tokens, width]`. */
  | { readonly kind: "positions"; readonly rows: readonly Float32Array[] };

export interface ReadEffectOptions {
  readonly steering?: readonly LayerAddition[] | undefined;
  readonly added?: { readonly site: Site; readonly rows: AddedRows } | undefined;
  /** Of how many items the next-token distribution is kept. */
  readonly next: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures the propensities of items and the next-token logits of the first of them, with rows added at a site.
 *
 * An item whose answers have more than one token is run once for each: the rows of their positions differ.
 *
 * @throws what the engine throws; bad-input for an answer that the model forbids
 */
export async function readEffect(
  model: OpenModel,
  items: readonly TokenizedItem[],
  { steering = [], added, next, signal }: ReadEffectOptions,
): Promise<EffectReading> {
  const windows = toItemWindows(items);
  const apart = new Set(windows.flatMap(({ item, side }) => (side === 1 ? [item] : [])));
  const scored = windows.map(({ item, side }): ScoredItem => {
    const { prompt, continuations } = items[item]!;
    return { prompt, continuations: apart.has(item) ? [continuations[side]] : continuations };
  });
  const everywhere: LayerAddition[] =
    added?.rows.kind === "everywhere" ? [{ layer: added.site.layer, vector: added.rows.row }] : [];
  const run = { steering: [...steering, ...everywhere], ...(signal && { signal }) };
  const editOf = (window: number, sequence: number, length: number): Edit[] => {
    if (!added || added.rows.kind === "everywhere") return [];
    const { site, rows } = added;
    if (rows.kind === "items") return [{ kind: "add", site, vector: rows.rows[windows[window]!.item]!, sequence }];
    const width = model.description.width;
    const vector = rows.rows[window]!.subarray(0, length * width);
    return [{ kind: "add-rows", site, vector, range: { start: 0, end: length }, sequence }];
  };
  const edits = windows.flatMap(({ tokens }, w) => editOf(w, w, tokens.length));
  const found = await model.logProbabilities(scored, { ...run, edits });
  const answers = items.map((): Float64Array[] => []);
  for (const [w, { item }] of windows.entries()) answers[item]!.push(...found[w]!);
  const propensities = answers.map(([positive, negative], i) => {
    const { propensity } = toPropensity(positive!, negative!);
    if (Number.isFinite(propensity)) return propensity;
    throw mismatch("bad-input", `item ${i + 1}`, "answers that the model can give", "a token that it forbids");
  });
  const kept = items.slice(0, next).map(({ prompt }) => prompt);
  const first = kept.map((_, item) => windows.findIndex((window) => window.item === item));
  const nextEdits = first.flatMap((w, sequence) => editOf(w, sequence, kept[sequence]!.length));
  return { propensities, next: kept.length === 0 ? [] : await model.logits(kept, { ...run, edits: nextEdits }) };
}
