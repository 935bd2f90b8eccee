import type { AdapterDescription } from "./adapter.ts";

/** What a model is, read from its own file and from the loaded engine. Plain data: it travels in provenance. */
export interface ModelDescription {
  /** `general.name`, or the file's name without its ending. */
  readonly name: string;
  /** First (or only) file. */
  readonly path: string;
  readonly architecture: string;
  /** Number of transformer blocks; layers run from 0 to blocks − 1. */
  readonly blocks: number;
  /** Width of the residual stream. */
  readonly width: number;
  readonly vocabulary: number;
  /** Context length the model was trained with, tokens. */
  readonly trainedContext: number;
  /** Such as `F16`, `Q4_K - Medium`. */
  readonly quantisation: string;
  readonly parameters: number;
  readonly sizeBytes: number;
  readonly tokenizer: TokenizerDescription;
  /** Chat template of the file, if it carries one. */
  readonly chatTemplate: string | undefined;
  /** What of this model can be read and steered; `reason` says why not. */
  readonly capabilities: Capabilities;
  /** Low-rank adapters that it was opened with; left out if none. `path`, sizes and parameters are those of the model itself. */
  readonly adapters?: readonly AdapterDescription[];
}

export interface TokenizerDescription {
  /** `tokenizer.ggml.model`: gpt2, llama, … */
  readonly model: string;
  /** `tokenizer.ggml.pre`, or "default". */
  readonly pre: string;
  /** sha256 (hex) over token list, merges, pre-tokenizer and special ids: equal means the same ids for the same text. */
  readonly fingerprint: string;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly addsBos: boolean;
}

/** Outcome of the self-test made when a model is opened. */
export interface Capabilities {
  /** Hidden states can be read at every block. */
  readonly tap: boolean;
  /** A vector added at a middle block changes the logits. */
  readonly steer: boolean;
  /** Why one of them is false. */
  readonly reason: string | undefined;
}

/** Which model a map or vector belongs to: what its file needs to say so that a mix-up is refused by name. */
export interface ModelIdentity {
  readonly name: string;
  /** sha256 of the GGUF file, hex. */
  readonly sha256: string;
  readonly architecture: string;
  readonly width: number;
  readonly blocks: number;
  readonly quantisation: string;
  readonly tokenizerFingerprint: string;
}

/** Picks the identity out of a description. */
export function toIdentity(description: ModelDescription, sha256: string): ModelIdentity {
  const { name, architecture, width, blocks, quantisation } = description;
  return {
    name,
    sha256,
    architecture,
    width,
    blocks,
    quantisation,
    tokenizerFingerprint: description.tokenizer.fingerprint,
  };
}
