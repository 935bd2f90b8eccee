import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { type ModelTextOptions, partWindows } from "../train/model-rows.ts";
import { readSiteWindows, type SiteWindow } from "../train/site-windows.ts";

/** Windows whose rows are coded together and that the model reads in one call. */
export interface ScoredUnit {
  readonly windows: readonly SiteWindow[];
  /** The kept rows of all windows, one after the other, `[n, width]`. */
  readonly rows: Float32Array;
}

/** The text that an autoencoder is scored on, held in memory. */
export interface ScoredText {
  readonly site: Site;
  readonly width: number;
  readonly units: readonly ScoredUnit[];
  /** Documents in the order of their first window; a document's number here is its place in the scores. */
  readonly documents: number;
  /** For each window of each unit in turn, the number of its document. */
  readonly documentOf: (window: SiteWindow) => number;
  readonly rowCount: number;
  /** Mean of all rows, `[width]`. */
  readonly mean: Float64Array;
}

/** Reads the text. @throws bad-input if no row is left to score */
export async function readScoredText(
  model: OpenModel,
  options: ModelTextOptions,
  signal: AbortSignal | undefined,
): Promise<ScoredText> {
  const { width } = model.description;
  const numbers = new Map<number, number>();
  const units: ScoredUnit[] = [];
  const mean = new Float64Array(width);
  let rowCount = 0;
  for await (const windows of readSiteWindows(model, partWindows(model, options, signal), {
    site: options.site,
    signal,
  })) {
    for (const { window } of windows)
      if (!numbers.has(window.document.index)) numbers.set(window.document.index, numbers.size);
    const rows = joinKept(windows, width);
    rowCount += rows.length / width;
    for (let at = 0; at < rows.length; at++) mean[at % width] = (mean[at % width] as number) + (rows[at] as number);
    units.push({ windows, rows });
  }
  if (rowCount < 2)
    throw mismatch(
      "bad-input",
      options.corpus.name,
      "text to score on",
      `${rowCount} rows of its ${options.part} part`,
      {
        hint: "give more text: one document of ten is held out",
      },
    );
  return {
    site: options.site,
    width,
    units,
    documents: numbers.size,
    documentOf: ({ window }) => numbers.get(window.document.index) as number,
    rowCount,
    mean: mean.map((sum) => sum / rowCount),
  };
}

function joinKept(windows: readonly SiteWindow[], width: number): Float32Array {
  const rows = new Float32Array(windows.reduce((sum, { kept }) => sum + kept.length, 0) * width);
  let to = 0;
  for (const { states, kept } of windows)
    for (const row of kept) {
      rows.set(states.subarray(row * width, (row + 1) * width), to);
      to += width;
    }
  return rows;
}
