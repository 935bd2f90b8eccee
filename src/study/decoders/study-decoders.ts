import { type Corpus, resolveCorpus } from "../../activations/corpus.ts";
import { readRows } from "../../activations/read-rows.ts";
import { median } from "../../activations/row-norms.ts";
import { resolveContext, toWindows } from "../../activations/windows.ts";
import { formatSite } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import { type DecoderRelation, relateDecoders } from "../../features/decoder-relation.ts";
import { encodeRows } from "../../features/encode.ts";
import { createMatches, type FeatureMatch } from "../../features/match-features.ts";
import type { Sae } from "../../features/sae.ts";
import { sliceSparseRows } from "../../features/slice-sparse-rows.ts";
import type { SparseRows } from "../../features/sparse-rows.ts";
import { cosineOf } from "../../linalg/cosine.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { seededRandom } from "../../linalg/random.ts";
import { type AffineMap, carryDirection } from "../../maps/affine-map.ts";
import { type ReadPoint, recordReading } from "../../maps/collect/read-record.ts";
import type { CodedModel } from "../coded-model.ts";
import type { CarriedDirections, DecoderSide, DecoderStudy } from "./decoder-study.ts";

export interface StudyDecodersOptions {
  readonly corpus: string | Corpus;
  /** Rows that features are matched on. Default 20 000. */
  readonly maxRows?: number | undefined;
  readonly context?: number | undefined;
  /** Least correlation of two features' activations for them to count as one. Default 0.3. */
  readonly least?: number | undefined;
  /** Draws of each null. Default 20. */
  readonly draws?: number | undefined;
  /** A map between the two sites: are decoder directions carried to their matches? */
  readonly map?: Pick<AffineMap, "A"> | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly rows: number; readonly maxRows: number }) => void) | undefined;
}

/** Bins of the correlation of activations, from the least that counts as a match. */
const toBins = (least: number): readonly number[] => [
  least,
  ...[0.3, 0.5, 0.7, 0.9, 1.0001].filter((to) => to > least),
];

/**
 * Asks whether the decoder of an autoencoder of one model is a linear image of that of another: features are matched by when they are
 * active on the same tokens, then `W_T ≈ W_S M` is fitted on the matched rows, beside random matrices and permuted rows.
 *
 * Features of separately trained autoencoders have no common order, so feature i is not feature i; the fit by index is shown beside, where
 * both have equally many.
 *
 * @throws incompatible for different tokenizers or autoencoders of other widths; bad-input, not-found, io; engine; aborted
 * @see Bello et al., arXiv 2506.00653, section 2.2
 */
export async function studyDecoders(
  source: CodedModel,
  target: CodedModel,
  options: StudyDecodersOptions,
): Promise<DecoderStudy> {
  const { maxRows = 20_000, least = 0.3, draws = 20, seed = 0, map, signal, onProgress } = options;
  if (!(least > 0 && least <= 1))
    throw mismatch("bad-input", "least correlation", "a number from 0 to 1", String(least));
  const corpus = typeof options.corpus === "string" ? await resolveCorpus(options.corpus) : options.corpus;
  const context = resolveContext(options.context, [source.model, target.model]);
  const record = recordReading(toWindows(source.model, corpus.documents({ signal }), { context }));
  const matches = createMatches(source.sae.features, target.sae.features);
  const chance = createMatches(source.sae.features, target.sae.features);
  let [rows, windows] = [0, 0];
  let stopped: ReadPoint | undefined;
  let before: { readonly document: number; readonly codes: SparseRows } | undefined;
  // The last window of the document before this one: of a long document every window is put beside it.
  let elsewhere: SparseRows | undefined;
  for await (const window of readRows(source.model, target.model, record.windows, {
    sourceSites: [source.site],
    targetSites: [target.site],
    signal,
  })) {
    windows++;
    const [X, Y] = window.states as readonly [Float32Array, Float32Array];
    const [codes, others] = [encodeRows(source.sae, X), encodeRows(target.sae, Y)];
    matches.add(codes, others);
    if (before && before.document !== window.document.index) elsewhere = before.codes;
    if (elsewhere) {
      const n = Math.min(elsewhere.rows, others.rows);
      chance.add(sliceSparseRows(elsewhere, 0, n), sliceSparseRows(others, 0, n));
    }
    before = { document: window.document.index, codes };
    rows += codes.rows;
    onProgress?.({ rows, maxRows });
    if (rows >= maxRows) {
      stopped = record.atDocument(window.document);
      break;
    }
  }
  const found = matches.matches({ least });
  const [sourceRows, targetRows] = [
    pickRows(
      source.sae,
      found.map((match) => match.source),
    ),
    pickRows(
      target.sae,
      found.map((match) => match.target),
    ),
  ];
  const { relation, problem } = attempt(() => relateDecoders(sourceRows, targetRows, { draws, seed }));
  const hasIndex = source.sae.features === target.sae.features;
  const all = hasIndex
    ? attempt(() => relateDecoders(pickRows(source.sae), pickRows(target.sae), { draws: Math.min(draws, 3), seed }))
    : undefined;
  const { sha256, documents } = stopped ?? record.end();
  return {
    source: describe(source),
    target: describe(target),
    corpus: { name: corpus.name, sha256, documents, windows },
    rows,
    least,
    matched: found.length,
    matchedByChance: elsewhere ? chance.matches({ least }).length : null,
    medianCorrelation: found.length > 0 ? median(found.map(({ correlation }) => correlation)) : 0,
    relation,
    problem,
    byIndex: all?.relation ?? null,
    carried: map && found.length > 0 ? carryAll(map, { found, sourceRows, targetRows, least, draws, seed }) : null,
    seed,
  };
}

