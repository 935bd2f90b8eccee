import { type Corpus, resolveCorpus } from "../../activations/corpus.ts";
import { readRows } from "../../activations/read-rows.ts";
import { median, rowNorms } from "../../activations/row-norms.ts";
import { resolveContext, toWindows } from "../../activations/windows.ts";
import { toIdentity } from "../../engine/description.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { createMatrix } from "../../linalg/matrix.ts";
import { seededRandom } from "../../linalg/random.ts";
import type { HeldWindow } from "../../maps/collect/collection.ts";
import { createHeldOutSet, type HeldOutSet, heldRowLimit } from "../../maps/collect/held-out-set.ts";
import { type ReadPoint, recordReading } from "../../maps/collect/read-record.ts";
import { shuffleUnit } from "../../maps/collect/shuffled-rows.ts";
import { mixSeed, splitGroups } from "../../maps/collect/split-groups.ts";
import { createTokenSums, type TokenSums } from "../../maps/collect/token-sums.ts";
import { bootstrapR2 } from "../../maps/score/bootstrap-r2.ts";
import { type HeldPair, type Predict, scoreRows } from "../../maps/score/score-rows.ts";
import { scoreTokenIdentity } from "../../maps/score/score-token-identity.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import { encodeRows } from "../encode.ts";
import type { Sae } from "../sae.ts";
import { saeDigest } from "../sae-digest.ts";
import { type CodeMoments, createCodeMoments } from "./code-moments.ts";
import { applyFeatureMap, type FeatureMap } from "./feature-map.ts";
import { type FeatureCoefficients, fitCodes } from "./fit-codes.ts";

export interface FitFeatureMapOptions {
  /** The autoencoder of the source. */
  readonly sae: Sae;
  /** How results call it. */
  readonly saeName: string;
  readonly sourceSite: Site;
  readonly targetSite: Site;
  /** A path for `resolveCorpus`, or a corpus. */
  readonly corpus: string | Corpus;
  /** Most tokens a window holds. Default 512, or what the models allow. */
  readonly context?: number | undefined;
  /** Stop after this many rows. Default: all the text. */
  readonly maxRows?: number | undefined;
  /** Penalties to choose from on validation rows. */
  readonly lambdas?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly rows: number; readonly fraction: number }) => void) | undefined;
}

const defaultLambdas: readonly number[] = [1e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3];
const heldBytes = 2 ** 28;
/** Norms kept for the median. */
const mostNorms = 2 ** 16;

/**
 * Fits a map from an autoencoder's features on the source to hidden states of the target, on the same tokens: both models read the corpus
 * side by side, the source's rows are encoded, and only sums are kept (`CodeMoments`), with held-out rows.
 *
 * The split is that of `fitMap`: of every ten groups of windows eight fit, one chooses the penalty, one scores; with the same corpus, seed and
 * limit of rows, a map between hidden states is scored on the same rows, so the two can be compared.
 *
 * @throws incompatible for different tokenizers or an autoencoder of another width; bad-input for sites, penalties or too little text;
 *   not-found and io for the corpus; engine; aborted
 * @see Bello et al., arXiv 2506.00653, section 3.2
 */
