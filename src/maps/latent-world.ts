import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply } from "../linalg/multiply.ts";
import { randomSemiOrthogonal } from "../linalg/orthonormal.ts";
import { type Random, seededRandom } from "../linalg/random.ts";
import { codeCovariance, type LatentCode, openLatentCode, toCodeLaw } from "./latent-code.ts";

/** One model of a latent world: how it projects the universal features, and in what it departs from that. */
export interface LatentModelOptions {
  /** Width of its hidden states. */
  readonly width: number;
  /** How the universal space is projected: a Gaussian matrix, or one with orthonormal rows or columns, which keeps lengths. Default gaussian. */
  readonly projection?: "gaussian" | "orthogonal" | undefined;
  /** Noise: standard deviation as a share of the root mean square of its states' deviations. Default 0. */
  readonly noise?: number | undefined;
  /** Share of the universal features that this model lacks, drawn at random. Default 0. */
  readonly missing?: number | undefined;
  /** Features of its own, which no other model has, as a share of the universal ones. Default 0. */
  readonly private?: number | undefined;
  /**
   * Share of each dimension's variance that is bent: z, in units of its deviation, becomes √(1 − s) z + √(s/2) (z² − 1). Were z normal,
   * no linear map could tell anything of the second term from the first. Default 0.
   */
  readonly bend?: number | undefined;
  /** A random rotation of the states, after the bending. Default none. */
  readonly rotated?: boolean | undefined;
  /** Makes the first dimensions (before the rotation) louder: a few of large variance are usual in real models. Default none. */
  readonly loud?: { readonly dimensions: number; readonly factor: number } | undefined;
  /** Mean of the states, as a multiple of the root mean square of their deviations. Default 1. */
  readonly mean?: number | undefined;
}

/** A world of sparse universal features that several models read out, each in its own way. */
export interface LatentWorldOptions {
  /** Universal features, F. */
  readonly features: number;
  /** Width of the universal space that the dictionary writes into, dU. At least F would give every feature a dimension; usually fewer. */
  readonly universalWidth: number;
  /** Features that are active in a row, on average. */
  readonly active: number;
  /** Features are active with probability ∝ rank^−exponent; 0 (the default) makes all equally frequent, 1 is Zipf's law. */
  readonly exponent?: number | undefined;
  /** Amplitudes of active features are uniform on 1 ± spread. Default 0.5. */
  readonly spread?: number | undefined;
  /** Groups of features that come together. Each row is of one topic; strength 0 … 1 is how much of a feature's occurrence is in its own topic. */
  readonly topics?: { readonly count: number; readonly strength: number } | undefined;
  /** One more feature in every row: that of its token, of a vocabulary with frequencies ∝ rank^−1. */
  readonly tokens?: { readonly vocabulary: number; readonly amplitude: number } | undefined;
  /** Rows that hold a large constant vector and nothing else, in every model: their share, and their length over that of other rows. */
  readonly sinks?: { readonly share: number; readonly factor: number } | undefined;
  readonly models: readonly LatentModelOptions[];
  /** Default 0. At most 2⁴⁰. */
  readonly seed?: number | undefined;
}

/** One model of a world, as it is. Its states are `c(x) decoder + bias + noise`, bent where {@link LatentModelOptions.bend} says so. */
export interface LatentModel {
  readonly options: LatentModelOptions;
  /** P_M, `[dU, width]`: with its loud dimensions and rotation. */
  readonly projection: Matrix;
  /** W_M = W_U P_M, `[all features, width]`: row f is the direction of feature f. Rows of features that it lacks are 0. */
  readonly decoder: Matrix;
  /** Mean state of a row whose code is all 0, `[width]`. */
  readonly bias: Float64Array;
  /** Standard deviation of the noise in every dimension. */
  readonly noise: number;
  /** 1 for each feature `[all features]` that it has. */
  readonly has: Uint8Array;
}

