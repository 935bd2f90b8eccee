import { setImmediate as turn } from "node:timers/promises";
import { mismatch, TrimtabError } from "../../errors.ts";
import type { CheckpointOptions } from "../../maps/collect/checkpoint.ts";
import type { Sae } from "../sae.ts";
import { saeDigest } from "../sae-digest.ts";
import { adamStep } from "./adam.ts";
import { beginTraining } from "./begin-training.ts";
import { type Block, blockOrder, readBlocks } from "./blocks.ts";
import { createBatchGradients } from "./gradients.ts";
import { createParameters, normaliseRows, removeParallel } from "./parameters.ts";
import type { RowSource } from "./row-source.ts";
import { resolveTrainSettings, type TrainOptions } from "./settings.ts";
import { toSae } from "./to-sae.ts";
import { openTrainCheckpoint } from "./train-checkpoint.ts";
import { noSums, type TrainingState, type TrainPoint } from "./training-state.ts";

/** Where a training stands. */
export interface TrainProgress extends TrainPoint {
  readonly steps: number;
}

export interface TrainSaeOptions extends TrainOptions {
  /** Where training is saved while it goes on; nowhere if left out. */
  readonly checkpoint?: CheckpointOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told after each step. */
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  /** What training starts from, instead of random directions: of the same width, features and kind, its gate and input scale aside. */
  readonly initial?: Sae | undefined;
  /** Shown the autoencoder as it is after each of these steps; 0 is where training starts. The training waits. */
  readonly snapshots?: SaeSnapshots | undefined;
  /** Told the steps already done, when going on from a checkpoint. */
  readonly onResume?: ((step: number) => void) | undefined;
}

/** When a growing autoencoder is shown, and to whom. */
export interface SaeSnapshots {
  readonly atSteps: readonly number[];
  readonly onSnapshot: (sae: Sae, step: number) => void | Promise<void>;
}

/** Lines that the history of a training has, about. */
const historyLines = 100;

/**
 * Trains a sparse autoencoder on rows of hidden states.
 *
 * Rows are scaled to a mean length of √width (kept as `inputScale`), visited in a seeded random order within blocks of `bufferRows`, pass after
 * pass. Loss and gradients are those of {@link createBatchGradients}; the decoder's rows are kept at length 1 and the part of their gradient
 * that would only change that length is removed; Adam's step length rises, stays and falls in straight lines. `batchtopk` gets the
 * threshold it needs without a batch at the end: the mean, over batches, of the smallest active coefficient.
 *
 * Same source, options, machine and threads: same bits, also across an interruption with a checkpoint.
 *
 * @throws bad-input for options or rows that cannot be trained on; incompatible, bad-input for a checkpoint of another training or a
 * damaged one; aborted, after saving
 * @see Gao et al., arXiv 2406.04093; Rajamanoharan et al., arXiv 2407.14435; Bussmann et al., arXiv 2412.06410; Kingma and Ba, arXiv 1412.6980
 * @example
 * const sae = await trainSae(toRowSource("states", X, 128), { features: 1024, k: 16 });
 */
export async function trainSae(rows: RowSource, options: TrainSaeOptions = {}): Promise<Sae> {
  const { signal, onProgress, onResume, checkpoint: save, initial, snapshots } = options;
  const { width } = rows;
  const asked = resolveTrainSettings(options, width);
  checkInitial(initial, width);
  // Where it starts is part of what a training is: of its provenance, and of what a checkpoint must agree on.
  const source = initial ? { ...rows, facts: { ...rows.facts, initial: saeDigest(initial) } } : rows;
  const atSteps = new Set(snapshots?.atSteps);
  await using checkpoint = await openTrainCheckpoint(save, asked, source);
  let state = checkpoint.start;
  if (state) onResume?.(state.step);
  const place = { epoch: state?.epoch ?? 0, index: state?.block ?? 0, firstChunk: state?.firstChunk ?? 0 };
  const blocks = readBlocks(source, { width, bufferRows: asked.bufferRows, start: place, signal });
  let runner: Runner | undefined;
  for await (const block of blocks) {
    if (state && state.step > 0) checkpoint.checkRows(block);
    state ??= beginTraining(asked, block, { width, initial });
    runner ??= createRunner(state, width);
    if (state.used === 0)
      Object.assign(state, { epoch: block.epoch, block: block.index, firstChunk: block.firstChunk });
    const order = blockOrder(asked.seed, block, width);
    if (state.step === 0 && atSteps.has(0)) await snapshots?.onSnapshot(toSae(state, source, block, order), 0);
    while (state.step < state.settings.steps && state.used + asked.batch <= order.length) {
      if (signal?.aborted) {
        await checkpoint.saveNow(state, block);
        throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      }
      const point = runner.step(block, order);
      onProgress?.({ ...point, steps: state.settings.steps });
      if (atSteps.has(point.step)) await snapshots?.onSnapshot(toSae(state, source, block, order), point.step);
      await checkpoint.save(state, block);
      // Signals, timers and other work have their turn.
      await turn();
    }
    if (state.step >= state.settings.steps) return toSae(state, source, block, order);
    state.used = 0;
  }
  throw new TrimtabError("bad-input", `${source.name}: expected rows to train on, got none`);
}

