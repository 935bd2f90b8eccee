import koffi from "koffi";
import { mismatch, TrimtabError } from "../../errors.ts";
import type { EngineLibrary } from "../library.ts";
import type { Edit, LayerAddition } from "../open-model.ts";
import { residPost } from "../site.ts";
import { type Adapter, type ContextShape, NativeContext, type Row } from "./context.ts";
import { type Llama, loadLlama, type NativeModelInfo, type Pointer } from "./llama.ts";
import { loadTail, type PlannedTail, type TailSource } from "./load-tail.ts";
import { Vocabulary } from "./vocabulary.ts";

export interface NativeOpenOptions {
  readonly library: EngineLibrary;
  readonly path: string;
  readonly threads: number;
  readonly gpuLayers: number;
  /** Longest sequence, tokens; 0 = the trained context, at most {@link defaultContext}. */
  readonly context: number;
  readonly cache: "f16" | "f32";
  /** Opens only the blocks after a layer of the file, in memory; `path` names it in errors. */
  readonly tail?: TailSource | undefined;
  /** Low-rank adapters in force in every context. */
  readonly lora?: readonly { readonly path: string; readonly scale: number }[];
}

/** Steering and edits of one call, as the engine runs them. */
export interface Intervention {
  readonly steering: readonly LayerAddition[];
  readonly edits: readonly Edit[];
}

// A context as long as modern models allow would take gigabytes of cache that a steering run never fills.
const defaultContext = 4096;
// llama.cpp's own default: large enough that matrix products dominate, small enough for caches.
const chunkTokens = 512;
// Memory that the KV cache may take beyond one full context, so that many short sequences run side by side.
const cacheBytes = 128 * 2 ** 20;
const maxCells = 8192;
const maxSequences = 64;
// Logits kept at once: the output buffer is outputs × vocabulary × 4 bytes.
const outputBytes = 128 * 2 ** 20;
const rowsBelowTiles = 63;

/**
 * The model inside its worker thread: synchronous, and unsafe by itself. Whoever calls it has checked sizes, ranges and lengths.
 */
export class NativeModel {
  readonly llama: Llama;
  readonly info: NativeModelInfo;
  readonly vocabulary: Vocabulary;
  readonly context: number;
  readonly chatTemplate: string | null;
  private readonly model: Pointer;
  private readonly adapters: readonly Adapter[];
  private readonly isOnCpu: boolean;
  private shape: ContextShape;
  private readonly contexts = new Set<NativeContext>();
  private plain: NativeContext | undefined;
  private tapped: NativeContext | undefined;

  /** @param planned - of a tail that is opened from the whole model's file */
  constructor(
    { library, path, threads, gpuLayers, context, cache, lora = [] }: NativeOpenOptions,
    planned?: PlannedTail,
  ) {
    this.llama = loadLlama(library);
    const params = { ...this.llama.modelDefaultParams(), n_gpu_layers: gpuLayers };
    const { model, errors } = planned ? loadTail(this.llama, planned, params) : this.llama.loadModel(path, params);
    if (!model)
      throw new TrimtabError(
        "bad-input",
        `${path}: expected a model that the engine can load, got: ${errors.map((line) => line.trim()).join("; ") || "a refusal"}`,
        { hint: "check that the file is whole and its architecture is known to llama.cpp v0.5.0" },
      );
    this.model = model;
    this.adapters = lora.map((choice) => loadAdapter(this.llama, model, choice));
    this.isOnCpu = gpuLayers === 0 || this.llama.devices().every(({ kind }) => kind === "CPU");
    this.info = this.llama.modelInfo(model);
    if (this.info.hasEncoder || !this.info.hasDecoder) {
      this.llama.freeModel(model);
      throw mismatch("unsupported", path, "a decoder-only language model", "an encoder model");
    }
    this.vocabulary = new Vocabulary(this.llama, this.llama.modelVocab(model));
    if (this.vocabulary.size <= 0) {
      this.llama.freeModel(model);
      throw mismatch("unsupported", path, "a model with a tokenizer", "none");
    }
    this.chatTemplate = this.llama.chatTemplate(model);
    this.context = context > 0 ? context : Math.min(this.info.trainedContext || defaultContext, defaultContext);
    this.shape = { ...contextShape(this.info, this.vocabulary.size, this.context, threads), cache };
  }

  /** Tokens that all sequences of one decode may have together, tokens that are computed at once, sequences, and rows of logits. */
  get limits(): Pick<ContextShape, "cells" | "chunk" | "sequences" | "outputs"> {
    return this.shape;
  }