/** Rows of a world, as its models read them. */
export interface LatentRows {
  /** The code of each row `[n, all features]`. */
  readonly code: LatentCode;
  /** Hidden states by model, `[n, width]` each. */
  readonly states: readonly Matrix[];
  /** Token of each row `[n]`; all 0 in a world without tokens. */
  readonly tokens: Int32Array;
  /** Topic of each row `[n]`; all 0 in a world without topics. */
  readonly topics: Int32Array;
  /** 1 for rows that are sinks `[n]`. */
  readonly isSink: Uint8Array;
}

/** A latent world: the planted truth that maps, autoencoders and measures of likeness are held against. */
export interface LatentWorld {
  readonly options: LatentWorldOptions;
  /** Features of all kinds: universal ones, then tokens, then those private to each model. */
  readonly features: number;
  /** W_U, `[all features, dU]`; rows of unit length. */
  readonly dictionary: Matrix;
  /** Expectation of the code, `[all features]`. */
  readonly codeMean: Float64Array;
  /** Covariance of the code, `[all features, all features]`, in closed form. */
  readonly codeCovariance: Matrix;
  readonly models: readonly LatentModel[];
  /** Draws n rows. The same seed gives the same codes in worlds that differ in their models alone. @throws bad-input */
  draw(n: number, options?: { readonly seed?: number }): LatentRows;
}

/**
 * Makes a world in which the hypothesis of linear transfer holds, or fails in the way asked for.
 *
 * A row x has a sparse code c(x) ≥ 0 over F universal features; a dictionary W_U `[F, dU]` writes them into a universal space; model M reads
 * `h_M = W_Mᵀ c(x) + b_M` with `W_M = W_U P_M`, P_M `[dU, d_M]`. Where P_S has rank dU the affine map A = P_Tᵀ (P_Sᵀ)⁺ is exact
 * (`plantedMap`); elsewhere `bestMap` says in closed form how far any affine map can go. Features of tokens and of single models are
 * further rows of the dictionary.
 *
 * Dictionary, projections and means depend on `seed` alone, each on a stream of its own, so that one knob turns and the rest stays.
 *
 * @throws bad-input for sizes and shares out of range
 * @see Bello et al., arXiv 2506.00653, section 2.2
 * @example
 * const world = createLatentWorld({ features: 64, universalWidth: 24, active: 6, models: [{ width: 32 }, { width: 48 }] });
 * const { states: [X, Y] } = world.draw(1000);
 */
