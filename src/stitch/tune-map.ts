import type { TailInput } from "../engine/native/tail-runner.ts";
import type { TailModel } from "../engine/tail/tail-model.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply, multiplyTransposed, transposedMultiply } from "../linalg/multiply.ts";
import { type Random, seededRandom } from "../linalg/random.ts";
import { createAdamW } from "../maps/fit/adamw.ts";
import type { Affine } from "../maps/fit/fit-ridge.ts";
import { carryRows } from "./carry-rows.ts";
import { headLoss } from "./head-loss.ts";
import type { OutputHead } from "./read-head.ts";
import { measureResponse, readFinalStates } from "./tail-response.ts";

/** A text as tuning reads it: its tokens, the source's states `[tokens, dSource]`, and what its first position is given. */
export interface TunedWindow {
  readonly tokens: Int32Array;
  readonly states: Float32Array;
  /** The target's own state for the first position, `[dTarget]`; mapped like the others where it is not known. */
  readonly first: Float32Array | undefined;
}

export interface TuneOptions {
  readonly tail: TailModel;
  readonly head: OutputHead;
  /** Windows that the steps are found on. */
  readonly training: readonly TunedWindow[];
  /** Windows that decide how far a step goes and whether it is kept; not among those that the map is scored on. */
  readonly validation: readonly TunedWindow[];
  /** Times that the late blocks are looked at anew. Default 3. */
  readonly rounds?: number | undefined;
  /** Steps of descent in each. Default 150. */
  readonly steps?: number | undefined;
  /** Rows of a step. Default 256. */
  readonly batch?: number | undefined;
  /** Length of a step for each coefficient, in deviations of what enters the late blocks. Default 0.03 in the first round, less in later ones. */
  readonly rate?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRound?: ((round: TuneRound) => void) | undefined;
}

/** What one round found. */
export interface TuneRound {
  /** Share of the step that was kept; 0 for none. */
  readonly kept: number;
  /** Loss on the validation windows with the real late blocks, nats per token. */
  readonly validationNats: number;
}

export interface TunedMap extends Affine {
  readonly rounds: readonly TuneRound[];
  /** On the validation windows before the first round. */
  readonly startNats: number;
}

const defaultSteps = 150;
const defaultRate = 0.03;
/** Shares of a step that are tried, longest first. */
const shares: readonly number[] = [1, 0.5, 0.25];
/** A round that gains less ends the tuning, nats. */
const leastGain = 0.002;

/**
 * Tunes a map on what it is for: the next-token loss of the stitched model, without a derivative of the engine.
 *
 * Each round runs the stitched model on training text, measures by small random changes how its final states answer to the states that
 * enter (a matrix J, {@link measureResponse}), and takes f + J (Δy) for the final states of a changed map. Through output head and
 * softmax the loss of that is exact, and its gradient by the coefficients known; Adam descends on it. How far to go along the change is
 * then decided by the loss of the real stitched model on validation text; a change that does not help is dropped.
 *
 * Only what happens at a row's own position is seen by J, and J is one for all rows: far from the start the picture is wrong, hence the
 * rounds. Least squares minimises the error of the states instead, whatever they mean to the blocks behind.
 *
 * @throws bad-input for windows without text or options out of range; aborted
 */
export async function tuneMap(start: Affine, options: TuneOptions): Promise<TunedMap> {
  const { tail, training, validation, rounds = 3, seed = 0, signal, onRound } = options;
  checkOptions(options);
  const random = seededRandom(seed);
  const space = standardise(training, start.A.cols);
  const found: TuneRound[] = [];
  const startNats = await measureLoss(tail, start, validation);
  let [current, best] = [start, startNats];
  for (let round = 0; round < rounds; round++) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    // Each round starts nearer to where it ends, and needs shorter steps.
    const rate = (options.rate ?? defaultRate) / (round + 1);
    const change = await findChange(current, space, { ...options, rate, random });
    let kept: { share: number; map: Affine; loss: number } | undefined;
    for (const share of shares) {
      const map = addChange(current, change, share);
      const loss = await measureLoss(tail, map, validation);
      if (loss < (kept?.loss ?? best)) kept = { share, map, loss };
      // Where less of it is worse, still less is worse too.
      else if (kept) break;
    }
    const gain = kept ? best - kept.loss : 0;
    if (kept) [current, best] = [kept.map, kept.loss];
    const told = { kept: kept?.share ?? 0, validationNats: best };
    found.push(told);
    onRound?.(told);
    if (gain < leastGain) break;
  }
  return { ...current, rounds: found, startNats };
}

