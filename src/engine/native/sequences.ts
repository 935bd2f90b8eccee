import { mismatch } from "../../errors.ts";
import type { LayerAddition } from "../open-model.ts";
import type { NativeContext } from "./context.ts";
import { type NativeModel, sequenceRows } from "./native-model.ts";

interface Kept {
  readonly tokens: number[];
  /** Positions [0, cached) have keys and values in the cache. */
  cached: number;
  steering: readonly LayerAddition[];
}

/**
 * Sequences whose KV cache is kept between calls, in a context of their own. The rule: cached positions carry the steering they
 * were decoded under; changing the steering either forgets them, to be decoded again, or keeps them when told to.
 */
export class KeptSequences {
  private readonly model: NativeModel;
  private readonly open = new Map<number, Kept>();
  private context: NativeContext | undefined;

  constructor(model: NativeModel) {
    this.model = model;
  }

  start(): number {
    this.context ??= this.model.newContext();
    for (let slot = 0; slot < this.model.limits.sequences; slot++)
      if (!this.open.has(slot)) {
        this.open.set(slot, { tokens: [], cached: 0, steering: [] });
        return slot;
      }
    throw mismatch("bad-input", "sequence", `at most ${this.model.limits.sequences} open at once`, "one more", {
      hint: "close a sequence first",
    });
  }

  /** Adds tokens and returns the logits after the last one. */
  append(slot: number, tokens: Int32Array): Float32Array {
    const kept = this.kept(slot);
    this.checkRoom(kept, tokens.length);
    const all = [...kept.tokens, ...tokens];
    const rows = all.slice(kept.cached).map((token, i) => ({
      token,
      position: kept.cached + i,
      sequences: [slot],
      output: kept.cached + i === all.length - 1,
    }));
    const context = this.native();
    const { steering, edits } = this.model.intervene({ steering: kept.steering, edits: [] });
    context.decode({ rows, steering, edits });
    kept.tokens.push(...tokens);
    kept.cached = kept.tokens.length;
    return this.model.viewLogits(context, rows.length - 1).slice();
  }

  /**
   * Adds tokens and returns their hidden states after layers, each `[tokens, width]`; blocks behind the last are not computed. A sequence that
   * is read so has no keys and values there: it is to be read at these layers only.
   */
  appendStates(slot: number, tokens: Int32Array, layers: readonly number[]): Float32Array[] {
    const kept = this.kept(slot);
    this.checkRoom(kept, tokens.length);
    const context = this.native();
    // The last block computes output rows only.
    const all = layers.includes(this.model.info.blocks - 1);
    const rows = sequenceRows(tokens, slot, () => all, kept.cached);
    const states = context.decode({ rows, steering: [], read: layers, stopEarly: true });
    kept.tokens.push(...tokens);
    kept.cached = kept.tokens.length;
    return layers.map((layer) => states.get(layer)!);
  }

  /** Changes the steering of what is decoded from now on; `redecode` also forgets what was decoded under the old one. */
  steer(slot: number, steering: readonly LayerAddition[], cache: "redecode" | "keep"): void {
    const kept = this.kept(slot);
    kept.steering = steering;
    if (cache === "keep") return;
    this.native().forget(slot);
    kept.cached = 0;
  }

  /** Cuts a sequence to its first `length` tokens. */
  rewind(slot: number, length: number): void {
    const kept = this.kept(slot);
    if (!Number.isInteger(length) || length < 0 || length > kept.tokens.length)
      throw mismatch("bad-input", "rewind", `a length from 0 to ${kept.tokens.length}`, String(length));
    if (length < kept.cached) this.native().forget(slot, length);
    kept.tokens.length = length;
    kept.cached = Math.min(kept.cached, length);
  }

  end(slot: number): void {
    if (this.open.delete(slot)) this.native().forget(slot);
  }

  private checkRoom(kept: Kept, more: number): void {
    const length = kept.tokens.length + more;
    if (length > this.model.context)
      throw mismatch("bad-input", "sequence", `at most ${this.model.context} tokens of context`, String(length));
    const others = [...this.open.values()].reduce((total, other) => total + (other === kept ? 0 : other.cached), 0);
    if (others + length > this.model.limits.cells)
      throw mismatch("bad-input", "sequence", `${this.model.limits.cells} tokens over all open sequences`, "more", {
        hint: "close a sequence, or open the model with a larger context",
      });
  }

  private kept(slot: number): Kept {
    const kept = this.open.get(slot);
    if (!kept) throw mismatch("bad-input", "sequence", "an open sequence", "a closed one");
    return kept;
  }

  private native(): NativeContext {
    if (!this.context) throw mismatch("internal", "sequence", "a context", "none");
    return this.context;
  }
}
