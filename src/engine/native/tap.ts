import { TrimtabError } from "../../errors.ts";
import type { Edit } from "../open-model.ts";
import type { Llama, Pointer } from "./llama.ts";

/** Which sequence and position each row of a batch belongs to, so that an edit can touch some rows only. */
export interface RowOwner {
  readonly sequence: number;
  readonly position: number;
}

export interface TapRequest {
  /** Layers whose rows are kept. */
  readonly read: readonly number[];
  readonly edits: readonly Edit[];
  /** One entry for every row of the batch, in batch order. */
  readonly rows: readonly RowOwner[];
  /** Stop each graph after the last layer asked for: logits are not wanted. */
  readonly stopEarly: boolean;
}

const blockOutput = "l_out-";
const typeF32 = 0;

/**
 * Listens to the graph through llama.cpp's eval callback: reads the output rows of blocks, edits them in place, and stops the
 * graph after the last block that is needed. One tap belongs to one context; between requests it answers no to everything.
 */
export class Tap {
  readonly callback: Pointer;
  private readonly llama: Llama;
  private readonly width: number;
  private request: TapRequest | undefined;
  private wanted = new Set<number>();
  private lastWanted = -1;
  private collected = new Map<number, Float32Array>();
  private cursor = new Map<number, number>();
  private failure: unknown;

  constructor(llama: Llama, width: number) {
    this.llama = llama;
    this.width = width;
    this.callback = llama.registerEvalCallback((tensor, ask) => this.listen(tensor, ask));
  }

  begin(request: TapRequest): void {
    this.request = request;
    this.wanted = new Set([...request.read, ...request.edits.map((edit) => edit.site.layer)]);
    this.lastWanted = Math.max(-1, ...this.wanted);
    this.collected = new Map(
      request.read.map((layer) => [layer, new Float32Array(request.rows.length * this.width)] as const),
    );
    this.cursor = new Map([...this.wanted].map((layer) => [layer, 0] as const));
    this.failure = undefined;
  }

  /**
   * Ends the request and returns the rows of each layer read, `[rows, width]` in batch order.
   *
   * @throws engine if a layer did not deliver a row for every token
   */
  end(): ReadonlyMap<number, Float32Array> {
    const { request, collected, cursor, failure } = this;
    this.request = undefined;
    if (failure !== undefined) throw failure;
    for (const [layer, seen] of cursor)
      if (request && seen !== request.rows.length)
        throw new TrimtabError(
          "engine",
          `tap at layer ${layer}: expected ${request.rows.length} rows from the engine, got ${seen}`,
          { hint: "this architecture does not name its blocks; see `trimtab inspect`" },
        );
    return collected;
  }

  /** Never throws: an exception here would be lost in native code. */
  private listen(tensor: Pointer, ask: boolean): boolean {
    if (!this.request) return false;
    try {
      const name = this.llama.tensorName(tensor);
      if (!name.startsWith(blockOutput)) return false;
      const layer = Number(name.slice(blockOutput.length));
      if (!this.wanted.has(layer)) return false;
      if (ask) return true;
      this.take(layer, tensor, this.request);
      return !(this.request.stopEarly && layer >= this.lastWanted);
    } catch (thrown) {
      this.failure = thrown;
      return false;
    }
  }

  private take(layer: number, tensor: Pointer, request: TapRequest): void {
    const rows = this.llama.tensorRows(tensor);
    const start = this.cursor.get(layer) ?? 0;
    const fits =
      this.llama.tensorType(tensor) === typeF32 &&
      this.llama.tensorElements(tensor) === rows * this.width &&
      start + rows <= request.rows.length;
    if (!fits)
      throw new TrimtabError("engine", `tap at layer ${layer}: expected F32 rows of ${this.width}, got another shape`);
    const kept = this.collected.get(layer);
    const values = kept
      ? kept.subarray(start * this.width, (start + rows) * this.width)
      : new Float32Array(rows * this.width);
    this.llama.tensorRead(tensor, values);
    const edits = request.edits.filter((edit) => edit.site.layer === layer);
    if (edits.length > 0) {
      for (let row = 0; row < rows; row++) {
        const owner = request.rows[start + row];
        const state = values.subarray(row * this.width, (row + 1) * this.width);
        for (const edit of edits) if (owner && isTouched(edit, owner)) editRow(state, edit, owner.position);
      }
      this.llama.tensorWrite(tensor, values);
    }
    this.cursor.set(layer, start + rows);
  }

  free(): void {
    this.llama.unregister(this.callback);
  }
}

function isTouched({ sequence, range }: Edit, owner: RowOwner): boolean {
  if (sequence !== undefined && sequence !== owner.sequence) return false;
  return !range || (owner.position >= range.start && owner.position < range.end);
}

function editRow(state: Float32Array, { kind, vector, range }: Edit, position: number): void {
  if (kind === "replace") {
    state.set(vector);
    return;
  }
  if (kind === "replace-rows") {
    const start = (position - (range?.start ?? 0)) * state.length;
    state.set(vector.subarray(start, start + state.length));
    return;
  }
  if (kind === "add-rows") {
    const start = (position - (range?.start ?? 0)) * state.length;
    for (let i = 0; i < state.length; i++) state[i]! += vector[start + i]!;
    return;
  }
  if (kind === "add") {
    for (let i = 0; i < state.length; i++) state[i]! += vector[i]!;
    return;
  }
  let dot = 0;
  let square = 0;
  for (let i = 0; i < state.length; i++) {
    dot += state[i]! * vector[i]!;
    square += vector[i]! * vector[i]!;
  }
  const scale = dot / square;
  for (let i = 0; i < state.length; i++) state[i]! -= scale * vector[i]!;
}
