import type { TailModel } from "../engine/tail/tail-model.ts";
import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";

/** The last norm and the output head of a model as arithmetic: logits = M z + b, z the final state normalised. */
export interface OutputHead {
  /** How a state is normalised: divided by its root mean square, or centred first. */
  readonly norm: "rms" | "layer";
  /** `[vocabulary, width]` */
  readonly M: Matrix;
  /** `[vocabulary]` */
  readonly b: Float64Array;
  /** Largest difference of its logits from the engine's on real states, and the largest logit there. */
  readonly error: { readonly maxDifference: number; readonly largestLogit: number };
}

/** Numbers that a head may have: 4 GiB in float64. */
const mostNumbers = 2 ** 29;
/** A state so long that no epsilon of a norm is felt beside it. */
const probeLength = 1000;
/** Largest error of a logit, as a share of the largest: heads of 4 bits and their float16 sums stay below it. */
const tolerance = 0.01;

/**
 * Reads a model's output head through the engine, whatever its file's format: the logits after each axis of the final states are the
 * columns of the matrix.
 *
 * @param last - a tail cut at the last block: norm and head alone act on what it is given
 * @param check - final states of the model, `[n, width]`, on which the result is tried
 * @throws unsupported if the head is no norm and matrix (logits that are capped, for one), or too large to hold
 */
export async function readHead(last: TailModel, check: Float32Array): Promise<OutputHead> {
  const { width, vocabulary, name } = last.description;
  if (width * vocabulary > mostNumbers)
    throw mismatch("unsupported", `output head of ${name}`, `at most ${mostNumbers} numbers`, `${width * vocabulary}`);
  const columns = createMatrix(width, vocabulary);
  for (let axis = 0; axis < width; axis++) {
    const rows = new Float32Array(width);
    rows[axis] = probeLength;
    const [logits] = await last.logits([{ tokens: Int32Array.of(0), rows }]);
    columns.data.set(logits as Float32Array, axis * vocabulary);
  }
  const n = check.length / width;
  const inputs = Array.from({ length: n }, (_, row) => ({
    tokens: Int32Array.of(0),
    rows: check.slice(row * width, (row + 1) * width),
  }));
  const truth = await last.logits(inputs);
  const heads = (["rms", "layer"] as const).map((norm) => tryHead(norm, columns, { check, truth }));
  const [best] = heads.sort((a, b) => a.error.maxDifference - b.error.maxDifference);
  const { maxDifference, largestLogit } = (best as OutputHead).error;
  if (!(maxDifference <= tolerance * Math.max(1, largestLogit)))
    throw mismatch(
      "unsupported",
      `output head of ${name}`,
      "a norm and a matrix",
      `logits that differ by ${maxDifference.toPrecision(2)} from such`,
    );
  return best as OutputHead;
}

function tryHead(
  norm: OutputHead["norm"],
  columns: Matrix,
  { check, truth }: { check: Float32Array; truth: readonly Float32Array[] },
): OutputHead {
  const [width, vocabulary] = [columns.rows, columns.cols];
  const b = new Float64Array(vocabulary);
  // Centred axes sum to nothing, so what their logits have in common is the bias.
  if (norm === "layer")
    for (let axis = 0; axis < width; axis++)
      for (let v = 0; v < vocabulary; v++) b[v]! += columns.data[axis * vocabulary + v]! / width;
  // The length that an axis has once it is normalised.
  const length = norm === "rms" ? Math.sqrt(width) : width / Math.sqrt(width - 1);
  const M = createMatrix(vocabulary, width);
  for (let v = 0; v < vocabulary; v++)
    for (let axis = 0; axis < width; axis++)
      M.data[v * width + axis] = (columns.data[axis * vocabulary + v]! - b[v]!) / length;
  const Z = createMatrix(truth.length, width);
  for (let row = 0; row < truth.length; row++)
    Z.data.set(normalise(norm, Float64Array.from(check.subarray(row * width, (row + 1) * width))).z, row * width);
  const logits = multiplyTransposed(Z, M);
  let [maxDifference, largestLogit] = [0, 0];
  truth.forEach((row, at) => {
    row.forEach((expected, v) => {
      const found = logits.data[at * vocabulary + v]! + b[v]!;
      maxDifference = Math.max(maxDifference, Math.abs(found - expected));
      largestLogit = Math.max(largestLogit, Math.abs(expected));
    });
  });
  return { norm, M, b, error: { maxDifference, largestLogit } };
}

/** The normalised state, and the length it was divided by. */
export function normalise(norm: OutputHead["norm"], state: Float64Array): { z: Float64Array; length: number } {
  const d = state.length;
  const mean = norm === "layer" ? state.reduce((sum, value) => sum + value, 0) / d : 0;
  let square = 0;
  for (const value of state) square += (value - mean) ** 2;
  const length = Math.max(Math.sqrt(square / d), Number.MIN_VALUE);
  return { z: state.map((value) => (value - mean) / length), length };
}
