import type { Alignment } from "../../activations/align/alignment.ts";
import type { Corpus } from "../../activations/corpus.ts";
import type { Measure, MeasureOptions } from "../../compare/measure.ts";
import { nullScores } from "../../compare/null-scores.ts";
import { permuteRows } from "../../compare/permute-rows.ts";
import type { Readout } from "../../compare/readout-distances.ts";
import { defaultAnchors } from "../../compare/relative-rows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import { toFinite } from "../../evaluate/statistics.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { ComparedPart, LikenessCell, ModelsLikeness } from "./comparison-result.ts";
import { jackknifeInterval } from "./jackknife-interval.ts";
import { readReadout } from "./read-readout.ts";
import { type SampledRows, sampleRows } from "./sample-rows.ts";
import { rowsOfRepeatedTokens, withoutTokenMeans } from "./without-token-means.ts";

export interface CompareModelsOptions {
  readonly corpus: Corpus;
  /** Every source layer is compared with every target layer. */
  readonly layers: { readonly sources: readonly number[]; readonly targets: readonly number[] };
  readonly measures: readonly Measure[];
  /** Default 1500. */
  readonly rows?: number | undefined;
  /** Pairings at random for the null of each number. Default 20. */
  readonly shuffles?: number | undefined;
  /** Default 10. */
  readonly neighbours?: number | undefined;
  /** Default 100, at most a fifth of the rows. */
  readonly anchors?: number | undefined;
  /** Opens an untrained copy of the source, the baseline of every number; default none. */
  readonly untrained?: OpenModel | undefined;
  /** Compares the states less their token's mean too. Default true. */
  readonly beyond?: boolean | undefined;
  /** Adds intervals, at ten times the cost. Default false. */
  readonly intervals?: boolean | undefined;
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

/** Below this many documents whole documents cannot be shuffled in enough ways. */
const leastDocuments = 10;

/**
 * Says by many measures how alike the states of two models are: rows of the same tokens, drawn from all of a text, each measure beside the same rows
 * paired at random, beside an untrained source, and once more for the states less the mean of their token.
 *
 * @throws incompatible for tokenizers that cannot be paired as asked; bad-input for layers, measures or too little text; engine, aborted
 */
export async function compareModels(
  source: OpenModel,
  target: OpenModel,
  options: CompareModelsOptions,
): Promise<ModelsLikeness> {
  const { corpus, layers, measures, rows = 1500, shuffles = 20, neighbours = 10, untrained, seed } = options;
  const { beyond = true, intervals = false, signal, onProgress } = options;
  if (measures.length === 0) throw mismatch("bad-input", "measures", "at least one", "none");
  const anchors = options.anchors ?? defaultAnchors(rows);
  const read = (from: OpenModel, label: string): Promise<SampledRows> =>
    sampleRows(from, target, {
      ...options,
      corpus,
      sourceSites: layers.sources.map(residPost),
      targetSites: layers.targets.map(residPost),
      rows,
      onProgress: (done, total) => onProgress?.({ label, done, total }),
    });
  const trained = await read(source, "reading");
  const drawn = untrained && shareTarget(await read(untrained, "reading with an untrained source"), trained);
  const warnings: string[] = [];
  const readouts = await openReadouts(source, target, measures, warnings);
  const bare = readouts && untrained ? await openReadouts(untrained, target, measures, warnings) : undefined;
  const kept = rowsOfRepeatedTokens(trained.tokens);
  const parts: ComparedPart[] = ["states"];
  const least = Math.max(4 * neighbours, 2 * anchors, 50);
  if (beyond && kept.length >= least) parts.push("beyond");
  else if (beyond)
    warnings.push(
      `only ${kept.length} rows are of tokens with three rows or more: too few to compare states less their token's mean`,
    );

  const documents = new Set(trained.documents).size;
  if (documents < leastDocuments)
    warnings.push(`${documents} documents: rows were shuffled one by one, and nulls are too narrow`);
  const total = parts.length * layers.sources.length * layers.targets.length * measures.length;
  const cells: LikenessCell[] = [];
  for (const of of parts) {
    const sides = toSides(trained, of, kept);
    const without = drawn && toSides(drawn, of, rowsOfRepeatedTokens(drawn.tokens), sides);
    const shuffling =
      of === "beyond" ? { within: sides.tokens } : { groups: documents < leastDocuments ? undefined : sides.documents };
    const shared: MeasureOptions = {
      neighbours,
      anchors: Math.min(anchors, Math.max(2, Math.floor(sides.documents.length / 5))),
      anchorSeed: seed,
    };
    for (const [i, from] of layers.sources.entries()) {
      // Measures remember what they found of a matrix for as long as it lives: one that lives as long as its layer is at work.
      const X = { ...(sides.source[i] as Matrix) };
      const bareX = without && { ...(without.source[i] as Matrix) };
      for (const [j, to] of layers.targets.entries()) {
        const Y = { ...(sides.target[j] as Matrix) };
        const bareY = without?.target[j] === sides.target[j] ? Y : without?.target[j];
        for (const measure of measures) {
          if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
          const found = nullScores(measure, X, Y, { ...shared, readouts, shuffles, seed, ...shuffling });
          const plain = bareX && bareY && measure.run(bareX, bareY, { ...shared, readouts: bare });
          cells.push({
            source: from,
            target: to,
            measure: measure.name,
            of,
            value: toFinite(found.value),
            shuffled: {
              mean: toFinite(found.mean),
              sd: toFinite(found.sd),
              z: toFinite(found.z),
              p: toFinite(found.p),
            },
            untrained: plain === undefined ? null : toFinite(plain),
            interval: intervals
              ? jackknifeInterval(
                  measure,
                  { X, Y, documents: sides.documents, value: found.value },
                  { ...shared, readouts },
                )
              : null,
          });
          onProgress?.({ label: "comparing", done: cells.length, total });
          // A turn for signals and bars: a measure can take seconds.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  }
  return {
    format: "trimtab-likeness",
    version: 1,
    corpus: corpus.name,
    layers: { source: layers.sources, target: layers.targets },
    rows: {
      drawn: rows,
      documents,
      tokens: new Set(trained.tokens).size,
      read: trained.read,
      alignment: trained.alignment,
      beyond: parts.includes("beyond") ? kept.length : 0,
    },
    settings: { shuffles, neighbours, anchors, seed },
    measures: measures.map(({ name, label, source: from, says, unchangedBy }) => ({
      name,
      label,
      source: from,
      says,
      unchangedBy,
    })),
    cells,
    warnings,
  };
}

interface Sides {
  readonly source: readonly Matrix[];
  readonly target: readonly Matrix[];
  readonly documents: Int32Array;
  readonly tokens: Int32Array;
}

/** The rows to compare; of a second source the target's rows of the first where they are the same, so that what is known of them is used again. */
function toSides(rows: SampledRows, of: ComparedPart, kept: Int32Array, first?: Sides): Sides {
  if (of === "states") return rows;
  const tokens = Int32Array.from(kept, (row) => rows.tokens[row] as number);
  const rest = (X: Matrix): Matrix => withoutTokenMeans(permuteRows(X, kept), tokens);
  const sides = {
    source: rows.source.map(rest),
    target: rows.target.map(rest),
    documents: Int32Array.from(kept, (row) => rows.documents[row] as number),
    tokens,
  };
  return first ? { ...sides, target: sameOr(sides.target, first.target) } : sides;
}

function shareTarget(rows: SampledRows, first: SampledRows): SampledRows {
  return { ...rows, target: sameOr(rows.target, first.target) };
}

function sameOr(mine: readonly Matrix[], theirs: readonly Matrix[]): readonly Matrix[] {
  return mine.map((matrix, at) => {
    const other = theirs[at];
    return other && other.data.length === matrix.data.length && matrix.data.every((value, k) => value === other.data[k])
      ? other
      : matrix;
  });
}

/** How both models read states out, if a measure asks; where a file does not say, a warning says so and the measure stays undefined. */
async function openReadouts(
  source: OpenModel,
  target: OpenModel,
  measures: readonly Measure[],
  warnings: string[],
): Promise<{ readonly x: Readout; readonly y: Readout } | undefined> {
  if (!measures.some(({ name }) => name.endsWith("-readout"))) return undefined;
  try {
    return { x: await readReadout(source.description.path), y: await readReadout(target.description.path) };
  } catch (error) {
    if (!(error instanceof TrimtabError) || error.code !== "unsupported") throw error;
    warnings.push(`measures through the logits are left out: ${error.message}`);
    return undefined;
  }
}
