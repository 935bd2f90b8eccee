import { resolveCorpus } from "../activations/corpus.ts";
import { readRows } from "../activations/read-rows.ts";
import { allRows } from "../activations/row-selection.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { residPost } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { CollectOptions } from "./collect-moments.ts";
import type { Collection } from "./collection.ts";
import { type AdamWFit, fitAdamW, type RowWindow } from "./fit-adamw.ts";
import type { MapLayers } from "./layer-plan.ts";
import { openWindows } from "./open-windows.ts";
import { splitGroups } from "./split-groups.ts";

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
  const { rows = allRows, corpus, pairs, signal } = options;
  const [only, ...others] = layers;
  const [layer, ...more] = only?.sources ?? [];
  if (!only || layer === undefined || others.length > 0 || more.length > 0)
    throw mismatch("bad-input", "AdamW", "one source and one target layer", `${layers.length} maps`);
  if (rows.some(({ weight }) => weight !== 1))
    throw mismatch("bad-input", "AdamW", "rows that all weigh 1", plan.rowSelection);
  const resolved = typeof corpus === "string" ? await resolveCorpus(corpus) : corpus;
  const split = splitGroups(plan);

  async function* rowsOf(): AsyncGenerator<RowWindow, void, void> {
    const windows = openWindows(source, { corpus: resolved, pairs, rows, context: plan.context, signal });
    let read = 0;
    const reader = readRows(source, target, windows, {
      sourceSites: [residPost(layer as number)],
      targetSites: [residPost((only as MapLayers).target)],
      select: rows,
      limits: limitsOf(collection, layer as number, (only as MapLayers).target),
      threads: Math.max(source.threads, target.threads),
      signal,
    });
    for await (const { group, states, tokens } of reader) {
      const part = split.partOf(group);
      if (part !== "heldOut" && part > 0 && tokens.length > 0)
        yield { X: states[0] as Float32Array, Y: states[1] as Float32Array };
      read++;
      if (read >= ledger.corpus.windows) return;
    }
  }

  const { learningRate, epochs, onEpoch } = choice;
  return fitAdamW(rowsOf, {
    ...(learningRate !== undefined && { learningRate }),
    epochs,
    onEpoch,
    dSource: source.description.width,
    dTarget: target.description.width,
    seed: plan.seed,
    signal,
  });
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
