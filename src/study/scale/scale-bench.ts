import { stat } from "node:fs/promises";
import { digestFiles } from "../../engine/file-digest.ts";
import { engineRelease } from "../../engine/library.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { formatSite, residPost, type Site } from "../../engine/site.ts";
import { type CellPart, type CellStore, hashCell } from "../../evaluate/cell-store.ts";
import { frameItems } from "../../evaluate/propensity/framing.ts";
import { type RunModel, toRunModel } from "../../evaluate/run-record.ts";
import { fromStored, toStored } from "../../evaluate/stored-vector.ts";
import { extractVector } from "../../vectors/extract.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { attempt, isProblem, type Problem } from "./attempt.ts";
import { steerableLayers } from "./measure-map.ts";
import { createModelShelf, type ModelShelf, type ShelvedModel } from "./model-shelf.ts";
import type { ScaleConceptInput, ScaleModel } from "./scale-model.ts";
import type { ScaleSettings } from "./scale-result.ts";

/** A model of the study, and all that is read from it alone. */
export interface KnownModel {
  readonly name: string;
  readonly record: RunModel;
  /** What its numbers depend on besides what is asked: in the key of every cell. */
  readonly identity: { readonly [key: string]: CellPart };
  /** Where it is read; `null`: each pair picks. */
  readonly layer: number | null;
  /** Whether a copy that was never trained can be opened, under {@link untrainedName}. */
  readonly hasUntrained: boolean;
  /** In the concepts' order; in place of one that could not be found, why. */
  readonly vectors: readonly (SteeringVector | string)[];
}

/** The models of a study, and where what was measured of them is kept. */
export interface ScaleBench extends AsyncDisposable {
  readonly shelf: ModelShelf;
  /** In the order asked for; in place of one that cannot be opened, why. */
  readonly models: readonly (KnownModel | (Problem & { readonly name: string }))[];
  /** Bytes of all models' files together, and what may be held at once. */
  readonly fileBytes: number;
}

export interface ScaleBenchOptions {
  readonly settings: Pick<ScaleSettings, "layers" | "depth">;
  readonly concepts: readonly ScaleConceptInput[];
  readonly cells: CellStore;
  /** Memory that open models may take together, bytes. */
  readonly roomBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onVector?: ((done: number, total: number) => void) | undefined;
}

/** What an open model takes besides its file: keys and values, rows of logits, the tap's rows. */
const workingBytes = 256 * 2 ** 20;

/** Name on the shelf of a model's untrained copy. */
export function untrainedName(name: string): string {
  return `${name}, untrained`;
}

/**
 * Finds the models, says what each is and extracts every concept's vector from it, once. What the store knows already is not measured again,
 * and a model of which it knows everything is not opened.
 */
export async function openScaleBench(
  models: readonly ScaleModel[],
  { settings, concepts, cells, roomBytes, signal, onVector }: ScaleBenchOptions,
): Promise<ScaleBench> {
  const shelved = new Map<string, ShelvedModel>();
  const shelf = createModelShelf(shelved, roomBytes);
  let fileBytes = 0;
  let done = 0;
  const total = models.length * concepts.length;
  const know = async ({ name, files, open, openUntrained }: ScaleModel): Promise<KnownModel> => {
    const paths = await files();
    const sha256 = await digestFiles(paths);
    const bytes = (await Promise.all(paths.map((path) => stat(path)))).reduce((sum, { size }) => sum + size, 0);
    fileBytes += bytes;
    shelved.set(name, { bytes: bytes + workingBytes, open });
    if (openUntrained) shelved.set(untrainedName(name), { bytes: bytes + workingBytes, open: openUntrained });
    const identity = { sha256, engine: engineRelease };
    const record = await cells.measure(hashCell({ kind: "scale-model", version: 1, ...identity }), async () =>
      toRunModel(await shelf.borrow(name)),
    );
    const layer = settings.layers === "best" ? null : layerAtDepth(settings.depth, record.blocks);
    const sites = (layer === null ? steerableLayers(record.blocks) : [layer]).map(residPost);
    const vectors: (SteeringVector | string)[] = [];
    for (const concept of concepts) {
      const found = await attempt(() =>
        findVector(concept, { sites, cells, identity, signal, open: () => shelf.borrow(name) }),
      );
      vectors.push(isProblem(found) ? found.problem : found);
      onVector?.(++done, total);
    }
    return { name, record, identity, layer, hasUntrained: openUntrained !== undefined, vectors };
  };
  const known: ScaleBench["models"][number][] = [];
  try {
    for (const model of models) {
      const found = await attempt(() => know(model), { isReading: true });
      known.push(isProblem(found) ? { name: model.name, problem: found.problem } : found);
    }
  } catch (error) {
    await shelf[Symbol.asyncDispose]();
    throw error;
  }
  return { shelf, models: known, fileBytes, [Symbol.asyncDispose]: () => shelf[Symbol.asyncDispose]() };
}

async function findVector(
  { name, pairs, readAt }: ScaleConceptInput,
  {
    sites,
    cells,
    identity,
    signal,
    open,
  }: Pick<ScaleBenchOptions, "cells" | "signal"> &
    Pick<KnownModel, "identity"> & { readonly sites: readonly Site[]; readonly open: () => Promise<OpenModel> },
): Promise<SteeringVector> {
  const key = hashCell({
    kind: "scale-vector",
    version: 1,
    model: identity,
    sites: sites.map(formatSite),
    readAt: JSON.stringify(readAt ?? null),
    pairs: pairs.map(({ prompt, positive, negative }) => [prompt, positive, negative]),
  });
  const stored = await cells.measure(key, async () => {
    const model = await open();
    const { items, parseSpecial } = frameItems(model, pairs);
    const place = readAt === undefined ? {} : { readAt };
    return toStored(
      (await extractVector(model, items, { sites, parseSpecial, concept: name, signal, ...place })).vector,
    );
  });
  return fromStored(stored);
}

/** Whether a model could be opened. */
export function isKnown(model: ScaleBench["models"][number]): model is KnownModel {
  return "record" in model;
}

/** The layer after that share of the blocks, never the last one: see `equalRelativeDepth`. */
export function layerAtDepth(depth: number, blocks: number): number {
  return Math.max(0, Math.min(Math.round(depth * blocks) - 1, blocks - 2));
}
