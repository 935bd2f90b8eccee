import { mismatch, TrimtabError } from "../errors.ts";
import { renderChat } from "./chat.ts";
import { checkIntervention, checkTokens, type RunLimits } from "./check-run.ts";
import { type ContinuousBatch, openContinuousBatch } from "./continuous-batch.ts";
import type { ModelDescription } from "./description.ts";
import { digestAdapted, digestFiles } from "./file-digest.ts";
import type {
  ChatMessage,
  GeneratedPiece,
  GenerateOptions,
  Generation,
  OpenModel,
  ReadOptions,
  RunOptions,
  ScoredItem,
  WindowBatch,
  WindowStates,
} from "./open-model.ts";
import type { OpenSequence } from "./open-sequence.ts";
import type { EngineInfo, EngineRequest, OpenedModel } from "./protocol.ts";
import { readStates } from "./read-states.ts";
import { resolveSampling } from "./sampling.ts";
import type { Site } from "./site.ts";
import { startSequence } from "./start-sequence.ts";
import { type StateSequence, startStates } from "./start-states.ts";
import { streamGeneration } from "./stream-generation.ts";
import type { WorkerClient } from "./worker-client.ts";

/** {@link OpenModel} over a worker thread. Checks everything here, so that bad input never reaches native code. */
export class EngineModel implements OpenModel {
  readonly description: ModelDescription;
  readonly context: number;
  readonly engine: EngineInfo;
  threads: number;
  private readonly client: WorkerClient;
  private readonly files: readonly string[];
  private readonly special: ReadonlySet<number>;
  private readonly chatTokens: { readonly bos: string; readonly eos: string };
  private readonly limits: RunLimits;

  constructor(client: WorkerClient, opened: OpenedModel, { description, files, chatTokens, threads }: OpenParts) {
    this.client = client;
    this.files = files;
    this.threads = threads;
    this.description = description;
    this.context = opened.context;
    this.engine = opened.engine;
    this.special = new Set(opened.specialTokens);
    this.chatTokens = chatTokens;
    this.limits = { ...description, context: opened.context };
  }

  tokenize(
    text: string,
    { addSpecial = true, parseSpecial = false }: { addSpecial?: boolean; parseSpecial?: boolean } = {},
  ): Promise<Int32Array> {
    return this.client.call({ method: "tokenize", text, addSpecial, parseSpecial });
  }

  async detokenize(tokens: Int32Array, { special = false }: { special?: boolean } = {}): Promise<string> {
    if (tokens.length === 0) return "";
    checkTokens(tokens, { ...this.limits, context: Infinity }, "detokenize");
    return this.client.call({ method: "detokenize", tokens, special });
  }

  async tokenBytes(tokens: Int32Array): Promise<readonly Uint8Array[]> {
    if (tokens.length === 0) return [];
    checkTokens(tokens, { ...this.limits, context: Infinity }, "tokenBytes");
    return this.client.call({ method: "tokenBytes", tokens });
  }

  specialTokens(): Promise<ReadonlySet<number>> {
    return Promise.resolve(this.special);
  }

  chatPrompt(
    messages: readonly ChatMessage[],
    { addGenerationPrompt = true, thinking }: { addGenerationPrompt?: boolean; thinking?: boolean } = {},
  ): string {
    return renderChat(this.description.chatTemplate, messages, this.chatTokens, { addGenerationPrompt, thinking });
  }

  async logits(
    sequences: readonly Int32Array[],
    { positions = "last", ...run }: RunOptions & { positions?: "last" | "all" | readonly (readonly number[])[] } = {},
  ): Promise<Float32Array[]> {
    checkAborted(run.signal);
    const intervention = checkIntervention(run, this.limits, sequences.length);
    sequences.forEach((tokens, i) => {
      checkTokens(tokens, this.limits, `sequence ${i}`);
    });
    if (sequences.length === 0) return [];
    const wanted = sequences.map((tokens, i) => {
      if (positions === "last") return [tokens.length - 1];
      if (positions === "all") return Array.from(tokens, (_, position) => position);
      return checkPositions(positions[i] ?? [], tokens.length, i);
    });
    return this.client.call({ method: "logits", sequences, positions: wanted, intervention });
  }

  async logProbabilities(items: readonly ScoredItem[], run: RunOptions = {}): Promise<Float64Array[][]> {
    checkAborted(run.signal);
    const intervention = checkIntervention(run, this.limits, items.length);
    items.forEach(({ prompt, continuations }, i) => {
      checkTokens(prompt, this.limits, `prompt of item ${i}`);
      for (const continuation of continuations) {
        checkTokens(continuation, this.limits, `continuation of item ${i}`);
        if (prompt.length + continuation.length > this.context)
          throw mismatch(
            "bad-input",
            `item ${i}`,
            `prompt and continuation of at most ${this.context} tokens`,
            `${prompt.length} + ${continuation.length}`,
          );
      }
    });
    const result: Float64Array[][] = [];
    // In slices, so that an abort is heard between them.
    for (let start = 0; start < items.length; start += itemsPerCall) {
      checkAborted(run.signal);
      const slice = items.slice(start, start + itemsPerCall);
      const edits = intervention.edits.flatMap((edit) => {
        if (edit.sequence === undefined) return [edit];
        const at = edit.sequence - start;
        return at >= 0 && at < slice.length ? [{ ...edit, sequence: at }] : [];
      });
      result.push(
        ...(await this.client.call<Float64Array[][]>({
          method: "logProbabilities",
          items: slice,
          intervention: { ...intervention, edits },
        })),
      );
    }
    return result;
  }