export function createLatentWorld(options: LatentWorldOptions): LatentWorld {
  checkOptions(options);
  const { models, universalWidth, seed = 0 } = options;
  const law = toCodeLaw(options);
  const { features } = law;
  const dictionary = unitRows(features, universalWidth, streamOf(seed, 0));
  const { mean: codeMean, covariance } = codeCovariance(law);
  const made = models.map((model, at) => {
    // Four streams a model: what it lacks, its projection, its mean, its rotation.
    const stream = (of: number): Random => streamOf(seed, 1 + 4 * at + of);
    const has = law.owners.map((owner) => (owner < 0 || owner === at ? 1 : 0));
    const lacked = Math.round((model.missing ?? 0) * options.features);
    const order = stream(0).shuffle(Array.from({ length: options.features }, (_, f) => f));
    for (const f of order.slice(0, lacked)) has[f] = 0;
    const upright = project(model, universalWidth, stream(1));
    const own = keepRows(multiply(dictionary, upright), has);
    const turn = model.rotated ? randomSemiOrthogonal(model.width, model.width, stream(3)) : undefined;
    const deviations = deviationsOf(own, covariance);
    const meanSquare = deviations.reduce((sum, sd) => sum + sd * sd, 0) / model.width;
    const spread = Math.sqrt(meanSquare);
    const bias = Float64Array.from(
      { length: model.width },
      (
        (random) => () =>
          random.normal()
      )(stream(2)),
    );
    for (let i = 0; i < bias.length; i++) bias[i] = (model.mean ?? 1) * spread * (bias[i] as number);
    const turned = turn ? multiply(own, turn) : own;
    return {
      model: {
        options: model,
        projection: turn ? multiply(upright, turn) : upright,
        decoder: turned,
        bias,
        noise: (model.noise ?? 0) * spread,
        has: Uint8Array.from(has),
      } satisfies LatentModel,
      own,
      turn,
      deviations,
      centre: multiply(createMatrix(1, features, codeMean), own).data,
      spread,
      sink: Float64Array.from(
        { length: model.width },
        (
          (random) => () =>
            random.normal()
        )(streamOf(seed, 101 + at)),
      ),
    };
  });
  return {
    options,
    features,
    dictionary,
    codeMean,
    codeCovariance: covariance,
    models: made.map(({ model }) => model),
    draw(n, { seed: of = 0 } = {}) {
      if (!Number.isSafeInteger(n) || n < 1) throw mismatch("bad-input", "rows to draw", "a count above 0", String(n));
      const { code, tokens, topics } = openLatentCode(law, n, streamOf(of, 0));
      const isSink = drawSinks(n, options.sinks?.share ?? 0, streamOf(of, 1));
      const states = made.map(({ model, own, turn, deviations, centre, spread, sink }, at) => {
        let states = writeRows(code, own, n);
        if (model.options.bend) bendRows(states, { share: model.options.bend, deviations, centre });
        if (turn) states = multiply(states, turn);
        const random = streamOf(of, 2 + at);
        const { data, cols } = states;
        for (let k = 0; k < data.length; k++)
          data[k] = (data[k] as number) + (model.bias[k % cols] as number) + model.noise * random.normal();
        const length = (options.sinks?.factor ?? 1) * spread;
        for (let row = 0; row < n; row++)
          if (isSink[row]) for (let i = 0; i < cols; i++) data[row * cols + i] = length * (sink[i] as number);
        return states;
      });
      return { code, states, tokens, topics, isSink };
    },
  };
}

/** A stream of its own for each purpose: seeds next to one another give unrelated streams. */
function streamOf(seed: number, purpose: number): Random {
  return seededRandom(seed * 4096 + purpose);
}

function unitRows(rows: number, cols: number, random: Random): Matrix {
  const W = createMatrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let j = 0; j < cols; j++) {
      const value = random.normal();
      W.data[i * cols + j] = value;
      squares += value * value;
    }
    for (let j = 0; j < cols; j++) W.data[i * cols + j] = (W.data[i * cols + j] as number) / Math.sqrt(squares);
  }
  return W;
}

/** P_M before any rotation: entries of variance 1/dU, or orthonormal rows or columns; the first dimensions loud. */
function project({ width, projection = "gaussian", loud }: LatentModelOptions, from: number, random: Random): Matrix {
  const P = projection === "gaussian" ? createMatrix(from, width) : randomSemiOrthogonal(from, width, random);
  const scale = 1 / Math.sqrt(from);
  if (projection === "gaussian") for (let k = 0; k < P.data.length; k++) P.data[k] = scale * random.normal();
  for (let j = 0; j < (loud?.dimensions ?? 0); j++)
    for (let i = 0; i < from; i++) P.data[i * width + j] = (loud?.factor ?? 1) * (P.data[i * width + j] as number);
  return P;
}

function keepRows(W: Matrix, has: ArrayLike<number>): Matrix {
  for (let f = 0; f < W.rows; f++) if (!has[f]) W.data.fill(0, f * W.cols, (f + 1) * W.cols);
  return W;
}

/** Standard deviation of each dimension of `c W`, `[width]`. */
function deviationsOf(W: Matrix, covariance: Matrix): Float64Array {
  const half = multiply(covariance, W);
  return Float64Array.from({ length: W.cols }, (_, j) => {
    let sum = 0;
    for (let f = 0; f < W.rows; f++) sum += (W.data[f * W.cols + j] as number) * (half.data[f * W.cols + j] as number);
    return Math.sqrt(Math.max(0, sum));
  });
}