  /** Memory of the KV cache for one token of one sequence, bytes. */
  get bytesPerCell(): number {
    return cellBytes(this.info);
  }

  /** Whether the cache of a sequence can be cut to a shorter one, which a recurrent state cannot. */
  get canCut(): boolean {
    return !this.info.isRecurrent && !this.info.isHybrid;
  }

  /**
   * Rows of one sequence to compute at once so that it does not matter how many they are. The CPU's attention sums in tiles from 64 rows
   * on; other devices promise nothing, so nothing is given up for it there.
   */
  get rowsOfSequence(): number {
    return this.isOnCpu ? Math.min(rowsBelowTiles, this.shape.chunk) : this.shape.chunk;
  }

  /** The context to run in: the tapped one when rows are read or edited, else the plain one, which pays for no callbacks. */
  contextFor(tapped: boolean): NativeContext {
    if (tapped) {
      // Reading the last block marks every row as output; nothing is computed for them when the graph stops early.
      this.tapped ??= this.newContext({ tapped, outputs: this.shape.cells });
      return this.tapped;
    }
    this.plain ??= this.newContext({ tapped });
    return this.plain;
  }

  /** A context of the caller's own; it is freed with the model. */
  newContext({ tapped = true, ...shape }: Partial<ContextShape> & { tapped?: boolean } = {}): NativeContext {
    const { width, blocks } = this.info;
    const context = new NativeContext(this.llama, this.model, {
      ...this.shape,
      ...shape,
      width,
      blocks,
      tapped,
      adapters: this.adapters,
    });
    this.contexts.add(context);
    return context;
  }

  /** Frees a context before its model. */
  freeContext(context: NativeContext): void {
    if (this.contexts.delete(context)) context.free();
  }

  /** Threads of everything computed from now on. */
  setThreads(threads: number): void {
    this.shape = { ...this.shape, threads };
    for (const context of this.contexts) context.setThreads(threads);
  }

  /** Splits steering into what the control vector does (layers ≥ 1) and what an edit must do (layer 0). */
  intervene({ steering, edits }: Intervention): Intervention {
    const first = steering.filter(({ layer }) => layer === 0);
    if (first.length === 0) return { steering, edits };
    const added = first.map(({ vector }): Edit => ({ kind: "add", site: residPost(0), vector }));
    return { steering: steering.filter(({ layer }) => layer > 0), edits: [...added, ...edits] };
  }

  /**
   * Hidden states of sequences at layers: for each sequence and layer `[tokens, width]`. Stops after the last layer.
   *
   * @throws aborted before the next batch once `isAborted`
   */
  readStates(
    sequences: readonly Int32Array[],
    layers: readonly number[],
    intervention: Intervention,
    isAborted: () => boolean = () => false,
  ): readonly (readonly Float32Array[])[] {
    const { steering, edits } = this.intervene(intervention);
    const context = this.contextFor(true);
    const all = layers.includes(this.info.blocks - 1);
    const result: Float32Array[][] = [];
    for (const group of this.groups(sequences.map((tokens) => tokens.length))) {
      if (isAborted()) throw new TrimtabError("aborted", "interrupted");
      const rows = group.flatMap((index, slot) => sequenceRows(sequences[index]!, slot, () => all));
      const states = context.decode({ rows, steering, edits: forSlots(edits, group), read: layers, stopEarly: true });
      context.clear();
      let start = 0;
      for (const index of group) {
        const end = start + sequences[index]!.length * this.info.width;
        result[index] = layers.map((layer) => states.get(layer)!.slice(start, end));
        start = end;
      }
    }
    return result;
  }

  /** Logits at chosen positions of sequences: rows `[positions, vocabulary]` for each. */
  logits(
    sequences: readonly Int32Array[],
    positions: readonly (readonly number[])[],
    intervention: Intervention,
  ): Float32Array[] {
    const { steering, edits } = this.intervene(intervention);
    const context = this.contextFor(edits.length > 0);
    const size = this.vocabulary.size;
    const result = positions.map((list) => new Float32Array(list.length * size));
    const lengths = sequences.map((tokens) => tokens.length);
    for (const group of this.groups(
      lengths,
      positions.map((list) => list.length),
    )) {
      const wanted = group.map((index) => toPlaces(positions[index]!));
      const rows = group.flatMap((index, slot) =>
        sequenceRows(sequences[index]!, slot, (position) => wanted[slot]!.has(position)),
      );
      context.decodeOutputs({ rows, steering, edits: forSlots(edits, group) }, (index, at) => {
        const { sequences: slots, position } = rows[index]!;
        const slot = slots[0]!;
        const logits = this.viewLogits(context, at);
        for (const place of wanted[slot]!.get(position)!) result[group[slot]!]!.set(logits, place * size);
      });
      context.clear();
    }
    return result;
  }

