import type { ContrastPair } from "../../activations/contrast-set.ts";
import { formatSite } from "../../engine/site.ts";
import { TrimtabError } from "../../errors.ts";
import { type Arm, randomArms, vectorArm } from "../../evaluate/arms.ts";
import type { Estimate } from "../../evaluate/comparison.ts";
import { contrastFeatures, type FeatureContrast } from "../../evaluate/features/contrast-features.ts";
import { evaluateText, type TextModel } from "../../evaluate/text/evaluate-text.ts";
import type { NeutralText } from "../../evaluate/text/neutral-text.ts";
import type { Scorer } from "../../evaluate/text/scorer.ts";
import { meanRandomEffect } from "../../evaluate/text/summarise-texts.ts";
import type { TextResult } from "../../evaluate/text/text-result.ts";
import { readPairFeatures } from "../../features/examples/read-pair-features.ts";
import type { FeatureMap } from "../../features/s2l/feature-map.ts";
import { featureVector } from "../../features/s2l/feature-vector.ts";
import { seededRandom } from "../../linalg/random.ts";
import { type AffineMap, carryDirection } from "../../maps/affine-map.ts";
import { mixSeed } from "../../maps/collect/split-groups.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import { extractVector } from "../../vectors/extract.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import type { CodedModel } from "../coded-model.ts";
import type { FeatureConcept, FeatureLevel, FeaturePoint, FeatureStudy } from "./feature-study.ts";

/** A concept of the study: pairs that a feature is chosen by, and what counts it in text. */
export interface FeatureConceptInput {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  readonly scorer: Scorer;
}

export interface StudyFeaturesOptions {
  readonly concepts: readonly FeatureConceptInput[];
  readonly s2l: FeatureMap;
  /** Between the same two sites. */
  readonly l2l: AffineMap;
  readonly prompts: readonly string[];
  /** In median row norms of the target's site, above 0. */
  readonly strengths: readonly number[];
  readonly neutral: NeutralText;
  readonly samples?: number | undefined;
  readonly maxTokens?: number | undefined;
  /** Random directions of each concept. Default 3. */
  readonly random?: number | undefined;
  /** Features drawn by chance, carried like the right one. Default 2. */
  readonly wrong?: number | undefined;
  readonly resamples?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((progress: { readonly concept: string; readonly done: number; readonly total: number }) => void)
    | undefined;
}

/**
 * Steers a large model by features of a small one, in the two ways of the paper: row j of a map from features to hidden states (s2l), and
 * the decoder's row j through a map between hidden states (l2l), compared where both do equal damage.
 *
 * For each concept the feature is chosen on half of its pairs, on the small model alone. Beside the two stand the target's own contrast vector,
 * features drawn by chance and carried like the right one, and random directions; all at the same lengths.
 *
 * @throws as `evaluateText`, `extractVector`; aborted
 * @see Bello et al., arXiv 2506.00653, section 3.2 and figure 3
 */
export async function studyFeatures(
  source: CodedModel,
  target: TextModel & Parameters<typeof extractVector>[0],
  options: StudyFeaturesOptions,
): Promise<FeatureStudy> {
  const { s2l, l2l, prompts, strengths, samples = 1, random = 3, wrong = 2, seed = 0 } = options;
  const concepts: FeatureConcept[] = [];
  for (const concept of options.concepts) concepts.push(await studyConcept(source, target, concept, options));
  const { r2ByDimension: _, ...scores } = l2l.scores;
  return {
    source: source.model.description.name,
    target: target.description.name,
    sites: { source: formatSite(source.site), target: formatSite(s2l.target.site) },
    sae: { name: source.saeName, features: source.sae.features },
    s2l: { fit: s2l.fit, scores: s2l.scores },
    l2l: { fit: l2l.fit, scores },
    concepts,
    strengths,
    prompts: prompts.length,
    samples,
    random,
    wrong,
    seed,
  };
}