/** `c W` for every row of the code. */
function writeRows({ offsets, indices, values }: LatentCode, W: Matrix, n: number): Matrix {
  const H = createMatrix(n, W.cols);
  for (let row = 0; row < n; row++)
    for (let k = offsets[row] as number; k < (offsets[row + 1] as number); k++) {
      const [from, by] = [(indices[k] as number) * W.cols, values[k] as number];
      for (let j = 0; j < W.cols; j++)
        H.data[row * W.cols + j] = (H.data[row * W.cols + j] as number) + by * (W.data[from + j] as number);
    }
  return H;
}

interface Bending {
  readonly share: number;
  readonly deviations: Float64Array;
  readonly centre: Float64Array;
}

function bendRows({ data, cols }: Matrix, { share, deviations, centre }: Bending): void {
  const [straight, bent] = [Math.sqrt(1 - share), Math.sqrt(share / 2)];
  for (let k = 0; k < data.length; k++) {
    const sd = deviations[k % cols] as number;
    const middle = centre[k % cols] as number;
    const z = sd > 0 ? ((data[k] as number) - middle) / sd : 0;
    data[k] = middle + sd * (straight * z + bent * (z * z - 1));
  }
}

function drawSinks(n: number, share: number, random: Random): Uint8Array {
  const isSink = new Uint8Array(n);
  if (share > 0) for (let row = 0; row < n; row++) isSink[row] = random.uniform() < share ? 1 : 0;
  return isSink;
}

function checkOptions(options: LatentWorldOptions): void {
  const {
    features,
    universalWidth,
    active,
    models,
    seed = 0,
    exponent = 0,
    spread = 0.5,
    topics,
    tokens,
    sinks,
  } = options;
  const count = (name: string, value: number): void => {
    if (!Number.isSafeInteger(value) || value < 1)
      throw mismatch("bad-input", `latent world: ${name}`, "a count of at least 1", String(value));
  };
  const range = (name: string, value: number, low: number, high: number): void => {
    if (!(value >= low && value <= high))
      throw mismatch("bad-input", `latent world: ${name}`, `a number from ${low} to ${high}`, String(value));
  };
  count("features", features);
  count("universalWidth", universalWidth);
  range("active", active, Number.MIN_VALUE, features);
  range("exponent", exponent, 0, 4);
  range("spread", spread, 0, 1);
  if (!Number.isSafeInteger(seed)) throw mismatch("bad-input", "latent world: seed", "an integer", String(seed));
  range("seed", seed, 0, 2 ** 40);
  if (topics) {
    count("topics.count", topics.count);
    range("topics.strength", topics.strength, 0, 1);
  }
  if (tokens) {
    count("tokens.vocabulary", tokens.vocabulary);
    range("tokens.amplitude", tokens.amplitude, 0, 1e6);
  }
  if (sinks) {
    range("sinks.share", sinks.share, 0, 1);
    range("sinks.factor", sinks.factor, 0, 1e9);
  }
  count("models", models.length);
  range("models", models.length, 1, 16);
  for (const [at, model] of models.entries()) {
    count(`models[${at}].width`, model.width);
    range(`models[${at}].noise`, model.noise ?? 0, 0, 1e6);
    range(`models[${at}].mean`, model.mean ?? 0, 0, 1e6);
    for (const share of ["missing", "private", "bend"] as const)
      range(`models[${at}].${share}`, model[share] ?? 0, 0, 1);
    if (model.loud) {
      range(`models[${at}].loud.dimensions`, model.loud.dimensions, 0, model.width);
      range(`models[${at}].loud.factor`, model.loud.factor, 0, 1e9);
    }
  }
}