/** Mean loss of the next token over windows, nats, of the real stitched model. */
export async function measureLoss(tail: TailModel, map: Affine, windows: readonly TunedWindow[]): Promise<number> {
  const scores = await tail.logProbabilities(windows.map((window) => toTailInput(map, window)));
  const tokens = scores.reduce((sum, { length }) => sum + length, 0);
  return -scores.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0) / tokens;
}

/** What enters the late blocks for a window. */
export function toTailInput(map: Affine, { tokens, states, first }: TunedWindow): TailInput {
  const rows = carryRows(map, states);
  if (first) rows.set(first);
  return { tokens, rows };
}

/** Source states of the training windows, each dimension shifted and scaled to mean 0 and variance 1. */
interface Space {
  readonly mean: Float64Array;
  /** 1 over the deviation; 0 for a constant dimension. */
  readonly inverse: Float64Array;
}

function standardise(windows: readonly TunedWindow[], width: number): Space {
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  let n = 0;
  for (const { tokens, states } of windows) {
    n += tokens.length - 1;
    for (let at = width; at < states.length; at++) {
      mean[at % width]! += states[at]!;
      square[at % width]! += states[at]! ** 2;
    }
  }
  mean.forEach((sum, i) => {
    mean[i] = sum / n;
  });
  const inverse = square.map((sum, i) => {
    const variance = sum / n - mean[i]! ** 2;
    return variance > 1e-12 * (sum / n) ? 1 / Math.sqrt(variance) : 0;
  });
  return { mean, inverse };
}

/** A change of a map in the standardised source: y + B xₛ + c. */
interface Change {
  readonly B: Matrix;
  readonly c: Float64Array;
  readonly space: Space;
}

function addChange({ A, p }: Affine, { B, c, space }: Change, share: number): Affine {
  const next = createMatrix(A.rows, A.cols);
  const shifted = p.slice();
  for (let i = 0; i < A.rows; i++) {
    shifted[i]! += share * c[i]!;
    for (let j = 0; j < A.cols; j++) {
      const change = share * B.data[i * A.cols + j]! * space.inverse[j]!;
      next.data[i * A.cols + j] = A.data[i * A.cols + j]! + change;
      shifted[i]! -= change * space.mean[j]!;
    }
  }
  return { A: next, p: shifted };
}

/** Rows of the training windows, without first positions and without last ones, which nothing follows. */
interface Rows {
  readonly X: Matrix;
  readonly F: Matrix;
  readonly next: Int32Array;
}

