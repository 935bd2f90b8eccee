import { closeSync, openSync, readSync } from "node:fs";
import { mismatch } from "../../errors.ts";
import { readGgufHeader } from "../../formats/gguf.ts";
import { type GgufTail, type GgufTailTensor, planGgufTail } from "../../formats/gguf-tail.ts";
import { formatGgufTailStart } from "../../formats/write-gguf-tail.ts";
import type { Llama, ModelParams, Pointer } from "./llama.ts";

/** The last blocks of a model, to be opened from the model's own file without writing another. */
export interface TailSource {
  /** All files of the model, first part first. */
  readonly files: readonly string[];
  /** The block whose output the tail takes. */
  readonly layer: number;
}

/** Headers that the engine may take for a tail's, in the order to try them, and where the numbers of their tensors stand. */
export type PlannedTail = readonly { readonly tail: GgufTail; readonly start: Uint8Array }[];

/** Reads the headers and plans the tail: what must be done before the engine, which cannot wait. */
export async function planTail({ files, layer }: TailSource): Promise<PlannedTail> {
  const read = await Promise.all(files.map(async (path) => ({ path, header: await readGgufHeader(path) })));
  const plan = planGgufTail(read, layer);
  const start = async (tail: GgufTail) => ({ tail, start: await formatGgufTailStart(read, tail) });
  // Where embeddings are the output head too, most architectures ask for a head of float32 that is not there, unless they are told of one;
  // the others, which know that there is none, count one tensor too many.
  const embeddings = plan.tensors.find(({ name }) => name === "token_embd.weight");
  if (!embeddings || plan.tensors.some(({ name }) => name === "output.weight")) return [await start(plan)];
  const withHead = { ...plan, tensors: [...plan.tensors, { ...embeddings, name: "output.weight" }] };
  return [await start(withHead), await start(plan)];
}

/** Bytes read at a time. */
const pieceBytes = 1 << 24;

/**
 * Loads a tail into memory through the engine's door for models that are no file: it asks for each tensor by name and gets the bytes from
 * where they stand in the whole model's file.
 *
 * The engine asks for tensors that an architecture may have and this file has not, too: biases become 0 and scales 1, which is what leaving
 * them out means.
 *
 * @returns the model, or null with what the engine logged
 * @throws bad-input, io if the numbers cannot be read, or do not fit
 */
export function loadTail(llama: Llama, planned: PlannedTail, params: ModelParams): Loaded {
  let loaded: Loaded = { model: null, errors: [] };
  for (const one of planned) {
    loaded = loadOne(llama, one, params);
    if (loaded.model) return loaded;
  }
  return loaded;
}

type Loaded = ReturnType<Llama["loadModel"]>;

function loadOne(llama: Llama, { tail, start }: PlannedTail[number], params: ModelParams): Loaded {
  const byName = new Map(tail.tensors.map((tensor) => [tensor.name, tensor]));
  const handles = new Map<string, number>();
  let failure: unknown;
  const fill = (pointer: Pointer): void => {
    if (failure !== undefined) return;
    try {
      const name = llama.tensorName(pointer);
      const tensor = byName.get(name);
      if (tensor) copyTensor(llama, pointer, tensor, handles);
      else fillNeutral(llama, pointer, name);
    } catch (thrown) {
      failure = thrown;
    }
  };
  try {
    const loaded = llama.loadFrom(start, fill, params);
    if (failure === undefined) return loaded;
    if (loaded.model) llama.freeModel(loaded.model);
    throw failure;
  } finally {
    for (const handle of handles.values()) closeSync(handle);
  }
}

function copyTensor(
  llama: Llama,
  pointer: Pointer,
  { name, path, offset, sizeBytes }: GgufTailTensor,
  handles: Map<string, number>,
): void {
  const expected = llama.tensorBytes(pointer);
  if (expected !== sizeBytes)
    throw mismatch("unsupported", `tail: tensor ${name}`, `${expected} bytes`, `${sizeBytes}`);
  if (path === undefined) {
    llama.tensorFill(pointer, new Uint8Array(sizeBytes), 0);
    return;
  }
  const handle = handles.get(path) ?? openSync(path, "r");
  handles.set(path, handle);
  const bytes = new Uint8Array(Math.min(pieceBytes, sizeBytes));
  for (let at = 0; at < sizeBytes; ) {
    const read = readSync(handle, bytes, 0, Math.min(bytes.length, sizeBytes - at), offset + at);
    if (read === 0)
      throw mismatch("bad-input", path, `${offset + sizeBytes} bytes`, `a file that ends at ${offset + at}`);
    llama.tensorFill(pointer, bytes.subarray(0, read), at);
    at += read;
  }
}

function fillNeutral(llama: Llama, pointer: Pointer, name: string): void {
  const neutral = /(^|\.)bias$/.test(name)
    ? 0
    : /(scale|^rope_freqs\.weight|\.rope_freqs\.weight)$/.test(name)
      ? 1
      : undefined;
  if (neutral === undefined)
    throw mismatch("unsupported", "tail", "no tensor but those of the file", `the engine asks for ${name}`);
  const values = new Float32Array(llama.tensorElements(pointer)).fill(neutral);
  llama.tensorFill(pointer, new Uint8Array(values.buffer), 0);
}
