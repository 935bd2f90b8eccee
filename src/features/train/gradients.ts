import { type ChosenRows, openChosenRows } from "../../linalg/chosen-rows.ts";
import { addProduct } from "../../linalg/kernel.ts";
import { type ByFeature, createEntries, type Entries, groupByFeature } from "./entries.ts";
import type { Parameters } from "./parameters.ts";
import { type PreActivations, selectAbove, selectBatchTopK, selectTopK } from "./select.ts";
import type { TrainSettings } from "./settings.ts";

/** What a batch gave, beside its gradients. */
export interface BatchLoss {
  /** All of the loss. */
  readonly loss: number;
  /** Squared error of the reconstruction over the rows' variance: the fraction of variance unexplained. */
  readonly unexplained: number;
  /** Mean number of active features of a row. */
  readonly l0: number;
  /** Of the dead features' reconstruction of what was left: its squared error over the squares of what was left; 1 without dead ones. */
  readonly auxUnexplained: number;
  /** `[features]`: 1 where a feature was active. */
  readonly isActive: Uint8Array;
}

export interface BatchOptions {
  readonly settings: TrainSettings;
  /** Variance of a normalised row, summed over dimensions: what makes losses comparable. */
  readonly variance: number;
  /** Features that count as dead, ascending. */
  readonly dead: Int32Array;
  /** What the sparsity penalty weighs now. */
  readonly sparsity: number;
}

/** Computes losses and their gradients of batches of at most so many rows. */
export type BatchGradients = (
  X: Float64Array,
  into: Parameters,
  parameters: Parameters,
  options: BatchOptions,
) => BatchLoss;

/** Weight by which thresholds of dead `jumprelu` features fall. Adam makes a step of it, whatever its size; it must only be above its ε. */
const fallWeight = 1e-3;

/**
 * Opens the loss of a training step with its gradients, written over `into`; X is a batch of normalised rows `[rows, width]`.
 *
 * The loss is `Σ‖x̂ − x‖² / (n·variance) + auxWeight · ‖ê − e‖² / ‖e‖²` (means over rows), for `jumprelu` also `sparsity · (L0 / k − 1)²` and, for
 * every dead feature, 0.001 times the logarithm of its threshold. ê is what the `auxK` largest positive dead pre-activations
 * reconstruct of the error e = x − x̂, which counts as given, as in Gao et al.
 *
 * Only the encoder's product is dense; decoding and all gradients visit the active features alone. A feature at a time: its two rows stay in
 * the first-level cache while the batch's rows pass.
 *
 * Thresholds have no gradient of their own; theirs is that of the expected loss, estimated by a rectangle of `bandwidth` around them
 * (straight-through).
 *
 * @see Gao et al., arXiv 2406.04093 (TopK, AuxK); Rajamanoharan et al., arXiv 2407.14435, eq. 11-12 (JumpReLU); Bussmann et al., arXiv
 * 2412.06410 (BatchTopK)
 */
