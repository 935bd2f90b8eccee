import { mismatch } from "../../errors.ts";

/** How a trained autoencoder chooses its active features. */
export type TrainedKind = "topk" | "jumprelu" | "batchtopk";

/** What is trained and how; every field has a default but the data. */
export interface TrainSettings {
  /** `topk`: exactly k a row at most; `batchtopk`: k a row on average; `jumprelu`: a threshold for each feature. Default topk. */
  readonly kind: TrainedKind;
  readonly features: number;
  /** Active features of a row: at most for `topk`, on average for the others. */
  readonly k: number;
  /** Rows of a step. */
  readonly batch: number;
  /** Steps of the optimiser; undefined until the rows are known, see `epochs`. */
  readonly steps: number | undefined;
  /** Passes over the rows, where `steps` is not given. */
  readonly epochs: number | undefined;
  /** Adam's step length after the warm-up. */
  readonly learningRate: number;
  /** The same of the logarithms of `jumprelu`'s thresholds. */
  readonly thresholdRate: number;
  /** Share of the steps in which the step length rises from 0, and of those at the end in which it falls to 0. */
  readonly warmUp: number;
  readonly decay: number;
  /** Dead features that reconstruct what the live ones left, a row. */
  readonly auxK: number;
  /** Weight of that reconstruction in the loss. */
  readonly auxWeight: number;
  /** Rows without being active after which a feature counts as dead. */
  readonly deadAfter: number;
  /** Width of the rectangle through which `jumprelu` thresholds learn, in units of the normalised pre-activations. */
  readonly bandwidth: number;
  /** Weight of `jumprelu`'s penalty `(L0 / k − 1)²`. */
  readonly sparsity: number;
  /** Rows that are held and shuffled together. */
  readonly bufferRows: number;
  readonly seed: number;
}

/** Settings as a caller gives them. */
export type TrainOptions = { readonly [Name in keyof TrainSettings]?: TrainSettings[Name] | undefined };

/** What a buffer of rows may take where its size is not given. */
const bufferBytes = 2 ** 30;
/** Steps where neither `steps` nor `epochs` is given: on the embedded family the scores hardly rise beyond. */
export const defaultSteps = 2000;

/**
 * Completes and checks settings for rows of some width.
 *
 * The step length falls with the root of the number of features, as Gao et al. found; `auxK` is half the width, as theirs.
 *
 * @throws bad-input naming the setting
 * @see Gao et al., arXiv 2406.04093, appendix A
 */
export function resolveTrainSettings(options: TrainOptions, width: number): TrainSettings {
  const features = options.features ?? 4096;
  const settings: TrainSettings = {
    kind: options.kind ?? "topk",
    features,
    k: options.k ?? Math.min(32, features),
    batch: options.batch ?? 1024,
    steps: options.steps,
    epochs: options.epochs,
    learningRate: options.learningRate ?? 3e-3 * Math.sqrt(1024 / Math.max(features, 1024)),
    // Thresholds have a long way to the features asked for: at 0.003 400 steps end at 25 active features of 32, at 0.01 at 32.
    thresholdRate: options.thresholdRate ?? 1e-2,
    warmUp: options.warmUp ?? 0.05,
    decay: options.decay ?? 0.3,
    auxK: options.auxK ?? Math.max(1, Math.min(features, width >> 1)),
    auxWeight: options.auxWeight ?? 1 / 32,
    deadAfter: options.deadAfter ?? 100_000,
    bandwidth: options.bandwidth ?? 0.1,
    sparsity: options.sparsity ?? 10,
    bufferRows: options.bufferRows ?? Math.max(16_384, Math.floor(bufferBytes / (4 * width))),
    seed: options.seed ?? 0,
  };
  check(settings);
  return settings;
}

function check(settings: TrainSettings): void {
  const { kind, features, batch, steps, epochs, warmUp } = settings;
  if (kind !== "topk" && kind !== "jumprelu" && kind !== "batchtopk")
    throw mismatch("bad-input", "kind", "topk, jumprelu or batchtopk", String(kind));
  const whole = (name: keyof TrainSettings, least: number, most: number): void => {
    const value = settings[name] as number;
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw mismatch("bad-input", name, `an integer from ${least} to ${most}`, String(value));
  };
  const real = (name: keyof TrainSettings, isRight: (value: number) => boolean, expected: string): void => {
    const value = settings[name] as number;
    if (!Number.isFinite(value) || !isRight(value)) throw mismatch("bad-input", name, expected, String(value));
  };
  whole("features", 2, 2 ** 22);
  if (kind === "topk") whole("k", 1, features);
  else real("k", (value) => value > 0 && value <= features, `a number above 0, at most the ${features} features`);
  whole("batch", 1, 2 ** 20);
  if (steps !== undefined && epochs !== undefined)
    throw mismatch("bad-input", "steps and epochs", "one of them", `${steps} and ${epochs}`);
  if (steps !== undefined) whole("steps", 1, 2 ** 40);
  if (epochs !== undefined) real("epochs", (value) => value > 0, "a number above 0");
  real("learningRate", (value) => value > 0, "a number above 0");
  real("thresholdRate", (value) => value > 0, "a number above 0");
  real("warmUp", (value) => value >= 0 && value <= 1, "a share from 0 to 1");
  real("decay", (value) => value >= 0 && value + warmUp <= 1, `a share from 0 to ${1 - warmUp}, beside the warm-up`);
  whole("auxK", 0, features);
  real("auxWeight", (value) => value >= 0, "a number of at least 0");
  whole("deadAfter", 1, 2 ** 50);
  real("bandwidth", (value) => value > 0, "a number above 0");
  real("sparsity", (value) => value >= 0, "a number of at least 0");
  whole("bufferRows", batch, 2 ** 40);
  whole("seed", 0, Number.MAX_SAFE_INTEGER);
}