  readStates(
    windows: Iterable<Int32Array | WindowBatch> | AsyncIterable<Int32Array | WindowBatch>,
    options: ReadOptions,
  ): AsyncGenerator<WindowStates, void, void> {
    if (!this.description.capabilities.tap)
      throw mismatch(
        "unsupported",
        `reading ${this.description.name}`,
        "a model whose blocks can be tapped",
        this.description.capabilities.reason ?? "this one",
      );
    return readStates(this.client, this.limits, windows, options);
  }

  generate(prompt: Int32Array, options: GenerateOptions = {}): AsyncGenerator<GeneratedPiece, Generation, void> {
    this.checkPrompt(prompt, "prompt");
    const intervention = checkIntervention(options, this.limits);
    const sampling = resolveSampling(options);
    return this.streamOne(options.signal, (abort) => ({
      method: "generate",
      prompts: [prompt],
      intervention,
      sampling,
      stream: true,
      abort,
    }));
  }

  private async *streamOne(
    signal: AbortSignal | undefined,
    request: (abort: SharedArrayBuffer) => EngineRequest,
  ): AsyncGenerator<GeneratedPiece, Generation, void> {
    const [generation] = yield* streamGeneration<Generation[]>(this.client, signal, request);
    return generation!;
  }

  async openBatch({ slots }: { slots?: number } = {}): Promise<ContinuousBatch> {
    if (slots !== undefined && !(Number.isInteger(slots) && slots >= 1 && slots <= mostSlots))
      throw mismatch("bad-input", "slots", `a whole number from 1 to ${mostSlots}`, String(slots));
    return openContinuousBatch(this.client, this.limits, slots);
  }

  async generateMany(prompts: readonly Int32Array[], options: GenerateOptions = {}): Promise<Generation[]> {
    checkAborted(options.signal);
    prompts.forEach((prompt, i) => {
      this.checkPrompt(prompt, `prompt ${i}`);
    });
    const intervention = checkIntervention(options, this.limits, prompts.length);
    const sampling = resolveSampling(options);
    const abort = options.signal && new SharedArrayBuffer(4);
    const onAbort = () => abort && Atomics.store(new Int32Array(abort), 0, 1);
    options.signal?.addEventListener("abort", onAbort);
    try {
      return await this.client.call<Generation[]>({
        method: "generate",
        prompts,
        intervention,
        sampling,
        stream: false,
        abort,
      });
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
    }
  }

  startSequence(run: Pick<RunOptions, "steering"> = {}): Promise<OpenSequence> {
    return startSequence(this.client, this.limits, run.steering ?? []);
  }

  /** Starts a sequence whose states at the sites are read as it grows; the blocks behind the last of them are never computed. */
  startStates(sites: readonly Site[]): Promise<StateSequence> {
    return startStates(this.client, this.limits, sites);
  }

  async setThreads(threads: number): Promise<void> {
    if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads)
      throw mismatch("bad-input", "threads", `a whole number from 1 to ${maxThreads}`, String(threads));
    await this.client.call({ method: "threads", threads });
    this.threads = threads;
  }

  async sha256(): Promise<string> {
    const own = await digestFiles(this.files);
    const { adapters = [] } = this.description;
    return adapters.length === 0 ? own : digestAdapted(own, adapters);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A prompt leaves room for at least one token. */
  private checkPrompt(prompt: Int32Array, where: string): void {
    checkTokens(prompt, { ...this.limits, context: this.context - 1 }, where);
  }
}

export interface OpenParts {
  readonly description: ModelDescription;
  readonly files: readonly string[];
  readonly chatTokens: { readonly bos: string; readonly eos: string };
  readonly threads: number;
}

// The engine numbers at most so many sequences.
const mostSlots = 256;

/** More threads than any machine has cores are a slip of the pen. */
export const maxThreads: number = 1024;

// Enough items to fill several batches, few enough that Ctrl-C is heard within a second or so on a small model.
const itemsPerCall = 256;

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
}

function checkPositions(positions: readonly number[], length: number, sequence: number): readonly number[] {
  for (const position of positions)
    if (!Number.isInteger(position) || position < 0 || position >= length)
      throw mismatch("bad-input", `positions of sequence ${sequence}`, `from 0 to ${length - 1}`, String(position));
  return positions;
}