export function createBatchGradients(
  settings: TrainSettings,
  width: number,
  /** Holds the errors of the reconstruction first and the centred rows second. */
  work: ChosenRows = openChosenRows(settings.batch, width),
): BatchGradients {
  const { features, batch } = settings;
  const pre = new Float64Array(batch * features);
  const active = createEntries(batch * 64);
  const aux = createEntries(0);

  return (X, into, parameters, { variance, dead, sparsity }) => {
    const rows = X.length / width;
    for (const part of Object.values(into) as Float64Array[]) part.fill(0);
    const z = { data: pre, rows, features };
    encode(X, z, parameters, work);
    active.count = 0;
    select(settings, z, parameters, active);
    const isActive = new Uint8Array(features);
    const l0 = markActive(active, isActive) / rows;
    const grouped = groupByFeature(active, features);
    setError(X, parameters.decoderBias, work);
    addDecoded(work, { entries: active, grouped, decoder: parameters.decoder, width });
    const squares = sumOfSquares(work.first, rows * work.stride);
    const unexplained = squares / (rows * variance);
    const excess = l0 / settings.k - 1;
    const l0Slope = settings.kind === "jumprelu" ? (2 * sparsity * excess) / (settings.k * rows) : 0;
    const scale = 2 / (rows * variance);
    backward({ work, parameters, into, width, scale, entries: active, grouped, l0Slope, settings });
    addColumnSums(into.decoderBias, work, rows, scale);

    let auxUnexplained = 1;
    aux.count = 0;
    if (dead.length > 0 && settings.auxK > 0 && settings.auxWeight > 0 && squares > 0) {
      selectTopK(z, Math.min(settings.auxK, dead.length), aux, dead);
      const groupedAux = groupByFeature(aux, features);
      // ê − e with e = x − x̂: what the dead features add to the error that is there.
      addDecoded(work, { entries: aux, grouped: groupedAux, decoder: parameters.decoder, width });
      auxUnexplained = sumOfSquares(work.first, rows * work.stride) / squares;
      const auxScale = (2 * settings.auxWeight) / squares;
      const of = { work, parameters, into, width, scale: auxScale, entries: aux, grouped: groupedAux };
      backward({ ...of, l0Slope: 0, settings: undefined });
    }
    let fall = 0;
    if (settings.kind === "jumprelu")
      for (const j of dead) {
        fall += fallWeight * (parameters.logThreshold[j] as number);
        into.logThreshold[j] = (into.logThreshold[j] as number) + fallWeight;
      }
    subtractThroughEncoder(into, parameters.encoder, width);
    const auxLoss = aux.count > 0 ? settings.auxWeight * auxUnexplained : 0;
    const penalty = settings.kind === "jumprelu" ? sparsity * excess * excess + fall : 0;
    return { loss: unexplained + auxLoss + penalty, unexplained, l0, auxUnexplained, isActive };
  };
}

/** Pre-activations of normalised rows `[rows, width]`. */
export function preActivations(X: Float64Array, parameters: Parameters): PreActivations {
  const features = parameters.encoderBias.length;
  const width = parameters.decoderBias.length;
  const rows = X.length / width;
  const z = { data: new Float64Array(rows * features), rows, features };
  encode(X, z, parameters, { second: new Float64Array(X.length), stride: width });
  return z;
}

/** Pre-activations `(x − b_dec) W_encᵀ + b_enc` of a batch, and `x − b_dec`. */
function encode(
  X: Float64Array,
  { data, rows, features }: PreActivations,
  { encoder, encoderBias, decoderBias }: Parameters,
  { second: centred, stride }: Pick<ChosenRows, "second" | "stride">,
): void {
  const width = decoderBias.length;
  for (let row = 0; row < rows; row++)
    for (let t = 0; t < width; t++)
      centred[row * stride + t] = (X[row * width + t] as number) - (decoderBias[t] as number);
  for (let row = 0; row < rows; row++) data.set(encoderBias, row * features);
  addProduct(
    { data, offset: 0, stride: features },
    { data: centred, offset: 0, stride },
    { data: encoder, offset: 0, stride: width },
    { m: rows, n: features, k: width },
  );
}

function select({ kind, k, bandwidth }: TrainSettings, z: PreActivations, parameters: Parameters, into: Entries): void {
  if (kind === "topk") selectTopK(z, k, into);
  else if (kind === "batchtopk") selectBatchTopK(z, Math.round(k * z.rows), into);
  else selectAbove(z, parameters.logThreshold.map(Math.exp), bandwidth / 2, into);
}

/** Marks the features that are active anywhere and counts the places where one is. */
function markActive({ count, feature, value }: Entries, isActive: Uint8Array): number {
  let active = 0;
  for (let at = 0; at < count; at++)
    if ((value[at] as number) > 0) {
      active++;
      isActive[feature[at] as number] = 1;
    }
  return active;
}

/** Writes `b_dec − x`, to which what the features write is added to give `x̂ − x`. */
function setError(X: Float64Array, decoderBias: Float64Array, { first: error, stride }: ChosenRows): void {
  const width = decoderBias.length;
  for (let row = 0; row * width < X.length; row++)
    for (let t = 0; t < width; t++)
      error[row * stride + t] = (decoderBias[t] as number) - (X[row * width + t] as number);
}

