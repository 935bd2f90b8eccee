import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import { readGgufHeader } from "../formats/gguf.ts";
import { splitFiles } from "../formats/gguf-split.ts";
import { ggufString } from "../formats/gguf-value.ts";
import { type AdapterDescription, checkAdapter, type LoraChoice } from "./adapter.ts";
import { checkContext } from "./check-context.ts";
import { EngineModel, maxThreads } from "./engine-model.ts";
import { describeTokenizer } from "./fingerprint.ts";
import { freeBytes } from "./free-bytes.ts";
import { resolveLibrary, type Variant } from "./library.ts";
import { preflight } from "./preflight.ts";
import { WorkerClient } from "./worker-client.ts";

export interface OpenOptions {
  /** Threads to compute with; default: all that this machine offers. */
  readonly threads?: number;
  /** Longest sequence, tokens, at most the trained context; default: the trained context, at most 4096. */
  readonly context?: number;
  /** Blocks to compute on the GPU; −1 is all (the default). Without a GPU build it changes nothing. */
  readonly gpuLayers?: number;
  /** Number format of the KV cache: `f16` as llama.cpp has it (the default), or `f32`: twice as large, without flash attention, equal to a float32 reference to 1e-4. */
  readonly cache?: "f16" | "f32";
  /** Ends the first opening of an unknown file. */
  readonly signal?: AbortSignal | undefined;
  /** Which build of the engine; default: the best that is installed. */
  readonly variant?: Variant;
  /** Low-rank adapters to open it with, each file once; their changes add up. What is opened so is another model, with a digest of its own. */
  readonly lora?: readonly LoraChoice[] | undefined;
}

/**
 * Opens a GGUF model in a worker thread of its own and tests what of it can be read and steered.
 *
 * The file (every part of a split one) has its header checked before the engine sees it; a file never opened before is first opened in a
 * child process, so that a crash of native code ends in an error here. A model that fails the self-test is opened all
 * the same, and refuses to be tapped or steered with the reason in `description.capabilities`.
 *
 * @throws not-found, io if the file cannot be read
 * @throws bad-input if it is not a sound GGUF file, or the engine cannot load it
 * @throws bad-input for a context longer than the model was trained for; unsupported for one whose cache does not fit into memory
 * @throws unsupported for encoder models and platforms without a build
 * @example
 * await using model = await openModel("llama.gguf");
 * for await (const { text } of model.generate(await model.tokenize("Once upon a time"))) process.stdout.write(text);
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<EngineModel> {
  const { threads = availableParallelism(), context = 0, gpuLayers = -1, variant = "auto", cache = "f16" } = options;
  checkCount("threads", threads, 1, maxThreads);
  checkCount("context", context, 0, 1 << 24);
  checkCount("gpuLayers", gpuLayers, -1, 100_000);
  const files = splitFiles(path);
  const headers = [];
  for (const file of files) headers.push(await readGgufHeader(file));
  const header = headers[0]!;
  const architecture = ggufString(header, "general.architecture");
  if (architecture === undefined)
    throw mismatch("bad-input", path, "a model (general.architecture)", "a GGUF file without one");
  if (architecture === "controlvector")
    throw mismatch("bad-input", path, "a model", "a control vector", {
      hint: "a control vector steers a model: trimtab steer MODEL --vector FILE=STRENGTH",
    });
  const adapters = await checkAdapters(options.lora ?? [], headers);
  const library = resolveLibrary(variant);
  const name = ggufString(header, "general.name") ?? basename(path, ".gguf");
  // A device has memory of its own, which is not known here.
  checkContext(header, name, { context, cache, freeBytes: library.variant === "cpu" ? freeBytes() : Infinity });
  const lora = adapters.map((adapter) => ({ path: adapter.path, scale: adapter.scale }));
  const native = { library, path: files[0]!, threads, gpuLayers, context, cache, lora };
  await preflight({ ...native, threads: 1 }, [...files, ...adapters.map((adapter) => adapter.path)], options.signal);
  const client = new WorkerClient(native);
  try {
    const opened = await client.opened;
    const { info, special } = opened;
    const description = {
      name: [name, ...adapters.map((adapter) => `+ ${adapter.name}${sayScale(adapter)}`)].join(" "),
      path: files[0]!,
      architecture,
      blocks: info.blocks,
      width: info.width,
      vocabulary: opened.vocabulary,
      trainedContext: info.trainedContext,
      quantisation: info.quantisation,
      parameters: info.parameters,
      sizeBytes: headers.reduce((total, { fileSizeBytes }) => total + fileSizeBytes, 0),
      tokenizer: describeTokenizer(header, special.addBos, special.addEos),
      chatTemplate: opened.chatTemplate ?? undefined,
      capabilities: opened.capabilities,
      ...(adapters.length > 0 && { adapters }),
    };
    const piece = (token: number): Promise<string> =>
      token < 0
        ? Promise.resolve("")
        : client.call<string>({ method: "detokenize", tokens: Int32Array.of(token), special: true });
    const chatTokens = { bos: await piece(special.bos), eos: await piece(special.eos) };
    return new EngineModel(client, opened, { description, files, chatTokens, threads });
  } catch (thrown) {
    await client.terminate();
    throw thrown;
  }
}

async function checkAdapters(
  choices: readonly LoraChoice[],
  headers: Parameters<typeof checkAdapter>[1],
): Promise<AdapterDescription[]> {
  const adapters: AdapterDescription[] = [];
  for (const choice of choices) {
    if (adapters.some(({ path }) => path === choice.path))
      throw mismatch("bad-input", "adapters", "each file once", `${choice.path} again`, {
        hint: "add its scales up instead",
      });
    adapters.push(await checkAdapter(choice, headers));
  }
  return adapters;
}

/** Nothing for an adapter at its own strength. */
function sayScale({ scale }: AdapterDescription): string {
  return scale === 1 ? "" : ` × ${scale}`;
}

function checkCount(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw mismatch("bad-input", name, `a whole number from ${least} to ${most}`, String(value));
}
