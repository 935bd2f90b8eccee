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
export function createBatchGradients(settings: TrainSettings, width: number): BatchGradients {
  const { features, batch } = settings;
  const pre = new Float64Array(batch * features);
  const centred = new Float64Array(batch * width);
  const error = new Float64Array(batch * width);
  const auxError = new Float64Array(batch * width);
  const active = createEntries(batch * 64);
  const aux = createEntries(0);

  return (X, into, parameters, { variance, dead, sparsity }) => {
    const rows = X.length / width;
    for (const part of Object.values(into) as Float64Array[]) part.fill(0);
    const z = { data: pre, rows, features };
    encode(X, centred, z, parameters);
    active.count = 0;
    select(settings, z, parameters, active);
    const isActive = new Uint8Array(features);
    let activations = 0;
    for (let at = 0; at < active.count; at++)
      if ((active.value[at] as number) > 0) {
        activations++;
        isActive[active.feature[at] as number] = 1;
      }
    const l0 = activations / rows;
    const grouped = groupByFeature(active, features);
    decodeError(X, error, { entries: active, grouped, parameters, width, rows });
    const squares = sumOfSquares(error, rows * width);
    const unexplained = squares / (rows * variance);
    const excess = l0 / settings.k - 1;
    const l0Slope = settings.kind === "jumprelu" ? (2 * sparsity * excess) / (settings.k * rows) : 0;
    const of = { centred, parameters, into, width };
    backward({ ...of, error, scale: 2 / (rows * variance), entries: active, grouped, l0Slope, settings });
    for (let row = 0, at = 0; row < rows; row++)
      for (let t = 0; t < width; t++, at++)
        into.decoderBias[t] = (into.decoderBias[t] as number) + ((error[at] as number) * 2) / (rows * variance);

    let auxUnexplained = 1;
    aux.count = 0;
    if (dead.length > 0 && settings.auxK > 0 && settings.auxWeight > 0 && squares > 0) {
      selectTopK(z, Math.min(settings.auxK, dead.length), aux, dead);
      const groupedAux = groupByFeature(aux, features);
      // ê − e with e = x − x̂: what the dead features add to the error that is there.
      auxError.set(error);
      addDecoded(auxError, { entries: aux, grouped: groupedAux, decoder: parameters.decoder, width });
      auxUnexplained = sumOfSquares(auxError, rows * width) / squares;
      const scale = (2 * settings.auxWeight) / squares;
      backward({ ...of, error: auxError, scale, entries: aux, grouped: groupedAux, l0Slope: 0, settings: undefined });
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

/** Pre-activations `(x − b_dec) W_encᵀ + b_enc` of a batch, and `x − b_dec`. */
function encode(X: Float64Array, centred: Float64Array, z: PreActivations, parameters: Parameters): void {
  const { encoder, encoderBias, decoderBias } = parameters;
  const width = decoderBias.length;
  const { data, rows, features } = z;
  for (let row = 0, at = 0; row < rows; row++)
    for (let t = 0; t < width; t++, at++) centred[at] = (X[at] as number) - (decoderBias[t] as number);
  for (let row = 0; row < rows; row++) data.set(encoderBias, row * features);
  const view = (of: Float64Array, stride: number) => ({ data: of, offset: 0, stride });
  addProduct(view(data, features), view(centred, width), view(encoder, width), { m: rows, n: features, k: width });
}

function select({ kind, k, bandwidth }: TrainSettings, z: PreActivations, parameters: Parameters, into: Entries): void {
  if (kind === "topk") selectTopK(z, k, into);
  else if (kind === "batchtopk") selectBatchTopK(z, Math.round(k * z.rows), into);
  else selectAbove(z, parameters.logThreshold.map(Math.exp), bandwidth / 2, into);
}

/** Writes `x̂ − x`. */
function decodeError(
  X: Float64Array,
  error: Float64Array,
  of: {
    readonly entries: Entries;
    readonly grouped: ByFeature;
    readonly parameters: Parameters;
    readonly width: number;
    readonly rows: number;
  },
): void {
  const { entries, grouped, parameters, width, rows } = of;
  for (let row = 0, at = 0; row < rows; row++)
    for (let t = 0; t < width; t++, at++) error[at] = (parameters.decoderBias[t] as number) - (X[at] as number);
  addDecoded(error, { entries, grouped, decoder: parameters.decoder, width });
}

/** Adds to each row what its features write. */
function addDecoded(
  to: Float64Array,
  of: {
    readonly entries: Entries;
    readonly grouped: ByFeature;
    readonly decoder: Float64Array;
    readonly width: number;
  },
): void {
  const { entries, grouped, decoder, width } = of;
  const { row, value } = entries;
  const { starts, order } = grouped;
  for (let j = 0; j + 1 < starts.length; j++) {
    const from = j * width;
    for (let n = starts[j] as number; n < (starts[j + 1] as number); n++) {
      const at = order[n] as number;
      const f = value[at] as number;
      if (f === 0) continue;
      addRow(to, (row[at] as number) * width, decoder, from, f, width);
    }
  }
}

interface BackwardInput {
  readonly error: Float64Array;
  readonly centred: Float64Array;
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
  const { error, centred, scale, entries, grouped, parameters, into, width, l0Slope, settings } = input;
  const { starts, order } = grouped;
  const { row, value } = entries;
  const { decoder, logThreshold } = parameters;
  const { decoder: decoderGradient, encoder: encoderGradient } = into;
  const isJump = settings?.kind === "jumprelu";
  const bandwidth = settings?.bandwidth ?? 1;
  for (let j = 0; j + 1 < starts.length; j++) {
    const [first, end] = [starts[j] as number, starts[j + 1] as number];
    if (first === end) continue;
    const from = j * width;
    const threshold = isJump ? Math.exp(logThreshold[j] as number) : 0;
    let bias = 0;
    let slope = 0;
    for (let n = first; n < end; n++) {
      const at = order[n] as number;
      const f = value[at] as number;
      const base = (row[at] as number) * width;
      const df = scale * dot(error, base, decoder, from, width);
      if (isJump && f < threshold + bandwidth / 2) slope -= (df * threshold + l0Slope) / bandwidth;
      if (f === 0) continue;
      bias += df;
      addRow(decoderGradient, from, error, base, scale * f, width);
      addRow(encoderGradient, from, centred, base, df, width);
    }
    into.encoderBias[j] = (into.encoderBias[j] as number) + bias;
    if (isJump) into.logThreshold[j] = (into.logThreshold[j] as number) + slope * threshold;
  }
}

/** Four sums side by side: one would wait for itself at every addition. */
function dot(a: Float64Array, aFrom: number, b: Float64Array, bFrom: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let t = 0;
  for (; t + 3 < length; t += 4) {
    s0 += (a[aFrom + t] as number) * (b[bFrom + t] as number);
    s1 += (a[aFrom + t + 1] as number) * (b[bFrom + t + 1] as number);
    s2 += (a[aFrom + t + 2] as number) * (b[bFrom + t + 2] as number);
    s3 += (a[aFrom + t + 3] as number) * (b[bFrom + t + 3] as number);
  }
  for (; t < length; t++) s0 += (a[aFrom + t] as number) * (b[bFrom + t] as number);
  return s0 + s1 + (s2 + s3);
}

/** Adds a multiple of a row to another. */
function addRow(to: Float64Array, toFrom: number, a: Float64Array, from: number, factor: number, length: number): void {
  for (let t = 0; t < length; t++) to[toFrom + t] = (to[toFrom + t] as number) + factor * (a[from + t] as number);
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

/** Pre-activations of normalised rows `[rows, width]`. */
export function preActivations(X: Float64Array, parameters: Parameters): PreActivations {
  const features = parameters.encoderBias.length;
  const rows = X.length / parameters.decoderBias.length;
  const z = { data: new Float64Array(rows * features), rows, features };
  encode(X, new Float64Array(X.length), z, parameters);
  return z;
}
