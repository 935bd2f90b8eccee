import { resolveCorpus } from "../../activations/corpus.ts";
import { readRows } from "../../activations/read-rows.ts";
import { allRows, formatRowSelection, type RowSelection } from "../../activations/row-selection.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { CollectOptions } from "../collect/collect-moments.ts";
import type { Collection } from "../collect/collection.ts";
import { openWindows } from "../collect/open-windows.ts";
import { isInShard } from "../collect/shard.ts";
import { splitGroups } from "../collect/split-groups.ts";
import { formatLayers, type MapLayers } from "../layer-plan.ts";
import { type AdamWFit, fitAdamW, type RowWindow } from "./fit-adamw.ts";

/** What can be set of the paper's optimiser; the rest is the paper's. */
export interface AdamWChoice {
  /** Default 10⁻⁴, the paper's for base models; 10⁻³ for chat models. */
  readonly learningRate?: number | undefined;
  /** Default 4. */
  readonly epochs?: number | undefined;
  readonly onEpoch?: ((epoch: number, loss: number) => void) | undefined;
}

/**
 * Fits one map by AdamW on the rows that the exact fit of the same collection would use: both models read the text again in each epoch.
 *
 * @throws bad-input for several maps, several source layers or weighted rows; and as `collectMoments`
 * @see Bello et al., arXiv 2506.00653, section 2.3
 */
export async function fitAdamWFromText(
  source: OpenModel,
  target: OpenModel,
  {
    collection,
    layers,
    options,
    choice,
  }: {
    readonly collection: Collection;
    readonly layers: readonly MapLayers[];
    readonly options: Omit<CollectOptions, "layers">;
    readonly choice: AdamWChoice;
  },
): Promise<AdamWFit> {
  const { plan, ledger } = collection;
  const { rows = allRows, corpus, pairs, signal, shard } = options;
  const { source: layer, target: targetLayer } = checkDescent(layers, rows);
  const resolved = typeof corpus === "string" ? await resolveCorpus(corpus) : corpus;
  const isFitted = fittedWindows(collection);

  async function* rowsOf(): AsyncGenerator<RowWindow, void, void> {
    const { context, alignment } = plan;
    const windows = openWindows(source, target, { corpus: resolved, pairs, rows, context, alignment, signal });
    let read = 0;
    const reader = readRows(source, target, windows, {
      sourceSites: [residPost(layer)],
      targetSites: [residPost(targetLayer)],
      select: rows,
      units: (unit) => !shard || isInShard(unit, shard),
      aligned: alignment !== undefined,
      limits: limitsOf(collection, layer, targetLayer),
      threads: Math.max(source.threads, target.threads),
      signal,
    });
    for await (const { group, window, states, tokens } of reader) {
      if (isFitted(group, window) && tokens.length > 0)
        yield { X: states[0] as Float32Array, Y: states[1] as Float32Array };
      read++;
      if (read >= ledger.corpus.windows) return;
    }
  }

  return fitAdamW(rowsOf, {
    ...choice,
    dSource: source.description.width,
    dTarget: target.description.width,
    seed: plan.seed,
    signal,
  });
}

/**
 * Checks that descent can fit what is asked for, before anything is read, and returns the two layers.
 *
 * @throws bad-input for several maps, several source layers or weighted rows
 */
export function checkDescent(
  layers: readonly MapLayers[],
  rows: RowSelection,
): { readonly source: number; readonly target: number } {
  const [only, ...others] = layers;
  const [source, ...more] = only?.sources ?? [];
  if (!only || source === undefined || others.length > 0 || more.length > 0)
    throw mismatch(
      "bad-input",
      "AdamW",
      "one source and one target layer",
      layers.map(formatLayers).join(", ") || "layers still to be found",
    );
  // A position of the corpus that meets two rules weighs 2.
  const isOverlapping = rows.filter(({ kind }) => kind !== "pairs").length > 1;
  if (isOverlapping || rows.some(({ weight }) => weight !== 1))
    throw mismatch("bad-input", "AdamW", "rows that all weigh 1", formatRowSelection(rows));
  return { source, target: only.target };
}

/** Says which windows the exact fit of a collection learnt from: those of the fitting parts, and those released for want of room. */
function fittedWindows({ plan, heldOut }: Collection): (group: number, window: number) => boolean {
  const { partOf, releasedPart } = splitGroups(plan);
  const held = new Set(heldOut.map(({ window }) => window));
  return (group, window) => {
    const part = partOf(group);
    if (part === "heldOut") return !held.has(window) && (plan.folds > 1 || releasedPart(group) > 0);
    return plan.folds > 1 || part > 0;
  };
}

/** The bounds for sinks at the two sites alone. */
function limitsOf({ plan, ledger }: Collection, source: number, target: number): readonly number[] | undefined {
  const { sourceSites, targetSites } = plan;
  const limits = [
    ledger.limits?.[sourceSites.findIndex((site) => site.layer === source)],
    ledger.limits?.[sourceSites.length + targetSites.findIndex((site) => site.layer === target)],
  ];
  return limits.every((limit) => limit !== undefined) ? (limits as readonly number[]) : undefined;
}