export async function fitFeatureMap(
  source: OpenModel,
  target: OpenModel,
  options: FitFeatureMapOptions,
): Promise<FeatureMap> {
  const { sae, saeName, sourceSite, targetSite, seed = 0, lambdas = defaultLambdas } = options;
  const [dSource, dTarget] = [source.description.width, target.description.width];
  if (sae.width !== dSource)
    throw mismatch(
      "incompatible",
      saeName,
      `an autoencoder of ${source.description.name}'s width ${dSource}`,
      String(sae.width),
    );
  if (lambdas.length === 0 || !lambdas.every((lambda) => lambda > 0 && Number.isFinite(lambda)))
    throw mismatch("bad-input", "lambdas", "penalties above 0", lambdas.join(", ") || "none");
  seededRandom(seed); // refuses what is not a seed before anything is read
  const { maxRows } = options;
  if (maxRows !== undefined && !(Number.isSafeInteger(maxRows) && maxRows >= 1))
    throw mismatch("bad-input", "rows", "a positive integer", String(maxRows));
  const collected = await collect(source, target, options);
  const { moments, heldOut, validation, tokens, norms, corpus, rows, context } = collected;
  if (heldOut.length === 0 || validation.length === 0)
    throw mismatch("bad-input", corpus.name, "text enough to hold some out", `${corpus.documents} documents`, {
      hint: "ten documents are the least; a hundred give a score that can be trusted",
    });
  const mean = moments.sumTarget.map((sum) => sum / moments.n);
  const predictBy = (coefficients: FeatureCoefficients): Predict => {
    return ({ X }) => applyFeatureMap(coefficients, encodeRows(sae, X));
  };
  const tried = lambdas.map((lambda) => {
    const coefficients = fitCodes(moments, { lambda });
    return { lambda, r2: scoreRows(predictBy(coefficients), validation, mean).r2, coefficients };
  });
  const best = tried.reduce((a, b) => (b.r2 > a.r2 || (b.r2 === a.r2 && b.lambda > a.lambda) ? b : a));
  const { B, p } = best.coefficients;
  const score = scoreRows(predictBy(best.coefficients), heldOut, mean);
  const shuffled = scoreRows(predictBy(fitCodes(moments, { lambda: best.lambda, shuffled: true })), heldOut, mean);
  const constant = scoreRows(({ Y }) => repeat(mean, Y.length / dTarget), heldOut, mean);
  const table = scoreTokenIdentity(heldOut, tokens, {
    sources: [],
    target: 0,
    meanX: new Float64Array(0),
    meanY: mean,
    residualMap: undefined,
  });
  const end = async (model: OpenModel, site: Site, values: readonly number[]) => ({
    model: toIdentity(model.description, await model.sha256()),
    site,
    medianNorm: median(values),
  });
  return {
    source: await end(source, sourceSite, norms.source),
    target: await end(target, targetSite, norms.target),
    sae: { name: saeName, sha256: saeDigest(sae), features: sae.features },
    B,
    p,
    active: moments.active,
    largest: moments.largest,
    fit: {
      lambda: best.lambda,
      tried: tried.map(({ lambda, r2 }) => ({ lambda, r2 })),
      seed,
      corpus,
      rows,
      context,
      meanActive: moments.active.reduce((sum, count) => sum + count, 0) / moments.n,
      pairs: moments.gram.pairs,
      version: trimtabVersion(),
    },
    scores: {
      r2: score.r2,
      cosine: score.cosine,
      r2Interval: bootstrapR2(score.groups, seededRandom(mixSeed(seed, 1))),
      nulls: {
        mean: { r2: constant.r2, cosine: constant.cosine },
        shuffled: { r2: shuffled.r2, cosine: shuffled.cosine },
        tokenTable: table.table,
      },
    },
  };
}

interface Collected {
  readonly moments: CodeMoments;
  readonly heldOut: readonly HeldPair[];
  readonly validation: readonly HeldPair[];
  readonly tokens: TokenSums;
  readonly norms: { readonly source: number[]; readonly target: number[] };
  readonly corpus: FeatureMap["fit"]["corpus"];
  readonly rows: FeatureMap["fit"]["rows"];
  readonly context: number;
}

