import type { ContinuousBatch } from "./continuous-batch.ts";
import type { ModelDescription } from "./description.ts";
import type { OpenSequence } from "./open-sequence.ts";
import type { Site } from "./site.ts";

/** A vector to add to every row of the residual stream after block `layer`, already scaled. `vector` has the model's width. */
export interface LayerAddition {
  readonly layer: number;
  readonly vector: Float32Array;
}

/**
 * A change made to hidden states in place while the model runs. `add` adds the vector, `replace` writes it, `project-out` removes the
 * component along it; `replace-rows` and `add-rows` write or add a row of its own at each position of `range`. `range` limits an edit to token positions
 * [start, end) of the sequence; `sequence` to one sequence of the call.
 */
export interface Edit {
  readonly kind: "add" | "replace" | "project-out" | "replace-rows" | "add-rows";
  readonly site: Site;
  /** `[width]`; of `replace-rows` and `add-rows` `[end − start, width]` row-major. */
  readonly vector: Float32Array;
  readonly range?: { readonly start: number; readonly end: number };
  readonly sequence?: number;
}

export interface RunOptions {
  /** Added by llama.cpp's control vector to every token of the call. Several at one layer sum. */
  readonly steering?: readonly LayerAddition[];
  readonly edits?: readonly Edit[];
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends RunOptions {
  readonly sites: readonly Site[];
}

/** Hidden states of one window: for each site asked for, in that order, rows `[tokens, width]` row-major. */
export interface WindowStates {
  readonly index: number;
  readonly tokens: Int32Array;
  readonly states: readonly Float32Array[];
}

/** Windows that are packed into the engine's batches by themselves, so that what they give does not depend on their neighbours. */
export type WindowBatch = readonly Int32Array[];

/** A prompt and the continuations to score after it. Both are token ids; the prompt has at least one token. */
export interface ScoredItem {
  readonly prompt: Int32Array;
  readonly continuations: readonly Int32Array[];
}

export interface GenerateOptions extends RunOptions {
  readonly maxTokens?: number;
  /** 0 is greedy. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  /** Taken from a token's logit for every time it was written in the last 64 tokens. OpenAI's, from −2 to 2. */
  readonly frequencyPenalty?: number;
  /** Taken from a token's logit once if it was written in the last 64 tokens. OpenAI's, from −2 to 2. */
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** `all` steers prompt and generation, `generation` only what is generated. */
  readonly steerPhase?: "all" | "generation";
  /** Also report each token's log-probability under the (steered) model before sampling; costs a pass over the vocabulary. */
  readonly logProbabilities?: boolean;
  /** Also report so many of the likeliest tokens at each place, at most 20; implies `logProbabilities`. */
  readonly topLogProbabilities?: number;
}

export type StopReason = "end" | "stop" | "length" | "aborted";

/**
 * One piece of generated text. `text` may be empty while a character or a possible stop string is incomplete; what was held
 * back to the end comes as a last piece with token −1.
 */
export interface GeneratedPiece {
  readonly token: number;
  readonly text: string;
  readonly logProbability: number | undefined;
  /** The bytes that the token stands for, when log-probabilities are asked for; a special token's name. */
  readonly bytes?: Uint8Array;
  /** The likeliest tokens at this place, likeliest first, when asked for. */
  readonly top?: readonly TokenOdds[];
}

/** A token, the bytes that it stands for (a character may need several tokens), and its log-probability in nats. */
export interface TokenOdds {
  readonly token: number;
  readonly bytes: Uint8Array;
  readonly logProbability: number;
}

export interface Generation {
  readonly text: string;
  readonly tokens: Int32Array;
  readonly stopReason: StopReason;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/**
 * An open GGUF model, living in a worker thread of its own. All token ids are checked against vocabulary and context before
 * the engine sees them. Every call starts from an empty KV cache of its own, so steering never leaks from one call to another.
 */
export interface OpenModel extends AsyncDisposable {
  readonly description: ModelDescription;
  /** Longest sequence this model was opened for, tokens. */
  readonly context: number;
  /** Threads that it computes with. */
  readonly threads: number;
  /**
   * Changes the number of threads. Two models that compute side by side should share the cores: with more threads than cores the
   * engine's threads wait for one another by spinning, and both crawl.
   */
  setThreads(threads: number): Promise<void>;
  /** `addSpecial` adds BOS/EOS as the file says (default true); `parseSpecial` reads `<|…|>` as special tokens (default false). */
  tokenize(text: string, options?: { addSpecial?: boolean; parseSpecial?: boolean }): Promise<Int32Array>;
  /** Exact inverse of `tokenize(text, { addSpecial: false })`. Special tokens are left out unless `special` is true. */
  detokenize(tokens: Int32Array, options?: { special?: boolean }): Promise<string>;
  /**
   * The bytes that each token stands for, alone: parts of a character are what they are, a special token's are its name, and a space that
   * a tokenizer puts before a text belongs to the token that holds it.
   */
  tokenBytes(tokens: Int32Array): Promise<readonly Uint8Array[]>;
  /** Ids that are control or special tokens (BOS, EOS, …). */
  specialTokens(): Promise<ReadonlySet<number>>;
  /**
   * Renders messages with the file's own chat template. `addGenerationPrompt` (default true) ends with the beginning of the model's turn;
   * `thinking: false` leaves no room for thoughts before the answer (see `RenderChatOptions`).
   *
   * @throws unsupported if it has none
   */
  chatPrompt(messages: readonly ChatMessage[], options?: { addGenerationPrompt?: boolean; thinking?: boolean }): string;
  /** Logits after each sequence's last token, or at given positions: for each sequence rows `[positions, vocabulary]`. */
  logits(
    sequences: readonly Int32Array[],
    options?: RunOptions & { readonly positions?: "last" | "all" | readonly (readonly number[])[] },
  ): Promise<Float32Array[]>;
  /** Log-probability of every token of every continuation, nats: `[item][continuation][token]`. Many items share a batch. */
  logProbabilities(items: readonly ScoredItem[], options?: RunOptions): Promise<Float64Array[][]>;
  /**
   * Streams the hidden states of windows of token ids, in order; stops each decode after the last site asked for.
   *
   * Several windows are computed in one batch, whose shape changes the last bits of a row. Lone windows are packed with whatever
   * stands beside them in the stream. An array of windows is packed by itself: the same array, sites and number of threads give the
   * same bits after and before anything else, on the same machine. Windows are counted through, in arrays or not; an empty array
   * gives nothing. A few calls are under way ahead of the caller, across arrays too.
   */
  readStates(
    windows: Iterable<Int32Array | WindowBatch> | AsyncIterable<Int32Array | WindowBatch>,
    options: ReadOptions,
  ): AsyncGenerator<WindowStates, void, void>;
  /** Streams a continuation of a prompt, piece by piece; the generator's return value is the whole. */
  generate(prompt: Int32Array, options?: GenerateOptions): AsyncGenerator<GeneratedPiece, Generation, void>;
  /** Continues many prompts in one batch; prompt i is sampled with seed + i. */
  generateMany(prompts: readonly Int32Array[], options?: GenerateOptions): Promise<Generation[]>;
  /**
   * Opens a batch that many texts are written in at once, each with its own steering.
   *
   * @param options.slots - texts at once, 1 to 256; left open, as many as fit 2 GiB of cache, from 2 to 64
   */
  openBatch(options?: { slots?: number }): Promise<ContinuousBatch>;
  /** A sequence whose KV cache is kept between calls, with the rule for steering and cache of {@link OpenSequence}. */
  startSequence(options?: Pick<RunOptions, "steering">): Promise<OpenSequence>;
  /** sha256 of the file, hex; of a split model, of the parts' digests joined; with adapters, of theirs too. Remembered by path, size and time. */
  sha256(): Promise<string>;
  close(): Promise<void>;
}
