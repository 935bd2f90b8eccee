import type { Alignment } from "../../activations/align/alignment.ts";
import type { Corpus } from "../../activations/corpus.ts";
import { mismatch } from "../../errors.ts";
import type { CellStore } from "../../evaluate/cell-store.ts";
import { checkStrengths } from "../../evaluate/run-comparison.ts";
import { measureAllMaps } from "./measure-all-maps.ts";
import { measureConcepts } from "./measure-concepts.ts";
import { isKnown, openScaleBench, type ScaleBench } from "./scale-bench.ts";
import type { ScaleConceptInput, ScaleModel } from "./scale-model.ts";
import type { ScaleResult, ScaleSettings } from "./scale-result.ts";
import { correlateWithSize } from "./size-trend.ts";

/** How far a study has come. */
export interface ScaleProgress {
  readonly stage: "vectors" | "maps" | "steering";
  readonly done: number;
  readonly total: number;
}

export interface StudyScaleOptions extends Omit<ScaleSettings, "corpus" | "concepts" | "maxRows" | "layers" | "depth"> {
  /** Default `equal`. */
  readonly layers?: ScaleSettings["layers"] | undefined;
  /** Share of the blocks passed, above 0, at most 1. Default one half. */
  readonly depth?: number | undefined;
  readonly corpus: Corpus;
  /** Rows that a map is fitted and scored on. Default `defaultRows` of the wider model. */
  readonly maxRows?: number | undefined;
  /** Tokens in a window; see `fitMaps`. */
  readonly context?: number | undefined;
  /** How rows are paired. Default by token, of models whose tokenizers differ by spans of text; `ids` leaves such pairs out, with that reason. */
  readonly align?: Alignment | undefined;
  /** Where finished measurements are kept: a study that was ended goes on from there. */
  readonly cells: CellStore;
  /** Memory that open models may take together, bytes: as many stay open as fit, and never fewer than are used at once. */
  readonly roomBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ScaleProgress) => void) | undefined;
  /** Told what is worth knowing on the way, such as memory. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** The result without the record of the run, which the caller knows. */
export type ScaleFindings = Omit<ScaleResult, "run"> & { readonly warnings: readonly string[] };

/**
 * Measures how well vectors travel between every ordered pair of models, and how that goes with the sizes of the two.
 *
 * For each pair: a map at equal relative depth (or at the layers that the pair itself picks), its held-out scores and nulls; each concept's
 * vector, found in the source and carried, against the one found in the target: cosine, the paper's r, Δr, slope ratio, and z among random directions.
 * For each measure its correlation with the logarithm of the size ratio, with a p over dealing the sizes out anew.
 *
 * A text is read once for the two directions of a pair and once more by each untrained copy; a vector is extracted once a model; random directions are
 * run once a target and concept. What cannot be measured (a model that is not there, a pair of different tokenizers) is a pair with its
 * reason.
 *
 * @throws bad-input for fewer than one pair, names given twice, no concept, or strengths that cannot be compared; io for the store; aborted
 * @see Bello et al., arXiv 2506.00653, for r and the maps
 */
export async function studyScale(
  models: readonly ScaleModel[],
  concepts: readonly ScaleConceptInput[],
  options: StudyScaleOptions,
): Promise<ScaleFindings> {
  const settings = await checkSettings(models, concepts, options);
  const { cells, roomBytes, signal, onProgress, onNote } = options;
  await using bench = await openScaleBench(models, {
    settings,
    concepts,
    cells,
    roomBytes,
    signal,
    onVector: (done, total) => onProgress?.({ stage: "vectors", done, total }),
  });
  onNote?.(
    `${models.length} models of together ${megabytes(bench.fileBytes)}; up to ${megabytes(roomBytes)} of memory may hold open ones`,
  );
  const study: ScaleStudy = { bench, settings, concepts, options, warnings: new Set() };
  const pairs = await measureConcepts(study, await measureAllMaps(study));
  const sizes = new Map(
    bench.models.flatMap((model) => (isKnown(model) ? [[model.name, model.record.parameters]] : [])),
  );
  return {
    format: "trimtab-scale",
    version: 1,
    settings,
    models: bench.models.map((model) =>
      isKnown(model)
        ? { name: model.name, model: model.record, problem: null }
        : { name: model.name, model: null, problem: model.problem },
    ),
    pairs,
    trends: correlateWithSize(pairs, sizes, { seed: settings.seeds[0] as number }),
    warnings: [...study.warnings],
  };
}

async function checkSettings(
  models: readonly ScaleModel[],
  concepts: readonly ScaleConceptInput[],
  options: StudyScaleOptions,
): Promise<ScaleSettings> {
  const { corpus, seeds, strengths, reference, random, resamples, self, depth = 0.5, layers = "equal" } = options;
  const twice = models.find(({ name }, i) => models.some((other, k) => k < i && other.name === name));
  if (twice) throw mismatch("bad-input", "models", "each model once", `${twice.name} again`);
  const least = self ? 1 : 2;
  if (models.length < least) throw mismatch("bad-input", "models", `at least ${least}`, String(models.length));
  if (concepts.length === 0) throw mismatch("bad-input", "concepts", "at least one", "none");
  if (seeds.length === 0 || new Set(seeds).size < seeds.length)
    throw mismatch("bad-input", "seeds", "at least one, each once", seeds.join(", ") || "none");
  if (!(depth > 0 && depth <= 1)) throw mismatch("bad-input", "depth", "a share above 0 and at most 1", String(depth));
  return {
    layers,
    depth,
    corpus: corpus.name,
    maxRows: options.maxRows ?? null,
    seeds,
    concepts: concepts.map(({ name }) => name),
    strengths: checkStrengths(strengths, reference),
    reference,
    random,
    resamples,
    self,
  };
}

/** A study under way: what its parts share. */
export interface ScaleStudy {
  readonly bench: ScaleBench;
  readonly settings: ScaleSettings;
  readonly concepts: readonly ScaleConceptInput[];
  readonly options: StudyScaleOptions;
  readonly warnings: Set<string>;
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
