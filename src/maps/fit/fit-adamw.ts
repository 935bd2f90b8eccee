import { mismatch, type TrimtabError } from "../../errors.ts";
import { addTransposedProduct } from "../../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiplyTransposed, toView } from "../../linalg/multiply.ts";
import { seededRandom } from "../../linalg/random.ts";
import { type AdamWOptions, createAdamW } from "./adamw.ts";
import type { Affine } from "./fit-ridge.ts";

/** The rows of one window: X `[n, dSource]`, Y `[n, dTarget]`. */
export interface RowWindow {
  readonly X: Float32Array;
  readonly Y: Float32Array;
}

export interface FitAdamWOptions extends AdamWOptions {
  readonly dSource: number;
  readonly dTarget: number;
  /** Windows per step. Default 32, as in the paper, whose windows are of 512 tokens. */
  readonly batchWindows?: number | undefined;
  /** Passes over the rows. Default 4. */
  readonly epochs?: number | undefined;
  /** Draws the initial map where none is given. Default 0. */
  readonly seed?: number | undefined;
  /** Where to start; default uniform on ±1/√dSource, coefficients and intercept alike, as PyTorch's linear layer does. */
  readonly initial?: Affine | undefined;
  /** Factor on the learning rate at a step, from 0. Default 1 throughout. */
  readonly schedule?: ((step: number) => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told after each epoch, from 0, with its entry of `lossByEpoch`. */
  readonly onEpoch?: ((epoch: number, loss: number) => void) | undefined;
  /** Ends after an epoch if true, as when held-out rows no longer gain. The map is the one so far and changes with the next step. */
  readonly stopWhen?: ((map: Affine, epoch: number) => boolean) | undefined;
}

/** A map found by descent and how it got there. */
export interface AdamWFit extends Affine {
  /** Mean squared error per row and target dimension over each epoch, every batch measured before its step. */
  readonly lossByEpoch: Float64Array;
  readonly steps: number;
  /** Rows of one epoch. */
  readonly rows: number;
  readonly warnings: readonly string[];
}

/** An epoch that lowers the loss by more than this share shows that descent has not arrived. */
const settled = 0.01;

/**
 * Fits an affine map the way the paper does, by AdamW on streamed rows: a reference to compare with, not the way to fit.
 *
 * Minimises the mean of (y − A x − p)² over rows and target dimensions in steps of `batchWindows` windows, `epochs` times over the
 * stream, which is opened anew for each. Defaults are the paper's for base models: rate 10⁻⁴ (10⁻³ for chat models), 32 windows, 4 epochs;
 * betas, epsilon and the decoupled weight decay of 0.01, on the intercept too, are PyTorch's. Batches come in the order of the stream;
 * `rows` is told the epoch and may shuffle. A last, smaller batch is a step like any other. Memory is six maps and one window.
 *
 * Sums run in float64, so that what separates the result from {@link fitRidge} is the method and not rounding; float32 would about halve
 * the time of the products. Descent takes as many steps as it takes: directions that vary little, and dimensions far larger than others,
 * are still off when the loss looks flat. The exact fit has no such error.
 *
 * @throws bad-input for options out of range, rows of other widths, a stream without rows, or a loss that is no longer finite; aborted
 * @see Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019
 * @example
 * const map = await fitAdamW(() => readWindows(path), { dSource: 2304, dTarget: 3584, learningRate: 1e-4 });
 */
export async function fitAdamW(
  rows: (epoch: number) => AsyncIterable<RowWindow>,
  options: FitAdamWOptions,
): Promise<AdamWFit> {
  const {
    dSource,
    dTarget,
    batchWindows = 32,
    epochs = 4,
    seed = 0,
    schedule = () => 1,
    signal,
    onEpoch,
    stopWhen,
  } = options;
  for (const [name, value] of Object.entries({ dSource, dTarget, batchWindows, epochs }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw mismatch("bad-input", name, "an integer of at least 1", `${value}`);
  const { A, p } = copyOf(options.initial ?? drawInitial(dSource, dTarget, seed), dSource, dTarget);
  const optimiser = createAdamW([A.data, p], options);
  const gradient = { A: createMatrix(dTarget, dSource), p: new Float64Array(dTarget) };
  const losses: number[] = [];
  let steps = 0;
  let count = 0;

  for (let epoch = 0; epoch < epochs; epoch++) {
    const total = { squares: 0, rows: 0 };
    const batch = { squares: 0, rows: 0, windows: 0 };
    const step = (): void => {
      if (batch.rows > 0) {
        if (!Number.isFinite(batch.squares)) throw diverged(steps);
        const scale = 2 / (batch.rows * dTarget);
        optimiser.step([gradient.A.data, gradient.p], { scale, rate: schedule(steps) });
        steps++;
      }
      total.squares += batch.squares;
      total.rows += batch.rows;
      gradient.A.data.fill(0);
      gradient.p.fill(0);
      Object.assign(batch, { squares: 0, rows: 0, windows: 0 });
    };
    for await (const window of rows(epoch)) {
      signal?.throwIfAborted();
      batch.rows += checkWindow(window, dSource, dTarget);
      batch.squares += addGradient(gradient, { A, p }, window);
      batch.windows++;
      if (batch.windows === batchWindows) step();
    }
    step();
    if (total.rows === 0) throw mismatch("bad-input", "rows", `some in epoch ${epoch}`, "none");
    count = total.rows;
    const loss = total.squares / (total.rows * dTarget);
    losses.push(loss);
    onEpoch?.(epoch, loss);
    if (stopWhen?.({ A, p }, epoch)) break;
  }
  if (!p.every(Number.isFinite) || !A.data.every(Number.isFinite)) throw diverged(steps);
  return { A, p, lossByEpoch: Float64Array.from(losses), steps, rows: count, warnings: toWarnings(losses) };
}

/** Adds Σ e xᵀ and Σ e, e = A x + p − y, over the rows of a window; returns Σ‖e‖². */
function addGradient(gradient: Affine, { A, p }: Affine, { X, Y }: RowWindow): number {
  const [dTarget, dSource] = [A.rows, A.cols];
  const n = X.length / dSource;
  const rows = createMatrix(n, dSource, new Float64Array(X));
  const errors = multiplyTransposed(rows, A);
  let squares = 0;
  for (let row = 0, at = 0; row < n; row++)
    for (let i = 0; i < dTarget; i++, at++) {
      const error = (errors.data[at] as number) + (p[i] as number) - (Y[at] as number);
      errors.data[at] = error;
      gradient.p[i] = (gradient.p[i] as number) + error;
      squares += error * error;
    }
  addTransposedProduct(toView(gradient.A), toView(errors), toView(rows), { m: dTarget, n: dSource, k: n });
  return squares;
}

function drawInitial(dSource: number, dTarget: number, seed: number): Affine {
  const random = seededRandom(seed);
  const bound = 1 / Math.sqrt(dSource);
  const draw = (): number => bound * (2 * random.uniform() - 1);
  const A = createMatrix(dTarget, dSource, Float64Array.from({ length: dTarget * dSource }, draw));
  return { A, p: Float64Array.from({ length: dTarget }, draw) };
}

function copyOf({ A, p }: Affine, dSource: number, dTarget: number): { readonly A: Matrix; readonly p: Float64Array } {
  if (A.rows !== dTarget || A.cols !== dSource || p.length !== dTarget)
    throw mismatch("bad-input", "initial map", `one from ${dSource} to ${dTarget}`, `from ${A.cols} to ${A.rows}`);
  return { A: createMatrix(dTarget, dSource, A.data.slice()), p: p.slice() };
}

function checkWindow({ X, Y }: RowWindow, dSource: number, dTarget: number): number {
  const n = X.length / dSource;
  if (!Number.isInteger(n) || Y.length !== n * dTarget)
    throw mismatch(
      "bad-input",
      "paired rows",
      `whole rows of ${dSource} and ${dTarget}, equally many`,
      `${X.length} and ${Y.length} values`,
    );
  return n;
}

function diverged(step: number): TrimtabError {
  return mismatch("bad-input", `AdamW, step ${step}`, "a finite loss", "one that is not", {
    hint: "lower the learning rate, and look for rows that are not finite",
  });
}

function toWarnings(losses: readonly number[]): string[] {
  const last = losses.at(-1) as number;
  const before = losses.at(-2) ?? Number.NaN;
  if (before - last > settled * before)
    return [
      `not converged: the last epoch still lowered the loss by ${((100 * (before - last)) / before).toFixed(1)} %`,
    ];
  if (last > before) return ["the last epoch raised the loss: the learning rate is too high to settle"];
  return [];
}
