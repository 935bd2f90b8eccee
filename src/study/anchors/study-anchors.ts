import type { Alignment } from "../../activations/align/alignment.ts";
import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { Corpus } from "../../activations/corpus.ts";
import { type AnchorFit, type AnchorWay, fitAffineByFolds, fitFromAnchors } from "../../compare/fit-from-anchors.ts";
import { toFunctionalSide } from "../../compare/functional-basis.ts";
import { predictRows, toTransferSides } from "../../compare/functional-transfer.ts";
import { drawAnchors } from "../../compare/relative-rows.ts";
import { toIdentity } from "../../engine/description.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import type { PropensityItem } from "../../evaluate/items.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom } from "../../linalg/random.ts";
import type { MapEnd } from "../../maps/affine-map.ts";
import type { Affine } from "../../maps/fit/fit-ridge.ts";
import { bootstrapR2Difference } from "../../maps/score/bootstrap-r2.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import { extractVector } from "../../vectors/extract.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { type CarryingMap, transferVector } from "../../vectors/transfer.ts";
import { type SampledRows, sampleRows } from "../compare/sample-rows.ts";
import type { AnchorEffect, AnchorPoint, AnchorScore, AnchorStudyResult } from "./anchor-study.ts";
import { measureEffects } from "./measure-effects.ts";

/** A concept whose direction is carried. */
export interface AnchorConcept {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  /** Items that its effect is measured on; none: cosines only. */
  readonly items: readonly PropensityItem[];
}

export interface StudyAnchorsOptions {
  readonly corpus: Corpus;
  readonly layers: { readonly source: number; readonly target: number };
  /** How many anchors are tried, each at least 5. */
  readonly anchors: readonly number[];
  /** Of those, at which the effect of carried directions is measured. */
  readonly effectAt: readonly number[];
  /** Draws of the anchors. Default 3. */
  readonly draws?: number | undefined;
  /** Rows of both models whose pairing is not known but for the anchors. Default 1500. */
  readonly rows?: number | undefined;
  readonly neighbours?: number | undefined;
  /** In median row norms; its negative is run too. Default 0.5. */
  readonly strength?: number | undefined;
  /** Default 20. */
  readonly randomCount?: number | undefined;
  /** How rows are paired. Default by token id, or by spans where the tokenizers differ. */
  readonly align?: Alignment | undefined;
  readonly context?: number | undefined;
  readonly threads?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((step: { readonly label: string; readonly done: number; readonly total: number }) => void)
    | undefined;
}

const ways: readonly AnchorWay[] = ["affine", "functional", "corrected"];
/** Every fourth document is held out: rows of one document are alike. */
const heldOutEvery = 4;

/**
 * Asks how many paired rows a map needs, when rows whose pairing is unknown are plenty: a ridge on the anchors alone, a functional map told at the anchors
 * over all rows, and that corrected by the anchors, each scored on other documents, by the directions that it carries, and by what those do.
 *
 * @throws incompatible for tokenizers that cannot be paired as asked; bad-input for counts that the rows do not have; engine, aborted
 */
