import koffi from "koffi";
import { mismatch } from "../../errors.ts";
import type { BatchStruct, Pointer } from "./llama.ts";

/**
 * A llama_batch in native memory, filled from JavaScript through views without copying. Rows can belong to up to
 * `sequencesPerRow` sequences at once, which is how a prompt is decoded once for several continuations.
 */
export class Batch {
  readonly capacity: number;
  private readonly sequencesPerRow: number;
  private readonly pointers: readonly Pointer[];
  private readonly tokens: Int32Array;
  private readonly positions: Int32Array;
  private readonly sequenceCounts: Int32Array;
  private readonly sequenceIds: Int32Array;
  private readonly outputs: Int8Array;
  private length = 0;
  private states: { readonly pointer: Pointer; readonly values: Float32Array } | undefined;
  private hasStates = false;

  constructor(capacity: number, sequencesPerRow: number) {
    this.capacity = capacity;
    this.sequencesPerRow = sequencesPerRow;
    const alloc = (bytes: number): Pointer => koffi.alloc("uint8_t", bytes);
    const ids = alloc(capacity * sequencesPerRow * 4);
    const rows = alloc(capacity * 8);
    this.pointers = [alloc(capacity * 4), alloc(capacity * 4), alloc(capacity * 4), rows, alloc(capacity), ids];
    const [tokens, positions, counts, , outputs] = this.pointers;
    this.tokens = new Int32Array(koffi.view(tokens, capacity * 4));
    this.positions = new Int32Array(koffi.view(positions, capacity * 4));
    this.sequenceCounts = new Int32Array(koffi.view(counts, capacity * 4));
    this.outputs = new Int8Array(koffi.view(outputs, capacity));
    this.sequenceIds = new Int32Array(koffi.view(ids, capacity * sequencesPerRow * 4));
    const rowPointers = new BigUint64Array(koffi.view(rows, capacity * 8));
    const base = koffi.address(ids);
    for (let i = 0; i < capacity; i++) rowPointers[i] = base + BigInt(i * sequencesPerRow * 4);
  }

  get size(): number {
    return this.length;
  }

  clear(): void {
    this.length = 0;
    this.hasStates = false;
  }

  /**
   * Lets the rows, all of them, enter the model as hidden states `[rows, width]` in place of tokens, each number times `scale`.
   * Copied here; to be called after the rows were added.
   */
  setStates(rows: readonly Float32Array[], width: number, scale: number): void {
    const needed = rows.length * width;
    if (!this.states || this.states.values.length < needed) {
      if (this.states) koffi.free(this.states.pointer);
      const pointer: Pointer = koffi.alloc("uint8_t", 4 * needed);
      this.states = { pointer, values: new Float32Array(koffi.view(pointer, 4 * needed)) };
    }
    const { values } = this.states;
    rows.forEach((row, at) => {
      values.set(row, at * width);
    });
    if (scale !== 1) for (let i = 0; i < needed; i++) values[i]! *= scale;
    this.hasStates = true;
  }

  /** Adds one token and returns its row in the batch. */
  add(token: number, position: number, sequences: readonly number[], output: boolean): number {
    const row = this.length;
    if (row >= this.capacity) throw mismatch("internal", "batch", `at most ${this.capacity} tokens`, "one more");
    if (sequences.length > this.sequencesPerRow)
      throw mismatch("internal", "batch", `at most ${this.sequencesPerRow} sequences a token`, `${sequences.length}`);
    this.tokens[row] = token;
    this.positions[row] = position;
    this.sequenceCounts[row] = sequences.length;
    this.sequenceIds.set(sequences, row * this.sequencesPerRow);
    this.outputs[row] = output ? 1 : 0;
    this.length = row + 1;
    return row;
  }

  /** The struct to pass by value, for rows [0, size). */
  toStruct(): BatchStruct {
    const [token, pos, counts, rows, outputs] = this.pointers as [Pointer, Pointer, Pointer, Pointer, Pointer];
    const embd = this.hasStates && this.states ? this.states.pointer : null;
    return {
      n_tokens: this.length,
      token: embd ? null : token,
      embd,
      pos,
      n_seq_id: counts,
      seq_id: rows,
      logits: outputs,
    };
  }

  free(): void {
    for (const pointer of this.pointers) koffi.free(pointer);
    if (this.states) koffi.free(this.states.pointer);
  }
}
