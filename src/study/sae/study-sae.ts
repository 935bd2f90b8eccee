import type { Corpus } from "../../activations/corpus.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { toRunModel } from "../../evaluate/run-record.ts";
import type { Sae } from "../../features/sae.ts";
import { scoreSae } from "../../features/score/score-sae.ts";
import { openModelRows } from "../../features/train/model-rows.ts";
import { resolveTrainSettings, type TrainedKind } from "../../features/train/settings.ts";
import { applyMap } from "../../maps/affine-map.ts";
import { collectMoments } from "../../maps/collect/collect-moments.ts";
import { fitBothWays } from "../../maps/fit-both-ways.ts";
import { countRows, gatherRows } from "./gather-rows.ts";
import { type Explained, explainedWithInterval, heldRowsOf } from "./held-rows.ts";
import type { SaeLevel, SaeLoss, SaeStart, SaeStudyResult, SaeStudySeed } from "./sae-study-result.ts";
import { type StudiedSaes, studySeed } from "./study-seed.ts";
import { mapFlops, readFlops, stepFlops, stepsToReach } from "./training-cost.ts";

export interface StudySaeOptions {
  readonly corpus: Corpus;
  readonly sites: { readonly source: Site; readonly target: Site };
  /** An autoencoder of the source at its site; trained here, one a seed, where there is none. */
  readonly sae?: Sae | undefined;
  /** Default topk. */
  readonly kind?: TrainedKind;
  /** Default 512. */
  readonly features?: number;
  /** Default 16. */
  readonly k?: number;
  /** Rows of a step. Default 512. */
  readonly batch?: number;
  /** Steps of each training. Default 400. */
  readonly steps?: number;
  /** Trainings of each kind; their seeds follow `seed`. Default 2. */
  readonly seeds?: number;
  /** Tokens read of the corpus at most. Default 60 000. */
  readonly maxTokens?: number | undefined;
  /** Whether the target's loss is measured under the autoencoders of the first seed. Default true. */
  readonly hasLoss?: boolean;
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((progress: { readonly label: string; readonly done: number; readonly total: number }) => void)
    | undefined;
}

/** Shares of what training from scratch explains in the end, at which the costs are compared. */
const shares = [0.5, 0.75, 0.9, 0.95, 1];
const starts: readonly SaeStart[] = ["carried", "scratch", "shuffled map"];
/** Tokens that the losses are measured on at most; of less text about as many as are held out. */
const mostLossTokens = 8000;

/**
 * Carries an autoencoder of the source to the target and measures what it explains there without training, and what training further from
 * it saves over training from scratch: same rows, order, steps and settings.
 *
 * Scores are on documents that neither maps nor autoencoders have seen. Beside them stand the ceiling (held-out states mapped back and forth
 * without any autoencoder) and nulls: the same carried through maps of wrongly paired rows, random directions, permuted decoder rows.
 *
 * @throws incompatible for different tokenizers or an autoencoder of another width; bad-input for sites, settings or a corpus that do not do;
 * engine; aborted
 * @see Chen et al., arXiv 2506.06609
 */
export async function studySae(
  source: OpenModel,
  target: OpenModel,
  options: StudySaeOptions,
): Promise<SaeStudyResult> {
  const { corpus, sites, sae, maxTokens = 60_000, hasLoss = true, seed = 0, seeds = 2, signal, onProgress } = options;
  const training = checkTraining(options, target.description.width);
  const site = {
    source: checkSite(sites.source, source.description.blocks, "source layer"),
    target: checkSite(sites.target, target.description.blocks, "target layer"),
  };
  if (sae && sae.width !== source.description.width)
    throw mismatch("incompatible", "autoencoder", `width ${source.description.width}, the source's`, `${sae.width}`);
  const collection = await collectMoments(source, target, {
    corpus,
    layers: { kind: "maps", maps: [{ sources: [site.source.layer], target: site.target.layer }] },
    maxTokens,
    hasCurve: false,
    seed,
    signal,
    onProgress: ({ fraction }) => onProgress?.({ label: "collecting for the maps", done: fraction, total: 1 }),
  });
  const maps = fitBothWays(collection);
  const widths = [source.description.width, target.description.width] as const;
  const held = { source: heldRowsOf(collection, 0, widths[0]), target: heldRowsOf(collection, 1, widths[1]) };
  onProgress?.({ label: "reading hidden states", done: 0, total: 2 });
  const rows = {
    source: await gatherRows(await openModelRows(source, { site: site.source, corpus, maxTokens, seed }), signal),
    target: await gatherRows(await openModelRows(target, { site: site.target, corpus, maxTokens, seed }), signal),
  };
  const shuffled = { forward: maps.shuffled.forward, backward: maps.shuffled.backward };
  const results: SaeStudySeed[] = [];
  let first: StudiedSaes | undefined;
  const trainings = sae ? 3 : 4;
  for (let i = 0; i < seeds; i++) {
    let [label, trained] = ["", i * trainings - 1];
    const { result, saes } = await studySeed({
      source: { rows: rows.source, held: held.source },
      target: { rows: rows.target, held: held.target },
      maps: { forward: maps.forward, backward: maps.backward, shuffled },
      sae,
      training,
      seed: seed + i,
      signal,
      onStep: (now, step) => {
        if (now !== label) [label, trained] = [now, trained + 1];
        onProgress?.({
          label: `training ${now}, seed ${seed + i}`,
          done: trained * training.steps + step,
          total: seeds * trainings * training.steps,
        });
      },
    });
    results.push(result);
    first ??= saes;
  }
  const losses =
    hasLoss && first
      ? await measureLosses(target, first, { corpus, site: site.target, seed, maxTokens, signal })
      : null;
  const trainRows = await countRows(rows.target);
  const models = [await toRunModel(source), await toRunModel(target)] as const;
  const mapRows = maps.forward.fit.rows.train;
  const step = (width: number): number => stepFlops({ ...training, width });
  return {
    format: "trimtab-sae-study",
    version: 1,
    source: models[0],
    target: models[1],
    sites: { source: formatSite(site.source), target: formatSite(site.target) },
    settings: training,
    rows: { trained: trainRows, heldOut: held.target.groups.length, groups: held.target.groupCount },
    maps: {
      forward: { r2: maps.forward.scores.r2, r2Shuffled: maps.forward.scores.nulls.shuffled.r2 },
      backward: { r2: maps.backward.scores.r2, r2Shuffled: maps.backward.scores.nulls.shuffled.r2 },
      rows: mapRows,
    },
    ceiling: roundTrip(held.target, maps, seed),
    seeds: results,
    levels: shares.map((share) => toLevel(share, results)),
    flops: {
      step: step(widths[1]),
      training: step(widths[1]) * training.steps,
      maps: mapFlops(mapRows, widths[0], widths[1]),
      sourceTraining: step(widths[0]) * training.steps,
      reading: readFlops(models[0].parameters + models[1].parameters, collection.ledger.rows.total),
    },
    losses,
    seed,
    warnings: maps.warnings,
  };
}

