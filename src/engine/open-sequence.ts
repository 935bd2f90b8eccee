import type { LayerAddition } from "./open-model.ts";

/**
 * A sequence whose KV cache is kept between calls.
 *
 * The rule for steering and the cache: keys and values in the cache carry the steering they were computed under. Changing the steering
 * therefore forgets them by default (`"redecode"`: the tokens so far are computed again at the next append); `"keep"` keeps them
 * as they are, and only what comes after is steered anew.
 */
export interface OpenSequence extends AsyncDisposable {
  /** Number of tokens so far. */
  readonly length: number;
  /** Adds tokens and returns the logits after the last one, `[vocabulary]`. */
  append(tokens: Int32Array): Promise<Float32Array>;
  /** Changes the steering; an empty list clears it. */
  steer(steering: readonly LayerAddition[], options?: { cache?: "redecode" | "keep" }): Promise<void>;
  /** Cuts the sequence to its first `length` tokens. */
  rewind(length: number): Promise<void>;
  close(): Promise<void>;
}
