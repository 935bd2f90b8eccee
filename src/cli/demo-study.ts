import {
  type AffineMap,
  compareSteering,
  compareTexts,
  cosineBetween,
  demoData,
  type EngineModel,
  engineRelease,
  extractVector,
  fitMap,
  type LexiconEntry,
  parseLexicon,
  type ReadPosition,
  readContrastSet,
  readItems,
  readText,
  residPost,
  type Study,
  type StudyConcept,
  type StudyModel,
  toIdentity,
  transferVector,
  trimtabVersion,
} from "../index.ts";
import type { Progress } from "./progress.ts";

/** A concept of the embedded family: its data are `models/data/{pairs,items}/NAME.jsonl` and an entry of `lexicons.json`. */
export interface DemoConcept {
  readonly name: string;
  readonly title: string;
  readonly positive: string;
  readonly negative: string;
  /** Where the pairs are read; the default of `extractVector` if left out. */
  readonly readAt?: ReadPosition;
}

export const demoConcepts: readonly DemoConcept[] = [
  { name: "french", title: "French", positive: "French", negative: "English" },
  { name: "capitals", title: "Capitals", positive: "ALL CAPITALS", negative: "plain case" },
  { name: "past", title: "Past tense", positive: "past", negative: "present" },
  // Mood is what a whole text comes to: pooled over all later words the two models' directions differ (cosine 0.35), at the end less (0.57).
  { name: "happy", title: "Mood", positive: "happy", negative: "sad", readAt: "last" },
  { name: "dog", title: "Animal", positive: "dog", negative: "cat" },
  { name: "indoor", title: "Place", positive: "indoors", negative: "outdoors" },
];

export interface DemoOptions {
  readonly layers: { readonly source: number; readonly target: number };
  readonly concepts: readonly DemoConcept[];
  /** Strengths in median row norms; their negatives are run too. */
  readonly strengths: readonly number[];
  /** Items and texts of each concept that are used. */
  readonly items: number;
  readonly texts: number;
  readonly maxTokens: number;
  readonly rows: number;
  readonly seed: number;
  readonly clock: () => number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Directions that z is taken against. */
const randomCount = 20;

/**
 * Fits the map small → large, then for each concept extracts, transfers, steers and measures. `larges` are copies of one model: they
 * take the concepts in turn, side by side. For models this small that is faster than several threads in one.
 */
export async function runDemoStudy(
  small: EngineModel,
  larges: readonly EngineModel[],
  options: DemoOptions,
): Promise<Study> {
  const { layers, seed, clock, signal, progress } = options;
  const large = larges[0]!;
  const start = clock();
  const sites = { source: residPost(layers.source), target: residPost(layers.target) };
  const { map, warnings } = await fitMap(small, large, {
    corpus: demoData("corpus.jsonl.gz"),
    sourceSite: sites.source,
    targetSite: sites.target,
    maxRows: options.rows,
    seed,
    signal,
    onProgress: ({ rows }) =>
      progress.update({
        label: "fitting the map",
        done: Math.min(rows, options.rows),
        total: options.rows,
        unit: "rows",
      }),
  });
  progress.finish();
  const lexiconPath = demoData("lexicons.json");
  const lexicon = parseLexicon(await readText(lexiconPath), lexiconPath);
  const count = createCounter(options);
  const ran: RanConcept[] = new Array(options.concepts.length);
  const waiting = [...options.concepts.entries()];
  const lane = async (model: EngineModel): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, concept] = next;
      try {
        ran[index] = await runConcept(small, model, map, concept, lexicon.get(concept.name), options, count);
      } catch (thrown) {
        // The other lanes end after the concept they are at.
        waiting.length = 0;
        throw thrown;
      }
    }
  };
  const lanes = await Promise.allSettled(larges.map(lane));
  progress.finish();
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
  const { r2ByDimension: _, ...scores } = map.scores;
  return {
    format: "trimtab-study",
    version: 1,
    title: "A small model steers a larger one",
    createdAt: new Date(start).toISOString(),
    elapsedMs: clock() - start,
    seed,
    software: [
      { name: "trimtab", version: trimtabVersion() },
      { name: "llama.cpp", version: engineRelease },
      { name: "node", version: process.version },
    ],
    source: await toStudyModel(small),
    target: await toStudyModel(large),
    map: { sources: map.sources, target: map.target, fit: map.fit, scores },
    concepts: ran.map(({ concept }) => concept),
    warnings: [...warnings, ...ran.flatMap(({ warnings: ofTransfer }) => ofTransfer)],
  };
}

/** Counts model runs over all concepts for the progress bar: comparisons (grid × two vectors, random at ± one strength) and texts. */
function createCounter({ concepts, strengths, progress }: DemoOptions): () => void {
  const grid = 2 * strengths.length;
  const total = concepts.length * (1 + 2 * grid + 2 * randomCount + 1 + 3 * grid);
  let done = 0;
  return () => progress.update({ label: "steering and measuring", done: ++done, total, unit: "runs" });
}

/** A concept's results, and what its transfer warned of. */
interface RanConcept {
  readonly concept: StudyConcept;
  readonly warnings: readonly string[];
}

async function runConcept(
  small: EngineModel,
  large: EngineModel,
  map: AffineMap,
  concept: DemoConcept,
  entry: LexiconEntry | undefined,
  options: DemoOptions,
  count: () => void,
): Promise<RanConcept> {
  const { layers, seed, signal, strengths } = options;
  const pairs = await readContrastSet(demoData(`pairs/${concept.name}.jsonl`));
  const extract = async (model: EngineModel, layer: number) => {
    const { vector } = await extractVector(model, pairs, {
      sites: [residPost(layer)],
      concept: concept.name,
      signal,
      ...(concept.readAt !== undefined && { readAt: concept.readAt }),
    });
    return vector;
  };
  const ofSmall = await extract(small, layers.source);
  const native = await extract(large, layers.target);
  const { vector: transferred, warnings } = transferVector(ofSmall, map);
  const items = (await readItems(demoData(`items/${concept.name}.jsonl`))).slice(0, options.items);
  const grid = [...strengths.map((strength) => -strength), ...strengths].sort((a, b) => a - b);
  const comparison = await compareSteering(large, items, {
    native,
    transferred,
    strengths: grid,
    randomCount,
    seed,
    signal,
    onProgress: count,
  });
  // From nothing but the beginning of a document, so that the concept is the model's to choose.
  const texts = entry
    ? await compareTexts(large, [""], entry, {
        native,
        transferred,
        strengths: grid,
        samples: options.texts,
        maxTokens: options.maxTokens,
        seed,
        signal,
        onProgress: count,
      })
    : null;
  return {
    concept: {
      name: concept.title,
      positive: concept.positive,
      negative: concept.negative,
      cosine: cosineBetween(native, transferred)[0]?.cosine ?? null,
      pairs: pairs.length,
      comparison,
      texts,
    },
    warnings: warnings.map((warning) => `${concept.title}: ${warning}.`),
  };
}

async function toStudyModel(model: EngineModel): Promise<StudyModel> {
  const { description } = model;
  const { parameters, sizeBytes, vocabulary } = description;
  return { ...toIdentity(description, await model.sha256()), parameters, sizeBytes, vocabulary };
}