export async function studyAnchors(
  source: OpenModel,
  target: OpenModel,
  concepts: readonly AnchorConcept[],
  options: StudyAnchorsOptions,
): Promise<AnchorStudyResult> {
  const { corpus, layers, anchors, effectAt, draws = 3, rows = 1500, neighbours, seed, signal, onProgress } = options;
  const { strength = 0.5, randomCount = 20 } = options;
  const bad = anchors.find((count) => !Number.isInteger(count) || count < 5 || count > rows);
  if (anchors.length === 0 || bad !== undefined)
    throw mismatch("bad-input", "anchors", `counts from 5 to ${rows}, the rows`, String(bad ?? "none"));
  const stray = effectAt.find((count) => !anchors.includes(count));
  if (stray !== undefined)
    throw mismatch("bad-input", "effect at", `one of ${anchors.join(", ")} anchors`, String(stray));
  const sites = { source: residPost(layers.source), target: residPost(layers.target) };
  const read = (label: string, isHeldOut: boolean): Promise<SampledRows> =>
    sampleRows(source, target, {
      ...options,
      sourceSites: [sites.source],
      targetSites: [sites.target],
      rows,
      readAtMost: 10 * rows,
      documents: (index) => (index % heldOutEvery === 0) === isHeldOut,
      onProgress: (done, total) => onProgress?.({ label, done, total }),
    });
  const fit = await read("reading", false);
  const heldOut = await read("reading held-out documents", true);
  const [X, Y] = [fit.source[0] as Matrix, fit.target[0] as Matrix];

  const vectors: { readonly ofSource: SteeringVector; readonly native: SteeringVector }[] = [];
  for (const { name, pairs } of concepts) {
    const extract = async (model: OpenModel, site: typeof sites.source): Promise<SteeringVector> =>
      (await extractVector(model, pairs, { sites: [site], concept: name, ...(signal && { signal }) })).vector;
    vectors.push({ ofSource: await extract(source, sites.source), native: await extract(target, sites.target) });
    onProgress?.({ label: "finding directions", done: vectors.length, total: concepts.length });
  }
  const ends = await toEnds(source, target, sites, vectors[0]);
  const carry = (map: Affine, at: number): SteeringVector | undefined => {
    const { ofSource } = vectors[at] as (typeof vectors)[number];
    if (!ends || map.A.data.every((value) => value === 0)) return undefined;
    return transferVector(ofSource, { ...ends, A: map.A, p: map.p }).vector;
  };
  const score = (map: Affine): AnchorScore => {
    const cosines = vectors.map(({ native }, at) => {
      const carried = carry(map, at);
      return carried ? (cosineBetween(native, carried)[0]?.cosine ?? null) : null;
    });
    const known = cosines.filter((value) => value !== null);
    const cosine = known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    return { r2: r2Of(groupErrors(map, heldOut)), cosine, cosines };
  };

  const sides = toTransferSides(X, Y, toFunctionalSide(X, { neighbours }), toFunctionalSide(Y, { neighbours }));
  const points: AnchorPoint[] = [];
  const fitted = new Map<
    number,
    { readonly fits: Readonly<Record<AnchorWay, AnchorFit>>; readonly shuffled: Affine }
  >();
  for (const [at, count] of anchors.entries()) {
    const found: Record<AnchorWay, { draws: AnchorScore[]; shuffled: AnchorScore[] }> = {
      affine: { draws: [], shuffled: [] },
      functional: { draws: [], shuffled: [] },
      corrected: { draws: [], shuffled: [] },
    };
    let first: Readonly<Record<AnchorWay, AnchorFit>> | undefined;
    for (let draw = 0; draw < draws; draw++) {
      if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      const drawn = drawAnchors(rows, count, seed + draw);
      const fits = fitFromAnchors(sides, { x: drawn, y: drawn }, { seed });
      const wrong = fitFromAnchors(sides, { x: drawn, y: seededRandom(seed + draw).shuffle(drawn) }, { seed });
      for (const way of ways) {
        found[way].draws.push(score(fits[way]));
        found[way].shuffled.push(score(wrong[way]));
      }
      first ??= fits;
      if (draw === 0) fitted.set(count, { fits, shuffled: wrong.corrected });
      onProgress?.({ label: "fitting", done: at * draws + draw + 1, total: anchors.length * draws });
      await new Promise((resolve) => setImmediate(resolve));
    }
    const base = groupErrors((first as Readonly<Record<AnchorWay, AnchorFit>>).affine, heldOut);
    for (const way of ways) {
      const own = groupErrors((first as Readonly<Record<AnchorWay, AnchorFit>>)[way], heldOut);
      points.push({
        anchors: count,
        way,
        ...found[way],
        gain:
          way === "affine"
            ? null
            : { r2: r2Of(own) - r2Of(base), interval: bootstrapR2Difference(own, base, seededRandom(seed)) },
      });
    }
  }
  const all = fitAffineByFolds(X, Y, { seed });
  const maps = [
    { anchors: null, way: "affine" as const, map: all },
    ...effectAt.flatMap((count) => {
      const of = fitted.get(count);
      if (!of) return [];
      return [
        ...ways.map((way) => ({ anchors: count, way, map: of.fits[way] })),
        { anchors: count, way: "shuffled" as const, map: of.shuffled },
      ];
    }),
  ];
  const effects: AnchorEffect[] = [];
  for (const [at, { name, items }] of concepts.entries()) {
    if (items.length === 0) continue;
    const carried = maps.flatMap(({ anchors: count, way, map }) => {
      const vector = carry(map, at);
      return vector ? [{ anchors: count, way, vector }] : [];
    });
    const { native } = vectors[at] as (typeof vectors)[number];
    effects.push(
      ...(await measureEffects(target, { name, items, native, carried, strength, randomCount, seed, signal })),
    );
    onProgress?.({ label: "steering", done: at + 1, total: concepts.length });
  }
  return {
    format: "trimtab-anchors",
    version: 1,
    corpus: corpus.name,
    layers,
    rows: {
      fit: rows,
      heldOut: rows,
      heldOutDocuments: new Set(heldOut.documents).size,
      alignment: fit.alignment,
    },
    concepts: concepts.map(({ name }) => name),
    draws,
    seed,
    randomDirections: randomCount,
    points,
    all: score(all),
    effects,
    warnings: [],
  };
}