function checkTraining(
  { kind = "topk", features = 512, k = 16, batch = 512, steps = 400, sae, seeds = 2 }: StudySaeOptions,
  width: number,
): { kind: TrainedKind; features: number; k: number; batch: number; steps: number } {
  if (!Number.isSafeInteger(seeds) || seeds < 1) throw mismatch("bad-input", "seeds", "at least one", String(seeds));
  if (sae && sae.activation !== "topk" && sae.activation !== "batchtopk" && sae.activation !== "jumprelu")
    throw mismatch(
      "bad-input",
      "autoencoder",
      "a kind that can be trained further: topk, batchtopk or jumprelu",
      sae.activation,
    );
  const settings = resolveTrainSettings(
    sae
      ? { kind: sae.activation as TrainedKind, features: sae.features, k: sae.k ?? k, batch, steps }
      : { kind, features, k, batch, steps },
    width,
  );
  return { kind: settings.kind, features: settings.features, k: settings.k, batch, steps };
}

function roundTrip(
  held: ReturnType<typeof heldRowsOf>,
  { forward, backward }: Pick<ReturnType<typeof fitBothWays>, "forward" | "backward">,
  seed: number,
): Explained {
  return explainedWithInterval(held, applyMap(forward, applyMap(backward, held.rows)), seed);
}

function toLevel(share: number, seeds: readonly SaeStudySeed[]): SaeLevel {
  const level = seeds.map(({ trained }) => share * trained.scratch.value);
  const of = (start: SaeStart): (number | null)[] =>
    seeds.map(({ curves }, i) => stepsToReach(curves[start], level[i]!) ?? null);
  const steps = Object.fromEntries(starts.map((start) => [start, of(start)])) as Record<SaeStart, (number | null)[]>;
  const saved = seeds.map((_, i) => {
    const [carried, scratch] = [steps.carried[i]!, steps.scratch[i]!];
    return carried === null || scratch === null || scratch === 0 ? null : 1 - carried / scratch;
  });
  return { share, level, steps, saved };
}

async function measureLosses(
  target: OpenModel,
  { carried, trained }: StudiedSaes,
  options: {
    readonly corpus: Corpus;
    readonly site: Site;
    readonly seed: number;
    readonly maxTokens: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<SaeStudyResult["losses"]> {
  const score = (sae: Sae) =>
    scoreSae(target, sae, { ...options, maxTokens: Math.min(mostLossTokens, Math.ceil(options.maxTokens / 8)) });
  const arms: SaeLoss[] = [];
  let clean = Number.NaN;
  const named = [
    ["trained from scratch", trained.scratch],
    ["trained from the carried one", trained.carried],
    ["carried, no training", carried],
  ] as const;
  for (const [name, sae] of named) {
    const scores = await score(sae);
    clean = scores.clean?.value ?? Number.NaN;
    const wanted = name === "carried, no training" ? ["autoencoder", "untrained", "mean row"] : ["autoencoder"];
    for (const arm of scores.arms) {
      if (!wanted.includes(arm.name) || !arm.loss || !arm.recoveredFromMean) continue;
      const { value, interval } = arm.recoveredFromMean;
      arms.push({
        name: arm.name === "autoencoder" ? name : arm.name,
        explained: arm.explained.value,
        l0: arm.use?.l0 ?? null,
        loss: arm.loss.value,
        recovered: { value, low: interval?.low ?? null, high: interval?.high ?? null },
      });
    }
  }
  return { clean, arms };
}
