import { mismatch, TrimtabError } from "../../errors.ts";
import type { Edit, LayerAddition } from "../open-model.ts";
import { Batch } from "./batch.ts";
import type { ContextParams, Llama, Pointer } from "./llama.ts";
import { Tap } from "./tap.ts";

/** Sizes of a context: how many tokens its KV cache holds over all sequences, and how many sequences. */
export interface ContextShape {
  readonly cells: number;
  readonly sequences: number;
  readonly threads: number;
  /** Tokens computed at once. */
  readonly chunk: number;
  readonly outputs: number;
  readonly cache: "f16" | "f32";
  /**
   * Whether all sequences share one pool of cells (the default), or each has its own, `cells / sequences` long. Shared cells keep rows of a batch
   * in the order they were given, which the tap relies on, and let a row belong to several sequences. Own cells make what a sequence
   * computes independent of the others, and need batches whose sequences have consecutive numbers, each with as many rows.
   */
  readonly isShared?: boolean;
}

/** A low-rank adapter that was loaded, and what its change is multiplied by. */
export interface Adapter {
  readonly pointer: Pointer;
  readonly scale: number;
}

/** One row to decode. `sequences` may name several: the row is then computed once and seen by all of them. */
export interface Row {
  readonly token: number;
  readonly position: number;
  readonly sequences: readonly number[];
  readonly output: boolean;
  /** What enters the first block in place of the token's embedding, `[width]`; all rows of a decode have one, or none. */
  readonly state?: Float32Array;
}

export interface DecodeRequest {
  readonly rows: readonly Row[];
  readonly steering: readonly LayerAddition[];
  readonly edits?: readonly Edit[];
  readonly read?: readonly number[];
  readonly stopEarly?: boolean;
  /** What the rows' states are multiplied with on their way in; default 1. */
  readonly stateScale?: number;
}

/** ggml's numbers of the cache's types. */
const ggmlTypes = { f32: 0, f16: 1 } as const;

/**
 * A llama_context with its batch, its steering and, if it was made so, its tap. Rule for the KV cache: rows decoded here are
 * removed by the caller before the next unrelated decode; steering is compared and set before every decode, so that no decode
 * runs under the steering of another call.
 */
export class NativeContext {
  readonly shape: ContextShape;
  readonly pointer: Pointer;
  private readonly llama: Llama;
  private readonly width: number;
  private readonly blocks: number;
  private readonly memory: Pointer | null;
  private readonly batch: Batch;
  private readonly tap: Tap | undefined;
  private steered: Float32Array | undefined;
  private steeredBy: readonly LayerAddition[] | undefined;

  constructor(
    llama: Llama,
    model: Pointer,
    {
      width,
      blocks,
      tapped,
      adapters = [],
      ...shape
    }: ContextShape & { width: number; blocks: number; tapped: boolean; adapters?: readonly Adapter[] },
  ) {
    this.llama = llama;
    this.width = width;
    this.blocks = blocks;
    this.shape = shape;
    this.tap = tapped ? new Tap(llama, width) : undefined;
    const isShared = shape.isShared ?? true;
    const params: ContextParams = {
      ...llama.contextDefaultParams(),
      n_ctx: shape.cells,
      n_batch: isShared ? shape.cells : Math.max(shape.chunk, shape.sequences),
      n_ubatch: shape.chunk,
      n_seq_max: shape.sequences,
      n_outputs_max: shape.outputs,
      n_outputs_max_per_seq: 0,
      n_threads: shape.threads,
      n_threads_batch: shape.threads,
      cb_eval: this.tap?.callback ?? null,
      kv_unified: isShared,
      // Flash attention rounds to float16 inside whatever the cache holds; who asks for an exact cache wants none of it.
      ...(shape.cache === "f32" && { flash_attn_type: 0 }),
      type_k: ggmlTypes[shape.cache],
      type_v: ggmlTypes[shape.cache],
      no_perf: true,
    };
    const pointer = llama.newContext(model, params);
    if (!pointer) {
      this.tap?.free();
      throw mismatch("engine", "context", `room for ${shape.cells} tokens`, "the engine could not make it", {
        hint: "choose a smaller --context",
      });
    }
    this.pointer = pointer;
    if (adapters.length > 0)
      llama.setAdapters(
        pointer,
        adapters.map((adapter) => adapter.pointer),
        adapters.map(({ scale }) => scale),
      );
    this.memory = llama.memory(pointer);
    this.batch = isShared
      ? new Batch(shape.cells, shape.sequences)
      : new Batch(Math.max(shape.chunk, shape.sequences), 1);
  }