/** A fit that may lack features; the reason is a result too. */
function attempt(fit: () => DecoderRelation): { relation: DecoderRelation | null; problem: string | null } {
  try {
    return { relation: fit(), problem: null };
  } catch (error) {
    if (!(error instanceof TrimtabError) || error.code !== "bad-input") throw error;
    return { relation: null, problem: error.message };
  }
}

function describe({ model, sae, saeName, site }: CodedModel): DecoderSide {
  const { features, width } = sae;
  return { model: model.description.name, site: formatSite(site), sae: saeName, features, width };
}

/** Decoder rows as float64, all of them or those asked for. */
function pickRows({ width, decoder, features }: Sae, rows?: readonly number[]): Matrix {
  const picked = rows ?? Array.from({ length: features }, (_, j) => j);
  const result = createMatrix(picked.length, width);
  picked.forEach((row, at) => {
    result.data.set(decoder.subarray(row * width, (row + 1) * width), at * width);
  });
  return result;
}

function carryAll(
  map: Pick<AffineMap, "A">,
  of: {
    readonly found: readonly FeatureMatch[];
    readonly sourceRows: Matrix;
    readonly targetRows: Matrix;
    readonly least: number;
    readonly draws: number;
    readonly seed: number;
  },
): CarriedDirections {
  const { found, sourceRows, targetRows, least, draws, seed } = of;
  const bins = toBins(least);
  const carried = found.map((_, at) =>
    carryDirection(map, sourceRows.data.subarray(at * sourceRows.cols, (at + 1) * sourceRows.cols)),
  );
  const cosines = found.map((_, at) => cosineWith(carried[at] as Float64Array, targetRows, at));
  const random = seededRandom(seed);
  let shuffled = 0;
  for (let draw = 0; draw < draws; draw++)
    random.shuffle(found.map((_, at) => at)).forEach((other, at) => {
      shuffled += cosineWith(carried[at] as Float64Array, targetRows, other) / (draws * found.length);
    });
  const byCorrelation = bins.slice(0, -1).flatMap((from, bin) => {
    const to = bins[bin + 1] as number;
    const own = cosines.filter((_, at) => {
      const { correlation } = found[at] as FeatureMatch;
      return correlation >= from && correlation < to;
    });
    return [{ from, to: Math.min(1, to), features: own.length, cosine: own.length > 0 ? mean(own) : null }];
  });
  return { mean: mean(cosines), shuffled, byCorrelation };
}

function cosineWith(direction: Float64Array, { cols, data }: Matrix, row: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < cols; i++) {
    const [a, b] = [direction[i] as number, data[row * cols + i] as number];
    ab += a * b;
    aa += a * a;
    bb += b * b;
  }
  return cosineOf(ab, aa, bb);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
