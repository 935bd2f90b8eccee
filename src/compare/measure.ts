import type { Matrix } from "../linalg/matrix.ts";
import type { Readout } from "./readout-distances.ts";

/** What every measure understands; each ignores what it has no use for. */
export interface MeasureOptions {
  /** Neighbours of a row, where a measure looks at neighbours. Default 10. */
  readonly neighbours?: number | undefined;
  /** Rows that others are described by, where a measure has such; drawn by `anchorSeed`. Default 100, at most a fifth of the rows. */
  readonly anchors?: number | undefined;
  /** Default 0. */
  readonly anchorSeed?: number | undefined;
  /** How the models of X and Y read a state out, where a measure looks through the logits; it is not defined without. */
  readonly readouts?: { readonly x: Readout; readonly y: Readout } | undefined;
}

/**
 * Scores one pairing of the rows: row i of X with row `order[i]` of Y, or with row i where no order is given. Higher is more alike; `NaN` where
 * the measure is not defined (a side that does not vary, too few rows).
 */
export type PairingScore = (order?: ArrayLike<number>) => number;

/** One way to say how alike two sets of paired rows are, whatever their widths. */
export interface Measure {
  /** Word for command lines, files and tables, such as `kernel-cka`. */
  readonly name: string;
  /** Name in sentences and figures, such as `kernel CKA`. */
  readonly label: string;
  /** Where it was published: `arXiv 1905.00414`, or a DOI. */
  readonly source: string;
  /** One sentence: what a high value says. */
  readonly says: string;
  /** What each side may be put through without changing the score. */
  readonly unchangedBy: string;
  /** The score of rows as they are paired: X `[n, dX]`, Y `[n, dY]`. Higher is more alike. `NaN` where it is not defined. @throws bad-input */
  run(X: Matrix, Y: Matrix, options?: MeasureOptions): number;
  /** Does once what every pairing of the same rows needs, for nulls. Without it each pairing is a {@link run} of its own. */
  prepare?(X: Matrix, Y: Matrix, options?: MeasureOptions): PairingScore;
}
