import { type Alignment, formatAlignment } from "../../activations/align/alignment.ts";
import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { Corpus } from "../../activations/corpus.ts";
import type { ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { CellStore } from "../../evaluate/cell-store.ts";
import type { PropensityItem } from "../../evaluate/items.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { fitMap } from "../../maps/fit-map.ts";
import type { LayerPair } from "../../maps/layer-pairs.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import { extractVector } from "../../vectors/extract.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { transferVector } from "../../vectors/transfer.ts";
import { measureConcept } from "../scale/measure-concept.ts";
import type { TokenizerArmResult, TokenizerConceptResult } from "./tokenizer-result.ts";

/** A source model, how its rows are paired with the target's, and where. */
export interface TokenizerArm {
  readonly source: OpenModel;
  /** How the source is called. */
  readonly sourceName: string;
  /** Its copy that was never trained; without it that null is not taken. */
  readonly untrained?: OpenModel | undefined;
  readonly align: Alignment;
  readonly layers: LayerPair;
}

export interface TokenizerConcept {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  readonly items: readonly PropensityItem[];
  /** Default `difference-mean`. */
  readonly readAt?: ReadPosition | undefined;
}

export interface StudyTokenizersOptions {
  readonly corpus: Corpus;
  /** Rows of each map, where the text has so many. */
  readonly maxRows: number;
  readonly seed: number;
  /** In median row norms of the target's site, negative and positive. */
  readonly strengths: readonly number[];
  /** α*. */
  readonly reference: number;
  /** Random directions that z is taken against. */
  readonly random: number;
  readonly resamples: number;
  readonly cells: CellStore;
  /** What the target is, for the names of its cells. */
  readonly identity: { readonly sha256: string; readonly engine: string };
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stage: "maps" | "vectors", done: number, total: number) => void) | undefined;
}

/**
 * Measures what it costs to pair rows otherwise than by token id: for every arm a map is fitted on as many rows of the same text, each
 * concept's vector is carried through it, and the target is steered by it beside its own vector and random directions.
 *
 * The native vectors and the random directions are the target's, so they are the same for all arms that end at the same layer. Arms of one
 * source by `ids` and by `spans` must agree to the last digit: two routes to the same rows. Scores of rows that are pieces of text are not
 * comparable with scores of tokens, since a mean varies less than what it is the mean of; what their vectors do is.
 *
 * @throws bad-input for no arms or concepts; and what `fitMap`, `extractVector` and `measureConcept` throw
 */
export async function studyTokenizers(
  target: OpenModel,
  arms: readonly TokenizerArm[],
  concepts: readonly TokenizerConcept[],
  options: StudyTokenizersOptions,
): Promise<{ readonly arms: readonly TokenizerArmResult[]; readonly warnings: readonly string[] }> {
  if (arms.length === 0) throw mismatch("bad-input", "study of tokenizers", "at least one way of pairing rows", "none");
  if (concepts.length === 0) throw mismatch("bad-input", "study of tokenizers", "at least one concept", "none");
  const warnings: string[] = [];
  const found: TokenizerArmResult[] = [];
  const vectors = createVectorShelf(options.signal);
  const steps = arms.length * concepts.length;
  for (const [at, arm] of arms.entries()) {
    const name = nameArm(arm);
    const { map, warnings: own } = await fitArm(target, arm, options);
    warnings.push(...own.map((warning) => `${name}: ${warning}`));
    options.onProgress?.("maps", at + 1, arms.length);
    const natives = await Promise.all(concepts.map((concept) => vectors.of(target, concept, arm.layers.target)));
    const results: TokenizerConceptResult[] = [];
    for (const [i, concept] of concepts.entries()) {
      const own = await vectors.of(arm.source, concept, arm.layers.source);
      const carried = transferVector(own, map).vector;
      results.push(await measureArm(target, { concept, natives, at: i, carried }, options));
      options.onProgress?.("vectors", at * concepts.length + i + 1, steps);
    }
    found.push({ ...toArmResult(name, arm, map), concepts: results });
  }
  return { arms: found, warnings };
}

/** Such as `demo:xs by ids`. */
function nameArm({ sourceName, align }: TokenizerArm): string {
  return `${sourceName} by ${align.kind}`;
}

function fitArm(
  target: OpenModel,
  { source, untrained, align, layers }: TokenizerArm,
  { corpus, maxRows, seed, signal }: StudyTokenizersOptions,
): ReturnType<typeof fitMap> {
  return fitMap(source, target, {
    corpus,
    align,
    maxRows,
    seed,
    signal,
    untrained,
    sourceSite: residPost(layers.source),
    targetSite: residPost(layers.target),
  });
}

interface Carried {
  readonly concept: TokenizerConcept;
  /** The target's own vectors, concept by concept, and which of them is this concept's. */
  readonly natives: readonly SteeringVector[];
  readonly at: number;
  readonly carried: SteeringVector;
}

async function measureArm(
  target: OpenModel,
  { concept, natives, at, carried }: Carried,
  options: StudyTokenizersOptions,
): Promise<TokenizerConceptResult> {
  const { strengths, reference, random, resamples, seed, cells, identity, signal } = options;
  const measured = await measureConcept(natives[at] as SteeringVector, carried, {
    name: concept.name,
    items: concept.items,
    strengths,
    reference,
    random,
    resamples,
    seed,
    cells,
    identity,
    open: () => Promise.resolve(target),
    signal,
  });
  const others = natives
    .filter((_, other) => other !== at)
    .flatMap((other) => {
      const cosine = cosineBetween(other, carried)[0]?.cosine;
      return cosine === undefined ? [] : [Math.abs(cosine)];
    });
  const otherCosine = others.length === 0 ? null : others.reduce((sum, value) => sum + value, 0) / others.length;
  return { name: concept.name, items: concept.items.length, ...measured, otherCosine };
}

function toArmResult(
  name: string,
  arm: TokenizerArm,
  { fit, scores }: AffineMap,
): Omit<TokenizerArmResult, "concepts"> {
  const { nulls, r2Interval } = scores;
  return {
    name,
    source: arm.sourceName,
    align: formatAlignment(arm.align),
    layers: arm.layers,
    alignment: fit.alignment ?? null,
    rows: { fitted: fit.rows.train, heldOut: fit.rows.heldOut },
    r2: scores.r2,
    interval: { low: r2Interval.low, high: r2Interval.high },
    beyond: scores.tokenIdentity.beyond,
    tokenTable: scores.tokenIdentity.table,
    nulls: {
      mean: nulls.mean.r2,
      shuffled: nulls.shuffled.r2,
      rotation: nulls.randomOrthogonal.r2,
      untrained: nulls.untrained?.r2 ?? null,
    },
  };
}

/** Vectors that were found, each once. */
function createVectorShelf(signal: AbortSignal | undefined): {
  of(model: OpenModel, concept: TokenizerConcept, layer: number): Promise<SteeringVector>;
} {
  const known = new Map<OpenModel, Map<string, Promise<SteeringVector>>>();
  return {
    of(model, { name, pairs, readAt }, layer) {
      const ofModel = known.get(model) ?? new Map<string, Promise<SteeringVector>>();
      known.set(model, ofModel);
      const key = `${name}:${layer}`;
      const options = {
        sites: [residPost(layer)],
        concept: name,
        ...(readAt && { readAt }),
        ...(signal && { signal }),
      };
      const vector = ofModel.get(key) ?? extractVector(model, pairs, options).then((found) => found.vector);
      ofModel.set(key, vector);
      return vector;
    },
  };
}
