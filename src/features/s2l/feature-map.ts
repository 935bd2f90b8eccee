import { mismatch } from "../../errors.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import type { CorpusRecord, MapEnd, RowsLeftOut } from "../../maps/affine-map.ts";
import type { Interval, PredictionScore } from "../../maps/score/map-scores.ts";
import type { SparseRows } from "../sparse-rows.ts";

/** How a map from features was fitted: enough to fit it again. */
export interface FeatureFit {
  /** Ridge penalty as a multiple of the features' mean variance, see `fitCodes`. */
  readonly lambda: number;
  /** Penalties tried, with R² on the validation rows. */
  readonly tried: readonly { readonly lambda: number; readonly r2: number }[];
  readonly seed: number;
  readonly corpus: CorpusRecord;
  readonly rows: {
    readonly total: number;
    readonly train: number;
    readonly validation: number;
    readonly heldOut: number;
    readonly leftOut: RowsLeftOut;
  };
  readonly context: number;
  /** Active features of a training row, on average. */
  readonly meanActive: number;
  /** Pairs of features met together, of `features · (features + 1) / 2`. */
  readonly pairs: number;
  readonly version: string;
}

/** Held-out scores of a map from features, with what they must be compared with. */
export interface FeatureMapScores extends PredictionScore {
  readonly r2Interval: Interval;
  readonly nulls: {
    readonly mean: PredictionScore;
    /** The same fit on target rows of other windows. */
    readonly shuffled: PredictionScore;
    /** A table of the target's mean state by token id, no source at all: R². */
    readonly tokenTable: number;
  };
}

/** A map from the features of an autoencoder at a site of one model to the hidden states at a site of another: `y ≈ f B + p`. */
export interface FeatureMap {
  /** Where the autoencoder reads. */
  readonly source: MapEnd;
  readonly target: MapEnd;
  /** The autoencoder, by name and by the digest of its weights (`saeDigest`). */
  readonly sae: { readonly name: string; readonly sha256: string; readonly features: number };
  /** `[features, dTarget]` */
  readonly B: Matrix;
  /** `[dTarget]` */
  readonly p: Float64Array;
  /** Training rows in which each feature was active, `[features]`. */
  readonly active: Int32Array;
  /** The largest activation of each feature on the training rows, `[features]`. */
  readonly largest: Float32Array;
  readonly fit: FeatureFit;
  readonly scores: FeatureMapScores;
}

/** Predicts target states `[rows, dTarget]` from codes: a row costs its active features times the target's width. @throws bad-input for codes of another width */
export function applyFeatureMap({ B, p }: Pick<FeatureMap, "B" | "p">, codes: SparseRows): Matrix {
  if (codes.cols !== B.rows)
    throw mismatch("bad-input", "codes", `rows of ${B.rows} features`, `rows of ${codes.cols}`);
  const result = createMatrix(codes.rows, B.cols);
  for (let row = 0; row < codes.rows; row++) {
    const out = row * B.cols;
    result.data.set(p, out);
    for (let k = codes.offsets[row] as number; k < (codes.offsets[row + 1] as number); k++) {
      const value = codes.values[k] as number;
      const base = (codes.indices[k] as number) * B.cols;
      for (let i = 0; i < B.cols; i++)
        result.data[out + i] = (result.data[out + i] as number) + value * (B.data[base + i] as number);
    }
  }
  return result;
}

/**
 * What one unit of a feature adds to the target's hidden states, `[dTarget]`: row `feature` of B, without the bias.
 *
 * @throws bad-input for a feature out of range, or one that was never active while the map was fitted: nothing is known of it
 */
export function featureDirection(map: Pick<FeatureMap, "B" | "active">, feature: number): Float64Array {
  const { rows, cols, data } = map.B;
  if (!Number.isInteger(feature) || feature < 0 || feature >= rows)
    throw mismatch("bad-input", "feature", `an index from 0 to ${rows - 1}`, String(feature));
  if (map.active[feature] === 0)
    throw mismatch(
      "bad-input",
      `feature ${feature}`,
      "one that was active where the map was fitted",
      "one that never was",
      {
        hint: "fit the map on text in which it is active",
      },
    );
  return data.slice(feature * cols, (feature + 1) * cols);
}