function checkInitial(initial: Sae | undefined, width: number): void {
  if (initial && initial.width !== width)
    throw mismatch("bad-input", "initial autoencoder", `width ${width}, that of the rows`, String(initial.width));
}

interface Runner {
  step(block: Block, order: Int32Array): TrainPoint;
}

/** Opens what takes one step after another, changing the state. */
function createRunner(state: TrainingState, width: number): Runner {
  const { settings, parameters, moments, idle } = state;
  const { batch, steps, features, deadAfter } = settings;
  const gradients = createParameters(settings, width);
  const batchGradients = createBatchGradients(settings, width);
  const X = new Float64Array(batch * width);
  const every = Math.max(1, Math.round(steps / historyLines));
  return {
    step({ rows }, order) {
      for (let i = 0; i < batch; i++) {
        const from = (order[state.used + i] as number) * width;
        for (let t = 0; t < width; t++) X[i * width + t] = (rows[from + t] as number) * state.inputScale;
      }
      const dead = deadFeatures(idle, deadAfter);
      const sparsity = settings.sparsity * Math.min(1, (state.step + 1) / Math.max(1, settings.warmUp * steps));
      const got = batchGradients(X, gradients, parameters, { settings, variance: state.variance, dead, sparsity });
      removeParallel(gradients.decoder, parameters.decoder, width);
      state.step++;
      const learningRate = stepLength(settings, state.step);
      const thresholdRate = stepLength({ ...settings, learningRate: settings.thresholdRate }, state.step);
      adamStep(parameters, gradients, moments, { step: state.step, learningRate, thresholdRate });
      normaliseRows(parameters.decoder, width);
      for (let j = 0; j < features; j++) idle[j] = got.isActive[j] ? 0 : (idle[j] as number) + batch;
      state.used += batch;
      const { sums } = state;
      const now = {
        loss: sums.loss + got.loss,
        explained: sums.explained + 1 - got.unexplained,
        l0: sums.l0 + got.l0,
        steps: sums.steps + 1,
      };
      const point: TrainPoint = {
        step: state.step,
        rows: state.step * batch,
        loss: now.loss / now.steps,
        explained: now.explained / now.steps,
        l0: now.l0 / now.steps,
        dead: dead.length / features,
      };
      const isLine = state.step % every === 0 || state.step === steps;
      if (isLine) state.history.push(point);
      state.sums = isLine ? noSums : now;
      return point;
    },
  };
}

function deadFeatures(idle: Float64Array, deadAfter: number): Int32Array {
  let count = 0;
  for (const rows of idle) if (rows >= deadAfter) count++;
  const dead = new Int32Array(count);
  let at = 0;
  for (let j = 0; j < idle.length; j++) if ((idle[j] as number) >= deadAfter) dead[at++] = j;
  return dead;
}

/** Step length of step 1 … steps: a rising line, a level one, a falling one that ends at the last step. */
export function stepLength(
  { learningRate, warmUp, decay, steps }: { learningRate: number; warmUp: number; decay: number; steps: number },
  step: number,
): number {
  const rise = warmUp > 0 ? step / (warmUp * steps) : 1;
  const fall = decay > 0 ? (steps - step + 1) / (decay * steps) : 1;
  return learningRate * Math.min(1, rise, fall);
}
