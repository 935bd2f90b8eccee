import type { AlignmentCounts } from "../activations/align/aligned-text.ts";
import type { ModelIdentity } from "../engine/description.ts";
import type { Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { MapScores } from "./score/map-scores.ts";

/** One end of a map: the model, the site whose rows it reads or writes, and how long those rows are. */
export interface MapEnd {
  readonly model: ModelIdentity;
  readonly site: Site;
  /** Median Euclidean norm of the rows at the site: the unit of relative steering strengths. */
  readonly medianNorm: number;
}

/** The corpus a map was fitted on, so that another fit can be shown to have read the same text. */
export interface CorpusRecord {
  readonly name: string;
  /** sha256 (hex) of the documents read, in order. */
  readonly sha256: string;
  readonly documents: number;
  readonly windows: number;
}

/** Positions read that gave no row, by the first reason that applied. */
export interface RowsLeftOut {
  /** The first position of a window. */
  readonly first: number;
  readonly special: number;
  /** Rows more than ten times as long as the median. */
  readonly sink: number;
  /** Positions that the row selection did not name. */
  readonly unselected: number;
  /** Of aligned rows: tokens of the source that give no row of their own. */
  readonly unaligned?: number | undefined;
}

/** Where the rows of a fit went. `total` counts every position read; what was not left out was split three ways. */
export interface RowCounts {
  readonly total: number;
  /** Rows the coefficients were fitted on. */
  readonly train: number;
  /** Rows that chose lambda. */
  readonly validation: number;
  /** Rows that were scored once, at the end. */
  readonly heldOut: number;
  readonly leftOut: RowsLeftOut;
}

/** How the coefficients were fitted. */
export type FitMethod = "ridge" | "ols" | "procrustes" | "scaled-procrustes" | "reduced-rank" | "adamw";

/** What was done to the centred states before the fit: nothing, each dimension scaled to variance 1, or all of them decorrelated too. */
export type FitSpace = "raw" | "standardised" | "whitened";

/** How the rows of two models were paired, and how much of what each read. */
export interface AlignmentRecord extends AlignmentCounts {
  /** As `parseAlignment` reads it: `spans`, `sentences@mean`. */
  readonly by: string;
  /** Whose token ids the token table goes by. */
  readonly tokensOf: "source" | "target";
}

/** How a map was made: enough to make it again. */
export interface FitRecord {
  readonly method: FitMethod;
  /** The space the coefficients were fitted in. The map itself is between the states as they are, whatever the space. */
  readonly space: FitSpace;
  /** Ridge penalty as a multiple of the source's mean eigenvalue in that space (see `fitRidge`); 0 where there is none. */
  readonly lambda: number;
  /** Rank of A, where it was chosen. */
  readonly rank?: number;
  /** How the penalty was chosen. */
  readonly choice: "validation" | "cross-validation" | "given";
  /** Folds of a cross-validation. */
  readonly folds?: number;
  /** Every penalty tried with its R² on the rows that chose. */
  readonly tried: readonly { readonly lambda: number; readonly r2: number }[];
  /**
   * Condition number of the standardised source covariance on the training rows; large means directions that barely occurred. Infinity,
   * `null` in files and JSON, where one did not occur at all.
   */
  readonly condition: number;
  readonly seed: number;
  readonly corpus: CorpusRecord;
  readonly rows: RowCounts;
  /** Tokens per window. */
  readonly context: number;
  /** Which positions gave rows, as `parseRowSelection` reads it: `all`, `last` or `all,pairs@last*4`. */
  readonly rowSelection: string;
  /** How rows were paired and how much of the text could be, where it was not by token id. */
  readonly alignment?: AlignmentRecord | undefined;
  /** Version of Trimtab that fitted it. */
  readonly version: string;
  /** When, ISO 8601, if the caller said so. */
  readonly createdAt?: string;
}

/** An affine map from one or several sites of a model to a site of another: `y ≈ A x + p`. */
export interface AffineMap {
  /** Where x is read: at least one site, all of one model, each once. The columns of A are their widths in this order. */
  readonly sources: readonly MapEnd[];
  readonly target: MapEnd;
  /** `[dTarget, Σ widths of the sources]`. */
  readonly A: Matrix;
  /** `[dTarget]`. */
  readonly p: Float64Array;
  readonly fit: FitRecord;
  readonly scores: MapScores;
}

/**
 * Carries hidden states across: row i of the result is `A xᵢ + p`.
 *
 * X is `[n, dSource]` row-major, the result `[n, dTarget]`; sums run in float64.
 *
 * @throws bad-input if X is not a whole number of rows of the source's width
 */
export function applyMap(map: Pick<AffineMap, "A" | "p">, X: Float32Array): Float32Array {
  const { rows: dTarget, cols: dSource, data } = map.A;
  if (X.length % dSource !== 0)
    throw mismatch("bad-input", "hidden states", `rows of width ${dSource}`, `${X.length} values`);
  const n = X.length / dSource;
  const result = new Float32Array(n * dTarget);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < dTarget; i++) {
      let sum = map.p[i] as number;
      for (let j = 0; j < dSource; j++) sum += (data[i * dSource + j] as number) * (X[row * dSource + j] as number);
      result[row * dTarget + i] = sum;
    }
  return result;
}

/**
 * Carries a direction across: `A v`, without `p`.
 *
 * A direction is a difference of hidden states, and in a difference the bias cancels. With p added, ‖p‖ drowned the concept in every
 * measurement made (docs/conventions.md). v is `[dSource]`, the result `[dTarget]`; its length is not renormalised.
 *
 * @throws bad-input if v has another width than the map's source
 */
export function carryDirection(map: Pick<AffineMap, "A">, v: Float32Array | Float64Array): Float64Array {
  const { rows, cols, data } = map.A;
  if (v.length !== cols) throw mismatch("bad-input", "direction", `width ${cols}, the map's source`, `${v.length}`);
  const result = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += (data[i * cols + j] as number) * (v[j] as number);
    result[i] = sum;
  }
  return result;
}