  /** One row of logits where the engine has it: to be read before the next decode, and not to be kept or written. */
  viewLogits(context: NativeContext, row: number): Float32Array {
    return new Float32Array(koffi.view(context.logits(row), 4 * this.vocabulary.size));
  }

  /**
   * Packs items into groups for one decode each, by tokens, outputs and sequences (`sequencesOf` counts those of an item). Every row
   * of a decode attends to the cells of all its sequences, masked or not, so groups larger than a chunk waste time.
   */
  groups(
    tokens: readonly number[],
    outputs: readonly number[] = tokens.map(() => 0),
    sequencesOf: readonly number[] = tokens.map(() => 1),
    tokenLimit: number = this.shape.chunk,
  ): number[][] {
    const { sequences, outputs: outputLimit } = this.shape;
    const groups: number[][] = [];
    let group: number[] = [];
    let used = { tokens: 0, outputs: 0, sequences: 0 };
    tokens.forEach((count, index) => {
      const next = {
        tokens: used.tokens + count,
        outputs: used.outputs + outputs[index]!,
        sequences: used.sequences + sequencesOf[index]!,
      };
      const full = next.tokens > tokenLimit || next.outputs > outputLimit || next.sequences > sequences;
      if (full && group.length > 0) {
        groups.push(group);
        group = [];
        used = { tokens: count, outputs: outputs[index]!, sequences: sequencesOf[index]! };
      } else used = next;
      group.push(index);
    });
    if (group.length > 0) groups.push(group);
    return groups;
  }

  free(): void {
    for (const context of this.contexts) context.free();
    this.llama.freeModel(this.model);
  }
}

/** Loads an adapter. The model is freed, and with it the adapters before this one, if it cannot be. */
function loadAdapter(
  llama: Llama,
  model: Pointer,
  { path, scale }: { readonly path: string; readonly scale: number },
): Adapter {
  const { model: pointer, errors } = llama.loadAdapter(model, path);
  if (pointer) return { pointer, scale };
  llama.freeModel(model);
  throw new TrimtabError(
    "bad-input",
    `${path}: expected an adapter that the engine can load, got: ${errors.map((line) => line.trim()).join("; ") || "a refusal"}`,
  );
}

/** Where each value stands in a list; it may stand there twice. */
function toPlaces(list: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>();
  for (const [at, value] of list.entries()) places.set(value, [...(places.get(value) ?? []), at]);
  return places;
}

/** Rows of one sequence from position `from`, as sequence number `slot` of the batch. */
export function sequenceRows(
  tokens: Int32Array,
  slot: number,
  isOutput: (position: number) => boolean,
  from = 0,
): Row[] {
  return Array.from(tokens, (token, at) => ({
    token,
    position: from + at,
    sequences: [slot],
    output: isOutput(from + at),
  }));
}

/** Edits name a sequence of the call; the batch knows it by its slot in the group. */
function forSlots(edits: readonly Edit[], group: readonly number[]): readonly Edit[] {
  return edits.flatMap((edit) => {
    if (edit.sequence === undefined) return [edit];
    const slot = group.indexOf(edit.sequence);
    return slot < 0 ? [] : [{ ...edit, sequence: slot }];
  });
}

/** Keys and values in F16 for every block; grouped heads make it smaller than the width suggests. */
function cellBytes({ blocks, width, heads, headsKv }: NativeModelInfo): number {
  return Math.max(1, blocks * 2 * 2 * width * (headsKv > 0 ? headsKv / heads : 1));
}

function contextShape(
  info: NativeModelInfo,
  vocabulary: number,
  context: number,
  threads: number,
): Omit<ContextShape, "cache"> {
  // Recurrent memories hold one state per sequence and reorder rows of mixed batches: one sequence at a time.
  const sequences = info.isRecurrent || info.isHybrid ? 1 : maxSequences;
  const affordable = Math.min(maxCells, Math.floor(cacheBytes / cellBytes(info)));
  const cells = Math.ceil((sequences === 1 ? context : Math.max(context, affordable)) / 256) * 256;
  const outputs = Math.min(cells, Math.max(sequences, Math.floor(outputBytes / (vocabulary * 4))));
  return { cells, sequences, threads, chunk: Math.min(chunkTokens, cells), outputs };
}
