import { availableParallelism } from "node:os";
import { mismatch, TrimtabError } from "../../errors.ts";
import { readGgufHeader } from "../../formats/gguf.ts";
import { splitFiles } from "../../formats/gguf-split.ts";
import { planGgufTail } from "../../formats/gguf-tail.ts";
import { resolveLibrary } from "../library.ts";
import type { NativeOpenOptions } from "../native/native-model.ts";
import type { TailPlan } from "../native/tail-runner.ts";
import { type OpenOptions, openModel } from "../open.ts";
import type { OpenModel } from "../open-model.ts";
import { preflight } from "../preflight.ts";
import { WorkerClient } from "../worker-client.ts";
import { compareLogits, isProven, readTailTruth, type TailTruth } from "./prove-tail.ts";
import { provideTailFile, removeTailFile, type TailFileOptions } from "./tail-file.ts";
import { type TailModel, type TailProof, type TailWay, toTailModel } from "./tail-model.ts";
import { type KeptTruth, keepTruth, readTruth, truthPath } from "./tail-record.ts";

export interface OpenTailOptions extends OpenOptions {
  /** The block whose output is given from outside; the blocks after it are run. */
  readonly layer: number;
  /**
   * How to run them. `auto`, the default, is `memory` where that is proven right, else `whole`; it never writes a file. A way that is named is
   * gone or refused.
   */
  readonly way?: TailWay | "auto" | undefined;
  /** Of the way `file`. */
  readonly file?: (TailFileOptions & { readonly isTemporary?: boolean | undefined }) | undefined;
  /** The whole model, where it is open anyway: it is compared with, and stays open. */
  readonly whole?: OpenModel | undefined;
}

/**
 * Opens the blocks after a layer of a model, with its last norm and output head, to be run on hidden states given from outside.
 *
 * Nothing is believed: before it is given out, the tail is run on the whole model's own states of a few tokens, and its logits must be the
 * whole model's to 1e-4 (of the largest logit, or of 1). The first time the whole model is opened for that, and closed again; what it made of
 * those tokens is kept in the cache, by which later openings are proven alike.
 *
 * @throws bad-input for a layer out of range; unsupported, with the reason, if a way that was named does not give the model's own logits
 * @throws as {@link openModel}; io for a tail's file
 * @example
 * await using tail = await openTail("large.gguf", { layer: 11 });
 * const [logits] = await tail.logits([{ tokens, rows }]);
 */
export async function openTail(path: string, options: OpenTailOptions): Promise<TailModel> {
  const { whole, layer, way: _, file: __, ...open } = options;
  if (whole) return openBeside(await readBeside(whole, layer), path, options);
  const { threads = availableParallelism(), gpuLayers = -1, variant = "auto", cache = "f16" } = options;
  const library = resolveLibrary(variant);
  const settings = { layer, threads, gpuLayers, cache, library: library.variant };
  const place = await truthPath(library, splitFiles(path), settings);
  const kept = place && (await readTruth(place));
  if (kept) {
    const tail = await openBeside(kept, path, options).catch((thrown: unknown) => {
      // What was kept may be of another state of this machine: the whole model has the last word.
      if (thrown instanceof TrimtabError && thrown.code === "unsupported") return undefined;
      throw thrown;
    });
    if (tail && tail.notes.length === 0) return tail;
    await tail?.close();
  }
  await using opened = await openModel(path, open);
  const read = await readBeside(opened, layer);
  if (place) await keepTruth(place, read);
  return await openBeside(read, path, options);
}

/** Reads from the whole model what its tail is compared with. */
async function readBeside(whole: OpenModel, layer: number): Promise<KeptTruth> {
  const { description } = whole;
  const { blocks, name, capabilities } = description;
  if (!Number.isInteger(layer) || layer < 0 || layer >= blocks)
    throw mismatch("bad-input", "cut", `a layer of ${name} from 0 to ${blocks - 1}`, String(layer));
  if (!capabilities.tap)
    throw mismatch("unsupported", name, "a model whose blocks can be read", capabilities.reason ?? "this one");
  return { truth: await readTailTruth(whole, layer), description };
}

async function openBeside(
  { truth, description }: KeptTruth,
  path: string,
  options: OpenTailOptions,
): Promise<TailModel> {
  const { layer, way = "auto" } = options;
  const { blocks, name, tokenizer } = description;
  const isBos = tokenizer.addsBos && truth.tokens[0] === tokenizer.bos;
  const firstRow = isBos ? { token: truth.tokens[0]!, row: truth.rows.slice(0, description.width) } : undefined;
  const ways: readonly TailWay[] = way === "auto" ? ["memory", "whole"] : [way];
  const notes: string[] = [];
  for (const tried of ways) {
    const reached = await tryWay(tried, path, { ...options, truth, blocks });
    if (typeof reached === "string") {
      notes.push(`${wayNames[tried]}: ${reached}`);
      continue;
    }
    const { client, ...found } = reached;
    return toTailModel(client, { ...found, description, layer, way: tried, notes, firstRow });
  }
  throw new TrimtabError(
    "unsupported",
    `${name} after block ${layer}: expected the whole model's own logits, got ${notes.join("; ")}`,
    { hint: "run the whole large model with its rows replaced: way whole" },
  );
}

