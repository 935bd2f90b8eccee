import { type Alignment, formatAlignment, resolveAlignment } from "../../activations/align/alignment.ts";
import { toSegmentWindows } from "../../activations/align/segment-windows.ts";
import { toSpanWindows } from "../../activations/align/span-windows.ts";
import type { Corpus, CorpusDocument } from "../../activations/corpus.ts";
import { readRows } from "../../activations/read-rows.ts";
import { resolveContext, toWindows } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { seededRandom } from "../../linalg/random.ts";

/** Hidden states of the same tokens in two models, drawn from all of a text. */
export interface SampledRows {
  /** By source site, `[n, width]` each. */
  readonly source: readonly Matrix[];
  /** By target site. */
  readonly target: readonly Matrix[];
  /** Token id of each row; the target's where the tokenizers differ. */
  readonly tokens: Int32Array;
  /** Document of each row, ascending. */
  readonly documents: Int32Array;
  /** Rows that were read, of which these were drawn. */
  readonly read: number;
  /** How they were paired, as {@link formatAlignment} writes it. */
  readonly alignment: string;
}

export interface SampleRowsOptions {
  readonly corpus: Corpus;
  readonly sourceSites: readonly Site[];
  readonly targetSites: readonly Site[];
  /** Rows to draw. */
  readonly rows: number;
  /** Rows after which reading stops. Default 20 for each row to draw: neighbours in a text are alike, so a sample is of rows far apart. */
  readonly readAtMost?: number | undefined;
  /** Tells which documents, by their place in the corpus, give rows. Default all. */
  readonly documents?: ((index: number) => boolean) | undefined;
  /** How rows are paired. Default by token id, or by spans where the tokenizers differ. */
  readonly align?: Alignment | undefined;
  readonly context?: number | undefined;
  readonly threads?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((read: number, total: number) => void) | undefined;
}

const readPerRow = 20;

/**
 * Reads a text with two models and draws rows from all that was read, each equally likely, in the order of the text.
 *
 * First positions, special tokens and sinks are left out as everywhere. The same seed, text and models give the same rows.
 *
 * @throws incompatible for tokenizers that cannot be paired as asked; bad-input if the text has fewer rows than asked for; see {@link readRows}
 */
export async function sampleRows(
  source: OpenModel,
  target: OpenModel,
  {
    corpus,
    sourceSites,
    targetSites,
    rows,
    readAtMost = readPerRow * rows,
    documents,
    align,
    context,
    threads,
    seed,
    signal,
    onProgress,
  }: SampleRowsOptions,
): Promise<SampledRows> {
  if (!Number.isInteger(rows) || rows < 2) throw mismatch("bad-input", "rows", "a count of at least 2", String(rows));
  const random = seededRandom(seed);
  const kept: Kept[] = [];
  let read = 0;
  const alignment = resolveAlignment(align, source.description, target.description);
  const texts = chosen(corpus, documents, signal);
  const cut = { context: resolveContext(context, [source, target]) };
  const windows =
    "pool" in alignment
      ? toSegmentWindows(source, target, texts, alignment, cut)
      : alignment.kind === "spans"
        ? toSpanWindows(source, target, texts, cut)
        : toWindows(source, texts, cut);
  for await (const { tokens, states, document } of readRows(source, target, windows, {
    sourceSites,
    targetSites,
    aligned: alignment.kind !== "ids",
    threads,
    signal,
  })) {
    for (let row = 0; row < tokens.length; row++) {
      // Algorithm R: row t takes a place with probability rows/t, whichever was there before.
      const place = read < rows ? read : random.integer(read + 1);
      read++;
      if (place < rows)
        kept[place] = {
          at: read,
          token: tokens[row] as number,
          document: document.index,
          states: rowOf(states, row, tokens.length),
        };
    }
    onProgress?.(Math.min(read, readAtMost), readAtMost);
    if (read >= readAtMost) break;
  }
  if (read < rows)
    throw mismatch("bad-input", corpus.name, `text of at least ${rows} rows`, String(read), {
      hint: `give more text, or --rows ${read} or fewer`,
    });
  kept.sort((a, b) => a.at - b.at);
  const toMatrix = (site: number): Matrix => {
    const width = kept[0]?.states[site]?.length ?? 0;
    const result = createMatrix(rows, width);
    kept.forEach(({ states }, i) => {
      result.data.set(states[site] as Float32Array, i * width);
    });
    return result;
  };
  return {
    source: sourceSites.map((_, at) => toMatrix(at)),
    target: targetSites.map((_, at) => toMatrix(sourceSites.length + at)),
    tokens: Int32Array.from(kept, ({ token }) => token),
    documents: Int32Array.from(kept, ({ document }) => document),
    read,
    alignment: formatAlignment(alignment),
  };
}

interface Kept {
  /** Place among all rows read. */
  readonly at: number;
  readonly token: number;
  readonly document: number;
  /** By site. */
  readonly states: readonly Float32Array[];
}

function rowOf(states: readonly Float32Array[], row: number, n: number): readonly Float32Array[] {
  return states.map((all) => {
    const width = all.length / n;
    return all.slice(row * width, (row + 1) * width);
  });
}

async function* chosen(
  corpus: Corpus,
  documents: ((index: number) => boolean) | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<CorpusDocument, void, void> {
  for await (const document of corpus.documents({ signal }))
    if (!documents || documents(document.index)) yield document;
}