async function findChange(
  map: Affine,
  space: Space,
  options: TuneOptions & { rate: number; random: Random },
): Promise<Change> {
  const { tail, head, training, steps = defaultSteps, batch = 256, rate, random, signal } = options;
  const inputs = training.map((window) => toTailInput(map, window));
  const finals = await readFinalStates(tail, inputs);
  const deviation = rowDeviation(inputs, map.A.rows);
  const J = await measureResponse(tail, inputs, { finals, size: responseShare * deviation, random });
  const rows = toRows(training, finals, space);
  const [dTarget, dSource] = [map.A.rows, map.A.cols];
  const B = createMatrix(dTarget, dSource);
  const c = new Float64Array(dTarget);
  const adam = createAdamW([B.data, c], { learningRate: rate * deviation, weightDecay: 0 });
  for (let step = 0; step < steps; step++) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const chosen = Int32Array.from({ length: Math.min(batch, rows.next.length) }, () =>
      random.integer(rows.next.length),
    );
    const X = takeRows(rows.X, chosen);
    const D = multiplyTransposed(X, B);
    for (let at = 0; at < D.data.length; at++) D.data[at]! += c[at % dTarget]!;
    const F = takeRows(rows.F, chosen);
    const response = multiplyTransposed(D, J);
    for (let at = 0; at < F.data.length; at++) F.data[at]! += response.data[at]!;
    const { gradient } = headLoss(
      head,
      F,
      chosen.map((row) => rows.next[row]!),
    );
    const G = multiply(gradient, J);
    const gB = transposedMultiply(G, X);
    const gc = new Float64Array(dTarget);
    for (let at = 0; at < G.data.length; at++) gc[at % dTarget]! += G.data[at]!;
    // The rate falls to nothing in a half cosine, so that the last steps average out the noise of the batches.
    adam.step([gB.data, gc], { scale: 1, rate: 0.5 * (1 + Math.cos((Math.PI * step) / steps)) });
  }
  return { B, c, space };
}

/** Size of the changes that the response is measured with, in deviations of the rows: small beside them, large beside rounding. */
const responseShare = 0.1;

/** Root mean square deviation of the rows from their mean, over all dimensions. */
function rowDeviation(inputs: readonly TailInput[], width: number): number {
  const mean = new Float64Array(width);
  let [n, square] = [0, 0];
  for (const { tokens, rows } of inputs) {
    n += tokens.length - 1;
    for (let at = width; at < rows.length; at++) {
      mean[at % width]! += rows[at]!;
      square += rows[at]! ** 2;
    }
  }
  const about = mean.reduce((sum, value) => sum + (value / n) ** 2, 0);
  return Math.sqrt(Math.max(0, square / n - about) / width);
}

function toRows(windows: readonly TunedWindow[], finals: readonly Float32Array[], { mean, inverse }: Space): Rows {
  const n = windows.reduce((sum, { tokens }) => sum + Math.max(0, tokens.length - 2), 0);
  const dSource = mean.length;
  const dTarget = (finals[0] as Float32Array).length / (windows[0] as TunedWindow).tokens.length;
  const [X, F, next] = [createMatrix(n, dSource), createMatrix(n, dTarget), new Int32Array(n)];
  let row = 0;
  windows.forEach(({ tokens, states }, at) => {
    for (let position = 1; position < tokens.length - 1; position++, row++) {
      for (let j = 0; j < dSource; j++)
        X.data[row * dSource + j] = (states[position * dSource + j]! - mean[j]!) * inverse[j]!;
      F.data.set(finals[at]!.subarray(position * dTarget, (position + 1) * dTarget), row * dTarget);
      next[row] = tokens[position + 1]!;
    }
  });
  return { X, F, next };
}

function takeRows(A: Matrix, rows: Int32Array): Matrix {
  const taken = createMatrix(rows.length, A.cols);
  rows.forEach((row, at) => {
    taken.data.set(A.data.subarray(row * A.cols, (row + 1) * A.cols), at * A.cols);
  });
  return taken;
}

function checkOptions({
  training,
  validation,
  rounds = 3,
  steps = defaultSteps,
  batch = 256,
  rate = defaultRate,
}: TuneOptions): void {
  for (const [name, windows] of Object.entries({ training, validation }))
    if (!windows.some(({ tokens }) => tokens.length > 2))
      throw mismatch("bad-input", `${name} windows`, "one of at least three tokens", "none");
  for (const [name, value] of Object.entries({ rounds, steps, batch }))
    if (!Number.isInteger(value) || value < 1)
      throw mismatch("bad-input", name, "a whole number from 1", String(value));
  if (!(rate > 0) || !Number.isFinite(rate)) throw mismatch("bad-input", "rate", "a number above 0", String(rate));
}