async function studyConcept(
  source: CodedModel,
  target: TextModel & Parameters<typeof extractVector>[0],
  { name, pairs, scorer }: FeatureConceptInput,
  options: StudyFeaturesOptions,
): Promise<FeatureConcept> {
  const { s2l, l2l, prompts, strengths, neutral, signal, onProgress, resamples = 1000 } = options;
  const { samples = 1, maxTokens = 48, random = 3, wrong = 2, seed = 0 } = options;
  const codes = await readPairFeatures(source.model, source.sae, pairs, { site: source.site, signal });
  const contrast = contrastFeatures(codes, { top: 50, seed, signal });
  const chosen = contrast.features.find(
    ({ feature, side }) => side === "positive" && (s2l.active[feature] as number) > 0,
  );
  const known = { name, scorer: scorer.name, chanceAuroc: contrast.shuffled.p95 };
  const nothing = { feature: null, cosines: null, points: [], levels: [], gain: null, texts: null };
  if (!chosen) return { ...known, ...nothing, problem: "no feature is stronger on the positive side" };
  const byFeature = (feature: number): SteeringVector => featureVector(s2l, [{ feature }]);
  const ofFeature = byFeature(chosen.feature);
  const carried = carryDecoder(source, l2l, chosen.feature, ofFeature);
  const extraction = await extractVector(target, pairs, { sites: [s2l.target.site], concept: name, signal });
  // All vectors in the same unit: the median norm of the map's rows.
  const native = withUnit(extraction.vector, s2l.target.medianNorm);
  const arms: Arm[] = [
    vectorArm("native", native, { name: "native contrast" }),
    vectorArm("transferred", ofFeature, { name: "s2l" }),
    vectorArm("other", carried, { name: "l2l" }),
    ...drawWrong(contrast, s2l, { count: wrong, not: chosen.feature, seed }).map((feature, i) =>
      vectorArm("other", byFeature(feature), { name: `wrong ${i + 1}` }),
    ),
    ...randomArms(ofFeature, { count: random, seed: mixSeed(seed, 7) }),
  ];
  let texts: TextResult;
  try {
    texts = await evaluateText(target, prompts, {
      arms,
      scorers: [scorer],
      strengths,
      seed,
      samples,
      maxTokens,
      likeness: false,
      neutral,
      resamples,
      ...(signal && { signal }),
      onProgress: ({ done, total }) => onProgress?.({ concept: name, done, total }),
    });
  } catch (error) {
    if (!(error instanceof TrimtabError) || error.code !== "engine") throw error;
    return { ...known, ...nothing, feature: chosen, problem: error.message };
  }
  const levels = toLevels(texts);
  return {
    ...known,
    feature: chosen,
    problem: null,
    cosines: {
      s2lL2l: cosineOfVectors(ofFeature, carried),
      s2lNative: cosineOfVectors(ofFeature, native),
      l2lNative: cosineOfVectors(carried, native),
    },
    points: toPoints(texts),
    levels,
    gain: toGain(levels.at(-1)),
    texts,
  };
}

/** The decoder's row through the map of hidden states, in the unit of the other vectors. */
function carryDecoder({ sae }: CodedModel, l2l: AffineMap, feature: number, like: SteeringVector): SteeringVector {
  const row = sae.decoder.subarray(feature * sae.width, (feature + 1) * sae.width);
  const vector = Float32Array.from(carryDirection(l2l, row));
  return {
    directions: like.directions.map((direction) => ({ ...direction, vector })),
    provenance: { ...like.provenance, method: "decoder direction carried by a map" },
  };
}

function withUnit(vector: SteeringVector, medianNorm: number): SteeringVector {
  return { ...vector, directions: vector.directions.map((direction) => ({ ...direction, medianNorm })) };
}

/** Features that have nothing to do with the concept as far as its pairs tell, active as the right one is in some rows. */
function drawWrong(
  { features }: FeatureContrast,
  { active, fit }: FeatureMap,
  { count, not, seed }: { readonly count: number; readonly not: number; readonly seed: number },
): number[] {
  const known = new Set([not, ...features.map(({ feature }) => feature)]);
  // Half and twice as often active as the right one: a rarer feature is known less well.
  const often = active[not] as number;
  const near = (rows: number): boolean => rows >= Math.max(10, often / 2) && rows <= Math.max(20, 2 * often);
  const all = Array.from(active.keys()).filter(
    (j) => !known.has(j) && (active[j] as number) >= 10 && fit.rows.train > 0,
  );
  const alike = all.filter((j) => near(active[j] as number));
  return seededRandom(mixSeed(seed, 11))
    .shuffle(alike.length >= count ? alike : all)
    .slice(0, count);
}

function cosineOfVectors(a: SteeringVector, b: SteeringVector): number {
  return cosineBetween(a, b)[0]?.cosine ?? 0;
}

function toPoints({ rows }: TextResult): FeaturePoint[] {
  return rows.map(({ arm, kind, strength, scores, klNats }) => ({
    arm,
    kind,
    strength,
    change: scores[0]?.change ?? { value: null, interval: null },
    damage: klNats.value,
  }));
}

function toLevels({ equalDamage }: TextResult): FeatureLevel[] {
  const found = equalDamage.find(({ side, measure }) => side === "positive" && measure === "kl");
  return (found?.levels ?? []).map(({ level, effects }) => {
    const wrong = effects.flatMap(({ arm, effect: { value } }) =>
      arm.startsWith("wrong ") && value !== null ? [value] : [],
    );
    return {
      damage: level,
      effects: effects.filter(({ kind, arm }) => kind !== "random" && !arm.startsWith("wrong ")),
      random: meanRandomEffect(effects),
      wrong: wrong.length > 0 ? wrong.reduce((sum, value) => sum + value, 0) / wrong.length : null,
    };
  });
}

/** Difference of two effects; half-widths add in squares. */
function toGain(level: FeatureLevel | undefined): Estimate | null {
  const of = (name: string) => level?.effects.find(({ arm }) => arm === name)?.effect;
  const [s2l, l2l] = [of("s2l"), of("l2l")];
  if (!s2l || !l2l || s2l.value === null || l2l.value === null) return null;
  const value = s2l.value - l2l.value;
  if (!s2l.interval || !l2l.interval) return { value, interval: null };
  const half = (a: number, b: number): number => Math.hypot(a, b);
  return {
    value,
    interval: {
      low: value - half(s2l.value - s2l.interval.low, l2l.interval.high - l2l.value),
      high: value + half(s2l.interval.high - s2l.value, l2l.value - l2l.interval.low),
    },
  };
}
