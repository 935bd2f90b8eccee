import { mismatch } from "../../errors.ts";
import { addProduct } from "../../linalg/kernel.ts";
import { type Random, seededRandom } from "../../linalg/random.ts";
import { mixSeed } from "../../maps/collect/split-groups.ts";
import type { Sae } from "../sae.ts";
import type { Block } from "./blocks.ts";
import { createParameters, drawParameters, type Parameters } from "./parameters.ts";
import { parametersOf } from "./parameters-of.ts";
import { defaultSteps, type TrainSettings } from "./settings.ts";
import { noSums, type TrainingState } from "./training-state.ts";

/** Rows that set scale, mean and variance: they are then known to a percent. */
const sampleRows = 16_384;
/** Rows that set the first thresholds: 0.8 % of them, the tail of 32 of 4096 features, are then 33 rows. */
const thresholdRows = 4096;

/**
 * Where a training starts, from its first block: the scale that makes rows √width long on average, the decoder's bias at their mean,
 * random unit directions, and for `jumprelu` the thresholds that each feature passes on twice k in `features` rows. With `initial` the
 * parameters are that autoencoder's instead.
 *
 * @throws bad-input for fewer rows than a batch, or rows that do not vary
 */
export function beginTraining(
  settings: TrainSettings,
  block: Block,
  { width, initial }: { readonly width: number; readonly initial?: Sae | undefined },
): TrainingState {
  const { kind, batch, seed } = settings;
  const count = block.rows.length / width;
  if (count < batch)
    throw mismatch("bad-input", "training rows", `at least one batch of ${batch}`, String(count), {
      hint: "give more text, or a smaller batch",
    });
  const random = seededRandom(mixSeed(seed + 5, 0));
  const sample = drawSample(block.rows, width, Math.min(count, sampleRows), random);
  const meanLength = meanNorm(sample, width);
  const inputScale = Math.sqrt(width) / meanLength;
  for (let at = 0; at < sample.length; at++) sample[at] = (sample[at] as number) * inputScale;
  const { mean, variance } = meanAndVariance(sample, width);
  // Rows are √width long: a variance of less than a millionth of their square is rounding.
  if (!(variance > 1e-6 * width) || !Number.isFinite(inputScale))
    throw mismatch("bad-input", "training rows", "rows that vary", "rows that are all equal");
  const parameters = initial ? parametersOf(initial, settings, inputScale) : drawParameters(settings, mean, random);
  if (kind === "jumprelu" && !initial?.threshold) setThresholds(parameters, settings, sample);
  return {
    settings: { ...settings, steps: stepsOf(settings, block) },
    inputScale,
    variance,
    totalRows: block.totalRows,
    parameters,
    moments: { first: createParameters(settings, width), second: createParameters(settings, width) },
    step: 0,
    idle: new Float64Array(settings.features),
    epoch: block.epoch,
    block: block.index,
    firstChunk: block.firstChunk,
    used: 0,
    sums: noSums,
    history: [],
  };
}

function stepsOf({ steps, epochs, batch }: TrainSettings, { totalRows }: Block): number {
  if (steps !== undefined) return steps;
  const onePass = Math.max(1, Math.floor(totalRows / batch));
  return epochs === undefined ? Math.max(defaultSteps, onePass) : Math.max(1, Math.round(epochs * onePass));
}

function drawSample(rows: Float32Array, width: number, count: number, random: Random): Float64Array {
  const of = rows.length / width;
  const sample = new Float64Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = count === of ? i : random.integer(of);
    for (let t = 0; t < width; t++) sample[i * width + t] = rows[row * width + t] as number;
  }
  return sample;
}

function meanNorm(rows: Float64Array, width: number): number {
  let sum = 0;
  for (let start = 0; start < rows.length; start += width) {
    let square = 0;
    for (let t = start; t < start + width; t++) square += (rows[t] as number) ** 2;
    sum += Math.sqrt(square);
  }
  return sum / (rows.length / width);
}

function meanAndVariance(rows: Float64Array, width: number): { mean: Float64Array; variance: number } {
  const mean = new Float64Array(width);
  const n = rows.length / width;
  for (let at = 0; at < rows.length; at++) mean[at % width] = (mean[at % width] as number) + (rows[at] as number) / n;
  let squares = 0;
  for (let at = 0; at < rows.length; at++) squares += ((rows[at] as number) - (mean[at % width] as number)) ** 2;
  return { mean, variance: squares / n };
}

/** Each threshold at the quantile of its own pre-activations: all features then start equally often active. */
function setThresholds(parameters: Parameters, { features, k }: TrainSettings, sample: Float64Array): void {
  const { encoder, decoderBias, logThreshold } = parameters;
  const width = decoderBias.length;
  const rows = Math.min(thresholdRows, sample.length / width);
  const centred = sample.slice(0, rows * width);
  for (let at = 0; at < centred.length; at++)
    centred[at] = (centred[at] as number) - (decoderBias[at % width] as number);
  const rank = Math.min(rows - 1, Math.max(1, Math.round((2 * k * rows) / features)));
  const tile = 256;
  const products = new Float64Array(tile * rows);
  for (let j = 0; j < features; j += tile) {
    const m = Math.min(tile, features - j);
    products.fill(0);
    addProduct(
      { data: products, offset: 0, stride: rows },
      { data: encoder, offset: j * width, stride: width },
      { data: centred, offset: 0, stride: width },
      { m, n: rows, k: width },
    );
    for (let i = 0; i < m; i++) {
      const sorted = products.slice(i * rows, (i + 1) * rows).sort();
      const least = 1e-3;
      logThreshold[j + i] = Math.log(Math.max(least, sorted[rows - 1 - rank] as number));
    }
  }
}
