import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { fitLogistic } from "./fit-logistic.ts";

/** Rows of hidden states, each of one of two classes. */
export interface LabelledRows {
  /** Number of rows. */
  readonly rows: number;
  readonly width: number;
  /** `[rows, width]` row-major. */
  readonly data: Float32Array;
  /** `[rows]`: 1 for positive rows, 0 for negative ones. */
  readonly labels: Uint8Array;
}

export interface LogisticOptions {
  /** Penalty on the weights of the standardised dimensions, λ/2 ‖w‖². Default 1, as the usual `C = 1`. */
  readonly lambda?: number;
}

/** A plane: rows with `weights · x + bias` > 0 are called positive. */
export interface Plane {
  /** `[width]`. */
  readonly weights: Float64Array;
  readonly bias: number;
}

/**
 * Fits a logistic regression to labelled rows and returns the log-odds as a function of the rows themselves, `weights · x + bias`.
 *
 * Minimises Σ log(1 + exp(−yᵢ (w·zᵢ + b))) + λ/2 ‖w‖², where z is x with each dimension centred and divided by its standard deviation within
 * a class. (Deviations over all rows would hold the concept itself and flatten it.)
 *
 * @throws bad-input if a class has no rows, or λ is not above 0; internal if Newton's method does not converge
 */
export function fitLogisticRows(rows: LabelledRows, { lambda = 1 }: LogisticOptions = {}): Plane {
  if (!(lambda > 0 && Number.isFinite(lambda)))
    throw mismatch("bad-input", "lambda", "a number above 0", String(lambda));
  const { Z, deviations, centre } = standardise(rows);
  const labels = Float64Array.from(rows.labels, (label) => (label === 1 ? 1 : -1));
  const w = fitLogistic(Z, labels, lambda);
  const weights = Float64Array.from(deviations, (deviation, j) => w[j]! / deviation);
  return { weights, bias: centre.reduce((sum, value, j) => sum - weights[j]! * value, w[rows.width]!) };
}

/** Mean of the rows of each class, `[width]`. @throws bad-input if a class has no rows */
export function classMeans(rows: LabelledRows): { readonly positive: Float64Array; readonly negative: Float64Array } {
  const { width, data, labels } = rows;
  const [positive, negative] = [new Float64Array(width), new Float64Array(width)];
  const counts = countClasses(rows);
  for (let i = 0; i < rows.rows; i++) {
    const [mean, count] = labels[i] === 1 ? [positive, counts.positive] : [negative, counts.negative];
    for (let j = 0; j < width; j++) mean[j] = mean[j]! + data[i * width + j]! / count;
  }
  return { positive, negative };
}

/** Rows of each class. @throws bad-input if one has none */
export function countClasses({ rows, labels }: Pick<LabelledRows, "rows" | "labels">): {
  readonly positive: number;
  readonly negative: number;
} {
  let positive = 0;
  for (let i = 0; i < rows; i++) positive += labels[i] === 1 ? 1 : 0;
  if (positive === 0 || positive === rows)
    throw mismatch("bad-input", "labelled rows", "rows of both classes", `${positive} positive of ${rows}`);
  return { positive, negative: rows - positive };
}

/** Keeps dimensions that hardly vary within a class from being blown up; as a share of the mean variance over all rows. */
const varianceFloor = 1e-3;

/** The rows centred between the class means and divided by the deviations within a class; a last column of ones for the intercept. */
function standardise(rows: LabelledRows): { Z: Matrix; deviations: Float64Array; centre: Float64Array } {
  const { rows: n, width, data, labels } = rows;
  const { positive, negative } = classMeans(rows);
  const counts = countClasses(rows);
  const variances = new Float64Array(width);
  for (let i = 0; i < n; i++) {
    const mean = labels[i] === 1 ? positive : negative;
    for (let j = 0; j < width; j++) variances[j] = variances[j]! + (data[i * width + j]! - mean[j]!) ** 2 / n;
  }
  // Variance over all rows = within the classes + that of the classes' means.
  const between = (counts.positive * counts.negative) / n ** 2;
  const total = variances.reduce((sum, value, j) => sum + value + between * (positive[j]! - negative[j]!) ** 2, 0);
  const floor = varianceFloor * (total / width);
  const deviations = variances.map((variance) => Math.sqrt(variance + floor) || 1);
  const centre = positive.map((value, j) => (value + negative[j]!) / 2);
  const Z = createMatrix(n, width + 1);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < width; j++) Z.data[i * Z.cols + j] = (data[i * width + j]! - centre[j]!) / deviations[j]!;
    Z.data[i * Z.cols + width] = 1;
  }
  return { Z, deviations, centre };
}
