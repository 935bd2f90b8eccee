import { mismatch } from "../errors.ts";
import type { GgufHeader, GgufTensorInfo } from "./gguf.ts";
import { type GgufValue, ggufNumber, ggufString } from "./gguf-value.ts";

/** One file of a model with its header; a split model has several, the first of which carries the keys. */
export interface GgufFile {
  readonly path: string;
  readonly header: GgufHeader;
}

/** A tensor of a tail and where its numbers stand, unchanged, in the model's own file. */
export interface GgufTailTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly typeName: string;
  /** Undefined for a tensor of zeros. */
  readonly path: string | undefined;
  /** Bytes from the start of the file at `path`. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What a GGUF file of the last blocks of a model alone would hold. */
export interface GgufTail {
  /** The tail takes the output of this block of the whole model; its own block 0 is block `layer + 1` there. */
  readonly layer: number;
  /** Blocks of the tail. */
  readonly blocks: number;
  /** Keys that differ from the model's; `undefined` for one to leave out. All others are the model's own. */
  readonly changes: ReadonlyMap<string, GgufValue | undefined>;
  readonly tensors: readonly GgufTailTensor[];
  /** Of the tensors, together. */
  readonly sizeBytes: number;
  readonly alignment: number;
}

/**
 * Plans a GGUF file that holds only the blocks after `layer`, renumbered from 0, with everything that is no block's: embeddings (the
 * output head of many models, and none loads without them), output norm, output head. Nothing is read but the headers.
 *
 * What goes by a block's number goes with it: lists with one entry a block are cut, a pattern of sliding windows is written out block by
 * block as the whole model has it, and leading dense blocks are counted from the cut. Whether llama.cpp computes such a file as it
 * computes the whole must be tried: see `openTail`.
 *
 * @param files - all files of the model, the first with its keys
 * @param layer - 0 to blocks − 2: at least one block remains
 * @throws bad-input for a layer out of range or a file without block_count; unsupported for a model whose blocks depend on their number in
 * a way that a renumbered file cannot say
 */
export function planGgufTail(files: readonly GgufFile[], layer: number): GgufTail {
  const { path, header } = files[0]!;
  const architecture = ggufString(header, "general.architecture") ?? "";
  const key = (name: string): string => `${architecture}.${name}`;
  const total = ggufNumber(header, key("block_count"));
  if (total === undefined) throw mismatch("bad-input", path, `a model (${key("block_count")})`, "a file without it");
  if (!Number.isInteger(layer) || layer < 0 || layer > total - 2)
    throw mismatch("bad-input", "cut", `a layer from 0 to ${total - 2} of ${total} blocks`, String(layer), {
      hint: "after the last block nothing but the output head remains: there is no tail to run",
    });
  const stepped = steppedKeys.find((name) => (ggufNumber(header, key(name)) ?? 0) > 0);
  if (stepped !== undefined)
    throw mismatch("unsupported", path, "blocks that are alike whatever their number", `a model with ${key(stepped)}`);
  const first = layer + 1;
  const changes = new Map<string, GgufValue | undefined>();
  for (const [name, entry] of header.metadata) {
    const isOfBlocks = name.startsWith(`${architecture}.`) && !wholeLists.includes(name.slice(architecture.length + 1));
    if (isOfBlocks && entry.type === "array" && entry.value.length === total)
      changes.set(name, { ...entry, value: entry.value.slice(first) } as GgufValue);
    if (name.startsWith("split.")) changes.set(name, undefined);
  }
  changes.set(key("block_count"), { type: "u32", value: total - first });
  const dense = ggufNumber(header, key("leading_dense_block_count"));
  if (dense !== undefined)
    changes.set(key("leading_dense_block_count"), { type: "u32", value: Math.max(0, dense - first) });
  const windows = slidingWindows(header, architecture, total);
  if (windows !== undefined)
    changes.set(key("attention.sliding_window_pattern"), { type: "array", of: "bool", value: windows.slice(first) });
  const tensors = files.flatMap((file) =>
    file.header.tensors.flatMap((info) => {
      const name = renumber(info.name, first);
      return name === undefined ? [] : [toTailTensor(file, info, name)];
    }),
  );
  return {
    layer,
    blocks: total - first,
    changes,
    tensors,
    sizeBytes: tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    alignment: header.alignment,
  };
}

/** The name that a tensor has in a tail, or undefined for one of the blocks before it. */
function renumber(name: string, first: number): string | undefined {
  const match = /^blk\.(\d+)\.(.*)$/s.exec(name);
  if (!match) return name;
  const block = Number(match[1]);
  return block < first ? undefined : `blk.${block - first}.${match[2]}`;
}

function toTailTensor({ path, header }: GgufFile, info: GgufTensorInfo, name: string): GgufTailTensor {
  const { dims, typeName, sizeBytes } = info;
  // Positions were added to the embeddings, before the cut: a second time they must add nothing. Zero bytes are zeros in every type.
  const isZero = name === "position_embd.weight";
  return { name, dims, typeName, path: isZero ? undefined : path, offset: header.dataOffset + info.offset, sizeBytes };
}

/** Keys by which a block's kind follows from its number, and which no list can replace; with 0 they say nothing. */
const steppedKeys: readonly string[] = [
  "interleave_moe_layer_step",
  "moe_every_n_layers",
  "nextn_predict_layers",
  "full_attention_interval",
  "shared_kv_layers",
  "embedding_length_per_layer_input",
];

/** Lists that may happen to be as long as the model has blocks, and are not by block. */
const wholeLists: readonly string[] = ["rope.dimension_sections", "mrope_sections"];

/**
 * Architectures of llama.cpp v0.5.0 whose every n-th block attends to everything and the others to a window, where the file says no
 * more than that: n, and whether the first of n is the one that attends to everything.
 */
const windowPeriods: Readonly<Record<string, readonly [period: number, isFirstFull: boolean]>> = {
  gemma2: [2, false],
  gemma3: [6, false],
  cohere2: [4, false],
  "gpt-oss": [2, false],
  exaone4: [4, false],
  "exaone-moe": [4, false],
  afmoe: [4, false],
  olmo2: [4, false],
  plamo3: [8, false],
  smallthinker: [4, true],
  cohere2moe: [4, true],
};

/** Architectures that have one kind of attention in all blocks, windowed or not. */
const oneWindow: readonly string[] = ["llama", "qwen2", "qwen3", "phi3", "gpt2"];

/** Which blocks of the whole model attend to a window, written out; undefined where the file lists them itself or has none. */
function slidingWindows(header: GgufHeader, architecture: string, blocks: number): boolean[] | undefined {
  const given = header.metadata.get(`${architecture}.attention.sliding_window_pattern`);
  if (given?.type === "array") return undefined;
  const known = windowPeriods[architecture];
  const length = ggufNumber(header, `${architecture}.attention.sliding_window`) ?? 0;
  if (known === undefined) {
    if (length === 0 || oneWindow.includes(architecture)) return undefined;
    throw mismatch("unsupported", architecture, "windows of attention in a pattern known here", "another", {
      hint: "the whole large model can be run instead",
    });
  }
  // These have windows only where the file says how long; gemma2 and gpt-oss have them always.
  const isAlways = architecture === "gemma2" || architecture === "gpt-oss";
  if (!isAlways && length === 0) return undefined;
  const period = ggufNumber(header, `${architecture}.attention.sliding_window_pattern`) ?? known[0];
  return Array.from({ length: blocks }, (_, block) =>
    period === 0 ? false : known[1] ? block % period !== 0 : block % period < period - 1,
  );
}
