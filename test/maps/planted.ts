import type { PairedRows } from "../../src/activations/read-rows.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { type Random, seededRandom } from "../../src/linalg/random.ts";

/** Rows of standard normals, float32 `[n, d]`, times `scale`, plus `mean`. */
export function normalRows(n: number, d: number, random: Random, scale = 1, mean = 0): Float32Array {
  return Float32Array.from({ length: n * d }, () => mean + scale * random.normal());
}

/** A matrix of standard normals over √cols, so that A x is about as long as x. */
export function plantedMatrix(rows: number, cols: number, random: Random): Matrix {
  return createMatrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => random.normal() / Math.sqrt(cols)),
  );
}

/** Y = A x + p + noise, float32. */
export function mapRows(X: Float32Array, A: Matrix, p: ArrayLike<number>, noise: number, random: Random): Float32Array {
  const n = X.length / A.cols;
  return Float32Array.from({ length: n * A.rows }, (_, at) => {
    const row = Math.floor(at / A.rows);
    const i = at % A.rows;
    let sum = p[i]! + noise * random.normal();
    for (let j = 0; j < A.cols; j++) sum += A.data[i * A.cols + j]! * X[row * A.cols + j]!;
    return sum;
  });
}

/** Rows of one source and one target site, as they are read and as they are held out. */
export type PlantedWindow = PairedRows & { readonly X: Float32Array; readonly Y: Float32Array };

/** Wraps rows as a window, as if read from two models; every window is a group of its own, 40 are a unit. */
export function toWindow(window: number, X: Float32Array, Y: Float32Array, tokens: Int32Array): PlantedWindow {
  return {
    unit: Math.floor(window / 40),
    window,
    group: window,
    document: { index: window, text: `text ${window}`, source: `planted:${window}`, fraction: 0 },
    read: tokens.length + 1,
    tokens,
    states: [X, Y],
    X,
    Y,
    weights: undefined,
    leftOut: { first: 1, special: 0, sink: 0, unselected: 0 },
  };
}

/** Windows of y = A x + p + noise with uniformly drawn token ids that mean nothing. */
export function plantedWindows(
  A: Matrix,
  options: { windows: number; rows: number; noise: number; seed: number; p?: Float64Array; vocabulary?: number },
): PlantedWindow[] {
  const { windows, rows, noise, seed, p = new Float64Array(A.rows), vocabulary = 50 } = options;
  const random = seededRandom(seed);
  return Array.from({ length: windows }, (_, w) => {
    const X = normalRows(rows, A.cols, random);
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocabulary));
    return toWindow(w, X, mapRows(X, A, p, noise, random), tokens);
  });
}