  /**
   * Decodes rows and returns what was read of the hidden states, `[rows, width]` by layer.
   *
   * @throws engine if the engine refuses the batch
   */
  decode({
    rows,
    steering,
    edits = [],
    read = [],
    stopEarly = false,
    stateScale = 1,
  }: DecodeRequest): ReadonlyMap<number, Float32Array> {
    this.steer(steering);
    this.batch.clear();
    // The last block computes output rows only. To edit it, every row must be one; a tapped context has room for that.
    const everyRow = edits.some(({ site }) => site.layer === this.blocks - 1);
    for (const row of rows) this.batch.add(row.token, row.position, row.sequences, row.output || everyRow);
    const entering = rows.flatMap(({ state }) => (state ? [state] : []));
    if (entering.length > 0) this.batch.setStates(entering, this.width, stateScale);
    const taps = read.length > 0 || edits.length > 0;
    if (taps && !this.tap) throw mismatch("internal", "context", "a tapped context", "a plain one");
    if (taps)
      this.tap?.begin({
        read,
        edits,
        rows: rows.map(({ sequences, position }) => ({ sequence: sequences[0]!, position })),
        stopEarly,
      });
    const status = this.llama.decode(this.pointer, this.batch.toStruct());
    const found: ReadonlyMap<number, Float32Array> = taps && this.tap ? this.tap.end() : new Map();
    if (status !== 0) {
      this.clear();
      const why = status === 1 ? "no room in the KV cache" : `llama_decode returned ${status}`;
      throw new TrimtabError("engine", `decode: expected ${rows.length} tokens to be computed, got: ${why}`, {
        hint: "use fewer or shorter sequences, or a larger context",
      });
    }
    return found;
  }

  /**
   * Decodes rows, as many decodes as the output buffer asks for, and visits every output while its logits are there:
   * `visit(index into rows, row of the batch)`.
   */
  decodeOutputs(request: DecodeRequest, visit: (index: number, row: number) => void): void {
    const { rows } = request;
    let start = 0;
    while (start < rows.length) {
      let end = start;
      let outputs = 0;
      while (end < rows.length && outputs + Number(rows[end]!.output) <= this.shape.outputs) {
        outputs += Number(rows[end]!.output);
        end++;
      }
      this.decode({ ...request, rows: rows.slice(start, end) });
      for (let index = start; index < end; index++) if (rows[index]!.output) visit(index, index - start);
      start = end;
    }
  }

  /** Row of logits after batch row `row` of the last decode; must be copied before the next one. */
  logits(row: number): Pointer {
    const pointer = this.llama.logitsAt(this.pointer, row);
    if (!pointer) throw mismatch("internal", "logits", `an output at row ${row}`, "none");
    return pointer;
  }

  setThreads(threads: number): void {
    this.llama.setThreads(this.pointer, threads);
  }

  clear(): void {
    if (this.memory) this.llama.memoryClear(this.memory);
  }

  /** Forgets positions [from, ∞) of a sequence. */
  forget(sequence: number, from = 0): void {
    if (this.memory && !this.llama.memoryRemove(this.memory, sequence, from, -1) && from > 0)
      throw mismatch("unsupported", "sequence", "a model whose cache can be cut", "one that cannot be rewound");
  }

  /** Sets the control vector if it differs from the one in force. Layers ≥ 1; layer 0 is steered by an edit. */
  private steer(additions: readonly LayerAddition[]): void {
    // The same list as last time: it is not changed by anyone, so there is nothing to compare.
    if (additions === this.steeredBy) return;
    const next = additions.length > 0 ? this.controlVector(additions) : undefined;
    this.steeredBy = undefined;
    if (isEqual(this.steered, next)) {
      this.steeredBy = additions;
      return;
    }
    const status = this.llama.setControlVector(this.pointer, next ?? null, this.width, 1, this.blocks - 1);
    if (status !== 0) {
      this.steered = undefined;
      throw mismatch("engine", "steering", `a control vector of ${this.blocks - 1} × ${this.width}`, "a refusal");
    }
    this.steered = next;
    this.steeredBy = additions;
  }

  /** All layers, zeros where none is steered: rows left out would keep what an earlier vector put there. */
  private controlVector(additions: readonly LayerAddition[]): Float32Array {
    const data = new Float32Array(this.width * (this.blocks - 1));
    for (const { layer, vector } of additions) {
      const offset = (layer - 1) * this.width;
      for (let i = 0; i < this.width; i++) data[offset + i]! += vector[i]!;
    }
    return data;
  }

  free(): void {
    this.llama.freeContext(this.pointer);
    this.batch.free();
    this.tap?.free();
  }
}

function isEqual(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  if (!a || !b) return a === b;
  return a.every((value, i) => value === b[i]);
}
