import type { PairedRows } from "../activations/paired-rows.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";
import type { Affine } from "./fit-ridge.ts";
import type { PredictionScore } from "./map-scores.ts";

/** Predicts the target rows of a window, `[n, dTarget]`. */
export type Predict = (window: PairedRows) => Matrix;

/** A prediction's errors on held-out windows, in the parts that the scores are made of. */
export interface RowErrors extends PredictionScore {
  /** Σ squared error over rows and dimensions. */
  readonly sse: number;
  /** Σ squared deviation from the mean of the held-out rows. */
  readonly sst: number;
  /** The same by dimension, `[dTarget]`. */
  readonly sseByDimension: Float64Array;
  readonly sstByDimension: Float64Array;
  /** The same by window. */
  readonly sseByWindow: Float64Array;
  readonly sstByWindow: Float64Array;
  readonly rows: number;
}

/** The prediction `A x + p`. */
export function predictAffine({ A, p }: Affine): Predict {
  return ({ X }) => {
    const n = X.length / A.cols;
    const result = multiplyTransposed(createMatrix(n, A.cols, Float64Array.from(X)), A);
    for (let at = 0; at < result.data.length; at++)
      result.data[at] = (result.data[at] as number) + (p[at % p.length] as number);
    return result;
  };
}

/**
 * Scores a prediction on held-out windows: R² over all dimensions, by dimension and by window, and mean cosines.
 *
 * SST is about the mean of these very rows, the strictest choice: a predictor that only knows the training mean scores 0 or just
 * below. Cosines of a row whose prediction or truth has no length count as 0. `centre` is the training mean of the target, `[dTarget]`.
 */
export function scoreRows(predict: Predict, heldOut: readonly PairedRows[], centre: Float64Array): RowErrors {
  const d = centre.length;
  const rows = heldOut.reduce((sum, { Y }) => sum + Y.length / d, 0);
  const mean = new Float64Array(d);
  for (const { Y } of heldOut)
    for (let at = 0; at < Y.length; at++) mean[at % d] = (mean[at % d] as number) + (Y[at] as number) / rows;

  const sseByDimension = new Float64Array(d);
  const sstByDimension = new Float64Array(d);
  const sseByWindow = new Float64Array(heldOut.length);
  const sstByWindow = new Float64Array(heldOut.length);
  const cosine = { raw: 0, centred: 0 };
  heldOut.forEach((window, w) => {
    const { Y } = window;
    const predicted = predict(window).data;
    for (let at = 0; at < Y.length; at++) {
      const i = at % d;
      const error = ((Y[at] as number) - (predicted[at] as number)) ** 2;
      const spread = ((Y[at] as number) - (mean[i] as number)) ** 2;
      sseByDimension[i] = (sseByDimension[i] as number) + error;
      sstByDimension[i] = (sstByDimension[i] as number) + spread;
      sseByWindow[w] = (sseByWindow[w] as number) + error;
      sstByWindow[w] = (sstByWindow[w] as number) + spread;
    }
    const zero = new Float64Array(d);
    for (let start = 0; start < Y.length; start += d) {
      cosine.raw += rowCosine(predicted, Y, start, zero) / rows;
      cosine.centred += rowCosine(predicted, Y, start, centre) / rows;
    }
  });
  const sse = sum(sseByDimension);
  const sst = sum(sstByDimension);
  return { r2: 1 - sse / sst, cosine, sse, sst, sseByDimension, sstByDimension, sseByWindow, sstByWindow, rows };
}

/** Cosine of the two rows that begin at `start`, both less `centre`. */
function rowCosine(a: Float64Array, b: Float32Array, start: number, centre: Float64Array): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < centre.length; i++) {
    const x = (a[start + i] as number) - (centre[i] as number);
    const y = (b[start + i] as number) - (centre[i] as number);
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
