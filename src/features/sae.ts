import type { Site } from "../engine/site.ts";
import type { SparseRows } from "./sparse-rows.ts";

/** How an autoencoder decides which features are active. */
export type SaeActivation = "relu" | "jumprelu" | "topk" | "batchtopk" | "gated";

/** What an autoencoder was trained on, as far as its files say. */
export interface SaeOrigin {
  /** Layout of the files it was read from, or `trimtab` if it was trained here. */
  readonly format: "gemma-scope" | "gemma-scope-2" | "saelens" | "llama-scope" | "trimtab";
  /** Name of the model whose hidden states it codes. */
  readonly model: string | undefined;
  /** sha256 (hex) of that model's file; only autoencoders trained or carried here have it. */
  readonly modelSha256: string | undefined;
  readonly site: Site | undefined;
  /** Training facts, scores and provenance as plain JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * A sparse autoencoder of hidden states: `f = activation((s x − [b_dec]) W_encᵀ + b_enc)`, `x̂ = (f W_dec + b_dec) / s`, where s is `inputScale`
 * and b_dec is subtracted first only if `subtractsDecoderBias`.
 *
 * Activations: `relu` max(0, pre); `jumprelu` pre where pre > threshold of the feature, else 0; `topk` the k largest pre of the row, those
 * above 0; `batchtopk` at inference a jumprelu with one threshold for all features; `gated` relu(pre_mag) where pre_gate > 0, with
 * `pre_gate = x W_encᵀ + gate.bias`, `pre_mag = exp(gate.logScale) · (x W_encᵀ) + b_enc`.
 *
 * @see Rajamanoharan et al., arXiv 2407.14435 (JumpReLU) and 2404.16014 (gated); Gao et al., arXiv 2406.04093 (TopK); Bussmann et al.,
 * arXiv 2412.06410 (BatchTopK)
 */
export interface Sae {
  /** Width of the hidden states. */
  readonly width: number;
  /** Number of features. */
  readonly features: number;
  readonly activation: SaeActivation;
  /** `[features, width]` row-major: row j is the direction that feature j reads. */
  readonly encoder: Float32Array;
  /** `[features]`. */
  readonly encoderBias: Float32Array;
  /** `[features, width]` row-major: row j is the direction that feature j writes. */
  readonly decoder: Float32Array;
  /** `[width]`. */
  readonly decoderBias: Float32Array;
  /** `[features]`, of `jumprelu` and `batchtopk`. */
  readonly threshold: Float32Array | undefined;
  /** Active features of a row at most, of `topk`; the mean that it was trained for, of `batchtopk`. */
  readonly k: number | undefined;
  /** Of `gated`: `[features]` each. */
  readonly gate: { readonly bias: Float32Array; readonly logScale: Float32Array } | undefined;
  readonly subtractsDecoderBias: boolean;
  /** Rows are multiplied by this before encoding and divided by it after decoding. 1 where nothing is scaled. */
  readonly inputScale: number;
  readonly origin: SaeOrigin;
}

/** Rows of features, see {@link SparseRows}: column j is feature j. */
export type FeatureRows = SparseRows;