const wayNames: Readonly<Record<TailWay, string>> = {
  memory: "its last blocks from memory",
  file: "its last blocks from a file",
  whole: "the whole model",
};

interface Reached {
  readonly client: WorkerClient;
  readonly proof: TailProof;
  readonly weightBytes: number;
  readonly context: number;
  readonly onClose: (() => Promise<void>) | undefined;
}

/** Tries to run the blocks one way, cut at the layer or, where that fails, a little before it with its rows replaced; says why not. */
async function tryWay(way: TailWay, path: string, options: TryOptions): Promise<Reached | string> {
  const { layer, blocks } = options;
  if (way === "whole") return tryPlan(way, path, { ...options, cut: -1, replaceAt: layer });
  // Some architectures do something of their own to what enters their first block, or cannot be opened with certain blocks alone: then the
  // cut is a block or two earlier, and the rows are replaced where they belong.
  const cuts = [layer, layer - 1, layer - 2]
    .filter((cut) => cut >= 0 && cut < blocks - 1)
    .map((cut) => ({ cut, replaceAt: cut === layer ? undefined : layer - cut - 1 }));
  const reasons: string[] = [];
  for (const cut of cuts) {
    const reached = await tryPlan(way, path, { ...options, ...cut });
    if (typeof reached !== "string") return reached;
    reasons.push(reached);
  }
  return reasons[0] ?? "a model of one block has none after it";
}

interface TryOptions extends OpenTailOptions {
  readonly truth: TailTruth;
  readonly blocks: number;
}

interface Cut {
  /** Last block that is left out; −1 for none. */
  readonly cut: number;
  readonly replaceAt: number | undefined;
}

async function tryPlan(way: TailWay, path: string, options: TryOptions & Cut): Promise<Reached | string> {
  const { cut, replaceAt, truth, file = {}, signal } = options;
  const { threads = availableParallelism(), context = 0, gpuLayers = -1, variant = "auto", cache = "f16" } = options;
  const files = splitFiles(path);
  const base = { library: resolveLibrary(variant), threads, gpuLayers, context, cache, path: files[0]! };
  let made: string | undefined;
  const clean = async (): Promise<void> => {
    if (made !== undefined && file.isTemporary) await removeTailFile(made);
  };
  let client: WorkerClient | undefined;
  try {
    const weightBytes = await measure(files, cut);
    let native: NativeOpenOptions = base;
    if (way === "memory") native = { ...base, tail: { files, layer: cut } };
    if (way === "file") {
      made = await provideTailFile(files, cut, { signal, ...file });
      native = { ...base, path: made };
    }
    await preflight({ ...native, threads: 1 }, made === undefined ? files : [made], signal);
    client = new WorkerClient(native);
    const { context: longest } = await client.opened;
    let best: TailProof | undefined;
    for (const scale of replaceAt === undefined ? truth.scales : [1]) {
      const proof = await prove(client, { firstBlock: cut + 1, replaceAt, scale }, truth);
      if (!best || proof.maxDifference < best.maxDifference) best = proof;
      if (isProven(proof)) return { client, proof, weightBytes, context: longest, onClose: clean };
    }
    await client.close();
    await clean();
    return `logits differ by ${best?.maxDifference.toPrecision(2)} from those of the whole`;
  } catch (thrown) {
    await client?.terminate();
    await clean();
    // What the engine cannot open so is no fault of the file, which it opens whole.
    const isRefusal = thrown instanceof TrimtabError && ["unsupported", "bad-input", "engine"].includes(thrown.code);
    if (isRefusal && way !== "whole" && !(way === "file" && made === undefined)) return thrown.message;
    throw thrown;
  }
}

/** Bytes of the tensors that are opened. */
async function measure(files: readonly string[], cut: number): Promise<number> {
  const read = await Promise.all(files.map(async (path) => ({ path, header: await readGgufHeader(path) })));
  if (cut >= 0) return planGgufTail(read, cut).sizeBytes;
  return read.flatMap(({ header }) => header.tensors).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function prove(client: WorkerClient, plan: TailPlan, truth: TailTruth): Promise<TailProof> {
  await client.call({ method: "tailOpen", plan });
  const { tokens, rows, positions: compared } = truth;
  const positions = [compared];
  const [logits] = await client.call<Float32Array[]>({ method: "tailLogits", inputs: [{ tokens, rows }], positions });
  return compareLogits(logits!, truth, plan.scale);
}