/** Adds to each row of the error what its features write. */
function addDecoded(
  work: ChosenRows,
  of: {
    readonly entries: Entries;
    readonly grouped: ByFeature;
    readonly decoder: Float64Array;
    readonly width: number;
  },
): void {
  const { row, value } = of.entries;
  const { starts, order } = of.grouped;
  const { places, factors } = work;
  for (let j = 0; j + 1 < starts.length; j++) {
    let count = 0;
    for (let n = starts[j] as number; n < (starts[j + 1] as number); n++) {
      const at = order[n] as number;
      if (value[at] === 0) continue;
      places[count] = row[at] as number;
      factors[count++] = value[at] as number;
    }
    work.scatter(count, of.decoder, j * of.width);
  }
}

interface BackwardInput {
  readonly work: ChosenRows;
  /** What the error is multiplied by to be the loss's gradient. */
  readonly scale: number;
  readonly entries: Entries;
  readonly grouped: ByFeature;
  readonly parameters: Parameters;
  readonly into: Parameters;
  readonly width: number;
  /** The loss's slope in the number of active places. */
  readonly l0Slope: number;
  /** Given where thresholds learn. */
  readonly settings: TrainSettings | undefined;
}

/** Adds the gradients of decoder, encoder, encoder's bias and thresholds that come through the places of `entries`. */
function backward(input: BackwardInput): void {
  const { work, scale, entries, grouped, parameters, into, width, l0Slope, settings } = input;
  const { starts, order } = grouped;
  const { row, value } = entries;
  const { decoder, logThreshold } = parameters;
  const { places, factors, results } = work;
  const isJump = settings?.kind === "jumprelu";
  const bandwidth = settings?.bandwidth ?? 1;
  for (let j = 0; j + 1 < starts.length; j++) {
    const first = starts[j] as number;
    const all = (starts[j + 1] as number) - first;
    if (all === 0) continue;
    for (let n = 0; n < all; n++) places[n] = row[order[first + n] as number] as number;
    work.dot(all, decoder, j * width);
    const threshold = isJump ? Math.exp(logThreshold[j] as number) : 0;
    let bias = 0;
    let slope = 0;
    let count = 0;
    for (let n = 0; n < all; n++) {
      const f = value[order[first + n] as number] as number;
      const df = scale * (results[n] as number);
      if (isJump && f < threshold + bandwidth / 2) slope -= (df * threshold + l0Slope) / bandwidth;
      if (f === 0) continue;
      bias += df;
      places[count] = places[n] as number;
      results[count] = df;
      factors[count++] = scale * f;
    }
    work.gather("first", count, into.decoder, j * width);
    for (let n = 0; n < count; n++) factors[n] = results[n] as number;
    work.gather("second", count, into.encoder, j * width);
    into.encoderBias[j] = (into.encoderBias[j] as number) + bias;
    if (isJump) into.logThreshold[j] = (into.logThreshold[j] as number) + slope * threshold;
  }
}

/** Adds the sums of the error's columns, each times a factor. */
function addColumnSums(to: Float64Array, { first: error, stride }: ChosenRows, rows: number, factor: number): void {
  for (let row = 0; row < rows; row++)
    for (let t = 0; t < to.length; t++) to[t] = (to[t] as number) + factor * (error[row * stride + t] as number);
}

/** The decoder's bias also reaches the loss through the encoder, which reads `x − b_dec`: minus what the encoder's bias gets, times W_enc. */
function subtractThroughEncoder(into: Parameters, encoder: Float64Array, width: number): void {
  const { encoderBias, decoderBias } = into;
  for (let j = 0; j < encoderBias.length; j++) {
    const g = encoderBias[j] as number;
    if (g === 0) continue;
    for (let t = 0; t < width; t++)
      decoderBias[t] = (decoderBias[t] as number) - g * (encoder[j * width + t] as number);
  }
}

function sumOfSquares(values: Float64Array, count: number): number {
  let sum = 0;
  for (let at = 0; at < count; at++) sum += (values[at] as number) ** 2;
  return sum;
}
