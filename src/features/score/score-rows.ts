import { quantile } from "../../maps/score/bootstrap-r2.ts";
import type { SparseRows } from "../sparse-rows.ts";
import type { Coder } from "./coders.ts";
import type { FeatureUse } from "./sae-scores.ts";
import type { ScoredText, ScoredUnit } from "./scored-text.ts";

/** What a coder made of all rows. */
export interface CodedText {
  /** By unit: the reconstructions of its rows, `[n, width]`. */
  readonly units: readonly Float32Array[];
  /** By document: squared errors and squared distances from the mean row, summed over rows and dimensions. */
  readonly sse: Float64Array;
  readonly sst: Float64Array;
  /** Mean cosine of a row with its reconstruction; a row of zeros has cosine 0. */
  readonly cosine: number;
  readonly use: FeatureUse | undefined;
}

/** Codes all rows and scores the reconstructions by document. */
export function scoreCoder({ code }: Coder, text: ScoredText): CodedText {
  const { width, mean, rowCount } = text;
  const sse = new Float64Array(text.documents);
  const sst = new Float64Array(text.documents);
  const counts: number[] = [];
  let active: Uint32Array | undefined;
  let cosines = 0;
  const units = text.units.map((unit) => {
    const { rows: made, features } = code(unit.rows);
    if (features) {
      active ??= new Uint32Array(features.cols);
      countFeatures(features, active, counts);
    }
    for (const { document, row } of rowsOf(unit, text)) {
      let [error, distance, cross, own, its] = [0, 0, 0, 0, 0];
      for (let t = 0, at = row * width; t < width; t++, at++) {
        const x = unit.rows[at] as number;
        const y = made[at] as number;
        error += (x - y) ** 2;
        distance += (x - (mean[t] as number)) ** 2;
        cross += x * y;
        own += x * x;
        its += y * y;
      }
      sse[document] = (sse[document] as number) + error;
      sst[document] = (sst[document] as number) + distance;
      if (own > 0 && its > 0) cosines += cross / Math.sqrt(own * its);
    }
    return made;
  });
  return { units, sse, sst, cosine: cosines / rowCount, use: active && toUse(active, counts) };
}

/** The rows of a unit, in order, with the number of their document. */
function* rowsOf(
  { windows }: ScoredUnit,
  { documentOf }: ScoredText,
): Generator<{ readonly document: number; readonly row: number }, void, void> {
  let row = 0;
  for (const window of windows) {
    const document = documentOf(window);
    for (let n = 0; n < window.kept.length; n++) yield { document, row: row++ };
  }
}

function countFeatures({ offsets, indices, rows }: SparseRows, active: Uint32Array, counts: number[]): void {
  for (let row = 0; row < rows; row++) counts.push((offsets[row + 1] as number) - (offsets[row] as number));
  for (const j of indices) active[j] = (active[j] as number) + 1;
}

function toUse(active: Uint32Array, counts: readonly number[]): FeatureUse {
  const sorted = Float64Array.from(counts).sort();
  const share = (isCounted: (rows: number) => boolean): number =>
    active.reduce((sum, rows) => sum + (isCounted(rows) ? 1 : 0), 0) / active.length;
  return {
    l0: counts.reduce((sum, count) => sum + count, 0) / counts.length,
    l0Quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map((q) => quantile(sorted, q)),
    dead: share((rows) => rows === 0),
    dense: share((rows) => rows > counts.length / 10),
  };
}