async function collect(source: OpenModel, target: OpenModel, options: FitFeatureMapOptions): Promise<Collected> {
  const { sae, sourceSite, targetSite, seed = 0, maxRows = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const corpus = typeof options.corpus === "string" ? await resolveCorpus(options.corpus) : options.corpus;
  const context = resolveContext(options.context, [source, target]);
  const widths = [source.description.width, target.description.width] as const;
  const record = recordReading(toWindows(source, corpus.documents({ signal }), { context }));
  const growing = createCodeMoments(sae.features, widths[1]);
  const { partOf } = splitGroups({ seed, folds: 1, hasCurve: false });
  const limit = heldRowLimit(widths, heldBytes);
  const heldOut = createHeldOutSet(limit, seed);
  const validation = createHeldOutSet(limit, seed + 1);
  const tokens = createTokenSums([widths[1]], heldBytes);
  const norms = { source: [] as number[], target: [] as number[] };
  const leftOut = { first: 0, special: 0, sink: 0, unselected: 0 };
  const random = seededRandom(mixSeed(seed, 2));
  let [unit, total, kept, train, windows] = [-1, 0, 0, 0, 0];
  let stopped: ReadPoint | undefined;
  let fitted: HeldWindow[] = [];
  /** Sums the fitting windows of a unit, and the same codes beside the states of other windows. */
  const endUnit = (): void => {
    for (const { states, tokens: ids } of fitted) {
      const [X, Y] = states as readonly [Float32Array, Float32Array];
      growing.add(encodeRows(sae, X), Y);
      tokens.add(ids, [Y], undefined);
      train += ids.length;
    }
    const shuffled = shuffleUnit(
      fitted.map(({ states }) => states),
      { widths, sources: 1, random },
    );
    const [X, Y] = shuffled ?? [];
    if (X && Y) growing.addShuffled(encodeRows(sae, X), Y);
    fitted = [];
  };
  for await (const window of readRows(source, target, record.windows, {
    sourceSites: [sourceSite],
    targetSites: [targetSite],
    signal,
  })) {
    if (window.unit !== unit) endUnit();
    unit = window.unit;
    windows++;
    total += window.read;
    for (const reason of ["first", "special", "sink", "unselected"] as const) leftOut[reason] += window.leftOut[reason];
    const rows = window.tokens.length;
    if (rows > 0) {
      const held: HeldWindow = {
        window: window.window,
        group: window.group,
        tokens: window.tokens,
        states: window.states,
        weights: undefined,
      };
      const part = partOf(window.group);
      if (part === "heldOut") fitted.push(...heldOut.add(held));
      else if (part === 0) fitted.push(...validation.add(held));
      else fitted.push(held);
      addNorms(norms.source, window.states[0] as Float32Array, widths[0]);
      addNorms(norms.target, window.states[1] as Float32Array, widths[1]);
    }
    kept += rows;
    onProgress?.({ rows: kept, fraction: Math.min(1, Math.max(kept / maxRows, window.document.fraction)) });
    if (kept >= maxRows) {
      // The models read ahead: what was read beyond is no part of the fit.
      stopped = record.atDocument(window.document);
      break;
    }
  }
  endUnit();
  const { sha256, documents } = stopped ?? record.end();
  const [scored, chose] = [heldOut, validation].map((set) => toPairs(set)) as [HeldPair[], HeldPair[]];
  return {
    moments: growing.view(),
    heldOut: scored,
    validation: chose,
    tokens: tokens.view(),
    norms,
    corpus: { name: corpus.name, sha256, documents, windows },
    rows: { total, train, validation: countRows(chose), heldOut: countRows(scored), leftOut },
    context,
  };
}

function addNorms(norms: number[], states: Float32Array, width: number): void {
  if (norms.length < mostNorms) norms.push(...rowNorms(states, width));
}

function toPairs(set: HeldOutSet): HeldPair[] {
  return set.windows().map(({ group, tokens, states, weights }) => ({
    group,
    tokens,
    X: states[0] as Float32Array,
    Y: states[1] as Float32Array,
    weights,
  }));
}

function countRows(pairs: readonly HeldPair[]): number {
  return pairs.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

function repeat(row: Float64Array, rows: number) {
  const result = createMatrix(rows, row.length);
  for (let at = 0; at < rows; at++) result.data.set(row, at * row.length);
  return result;
}