/** Errors of a map by held-out document, about the mean of all held-out rows. */
function groupErrors(map: Affine, { source, target, documents }: SampledRows): { sse: number; sst: number }[] {
  const [X, Y] = [source[0] as Matrix, target[0] as Matrix];
  const P = predictRows(X, map);
  const mean = new Float64Array(Y.cols);
  for (let at = 0; at < Y.data.length; at++)
    mean[at % Y.cols] = (mean[at % Y.cols] as number) + (Y.data[at] as number) / Y.rows;
  const groups = new Map<number, { sse: number; sst: number }>();
  for (let at = 0; at < Y.data.length; at++) {
    const document = documents[Math.floor(at / Y.cols)] as number;
    const group = groups.get(document) ?? { sse: 0, sst: 0 };
    groups.set(document, group);
    group.sse += ((Y.data[at] as number) - (P.data[at] as number)) ** 2;
    group.sst += ((Y.data[at] as number) - (mean[at % Y.cols] as number)) ** 2;
  }
  return [...groups.values()];
}

function r2Of(groups: readonly { readonly sse: number; readonly sst: number }[]): number {
  const sum = (of: "sse" | "sst"): number => groups.reduce((total, group) => total + group[of], 0);
  return 1 - sum("sse") / sum("sst");
}

/** The ends of every map of the study; lengths are those that the concepts' texts gave. Undefined without a concept. */
async function toEnds(
  source: OpenModel,
  target: OpenModel,
  sites: { readonly source: MapEnd["site"]; readonly target: MapEnd["site"] },
  vectors: { readonly ofSource: SteeringVector; readonly native: SteeringVector } | undefined,
): Promise<Pick<CarryingMap, "sources" | "target"> | undefined> {
  if (!vectors) return undefined;
  const end = async (model: OpenModel, site: MapEnd["site"], { directions }: SteeringVector): Promise<MapEnd> => ({
    model: toIdentity(model.description, await model.sha256()),
    site,
    medianNorm: directions[0]?.medianNorm ?? Number.NaN,
  });
  return {
    sources: [await end(source, sites.source, vectors.ofSource)],
    target: await end(target, sites.target, vectors.native),
  };
}
