import { mismatch, TrimtabError } from "../../errors.ts";
import { checkTokens, type RunLimits } from "../check-run.ts";
import type { ModelDescription } from "../description.ts";
import { maxThreads } from "../engine-model.ts";
import type { TailInput, TailStep } from "../native/tail-runner.ts";
import type { GenerateOptions, Generation } from "../open-model.ts";
import { resolveSampling } from "../sampling.ts";
import { checkSite, type Site } from "../site.ts";
import type { WorkerClient } from "../worker-client.ts";

/**
 * How the blocks after a layer are run: `memory` loads them alone from the model's own file, `file` opens a GGUF file of them alone, `whole`
 * runs the whole model and replaces its rows at the layer, which is right for every model and saves nothing.
 */
export type TailWay = "memory" | "file" | "whole";

/** What was found when a tail's logits were compared with those of the whole model on the whole model's own states. */
export interface TailProof {
  /** Largest difference of two logits. */
  readonly maxDifference: number;
  /** Largest logit there was, without its sign. */
  readonly largestLogit: number;
  readonly tokens: number;
  /** What rows are multiplied with on their way in, which the comparison found out. */
  readonly scale: number;
}

/** The blocks after a layer of a model, its last norm and its output head, run on hidden states given from outside. */
export interface TailModel extends AsyncDisposable {
  /** Of the whole model. */
  readonly description: ModelDescription;
  /** The rows that enter stand for the output of this block. */
  readonly layer: number;
  readonly way: TailWay;
  /** Why a way that was wished for was not gone, in sentences. */
  readonly notes: readonly string[];
  readonly proof: TailProof;
  /** Bytes of the weights that are held open: of the tail's tensors, or of all. */
  readonly weightBytes: number;
  /** The whole model's own state at the layer after a lone first token, where it was read: BOS, for a model that begins with it. */
  readonly firstRow: { readonly token: number; readonly row: Float32Array } | undefined;
  /** Longest sequence, tokens. */
  readonly context: number;
  setThreads(threads: number): Promise<void>;
  /** Logits after each sequence's last token, or at given positions: for each sequence rows `[positions, vocabulary]`. */
  logits(
    inputs: readonly TailInput[],
    options?: { readonly positions?: "last" | "all" | readonly (readonly number[])[] },
  ): Promise<Float32Array[]>;
  /** Log-probability, nats, of every token but the first, given the states before it: `[tokens − 1]` for each sequence. */
  logProbabilities(inputs: readonly TailInput[]): Promise<Float64Array[]>;
  /** Hidden states at sites beyond the cut: for each sequence and site `[tokens, width]`. */
  states(inputs: readonly TailInput[], sites: readonly Site[]): Promise<Float32Array[][]>;
  /** Begins a text that is written state by state. */
  startText(prompt: Int32Array, options?: GenerateOptions): Promise<TailText>;
  close(): Promise<void>;
}

/** A text that is being written by a tail; its cache is kept until it ends. */
export interface TailText {
  /** Feeds the states of tokens that follow what was fed before, and samples after the last. */
  step(input: TailInput): Promise<TailStep>;
  /** Breaks the text off; undefined if it had ended. */
  stop(): Promise<Generation | undefined>;
}

export interface TailParts {
  readonly description: ModelDescription;
  readonly layer: number;
  readonly way: TailWay;
  readonly notes: readonly string[];
  readonly proof: TailProof;
  readonly weightBytes: number;
  readonly firstRow: TailModel["firstRow"];
  readonly context: number;
  /** Called after the worker has ended. */
  readonly onClose?: (() => Promise<void>) | undefined;
}

/** Inputs of one message to the worker: enough for a few batches, little enough to be copied without notice. */
const tokensPerCall = 2048;

/** {@link TailModel} over a worker thread; everything is checked here. */
export function toTailModel(client: WorkerClient, { onClose, ...parts }: TailParts): TailModel {
  const { description, layer, context } = parts;
  const limits: RunLimits = { ...description, context };
  const check = (inputs: readonly TailInput[]): readonly TailInput[] => {
    inputs.forEach((input, at) => {
      checkInput(input, limits, `sequence ${at}`);
    });
    return inputs;
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= client.close().then(() => onClose?.());
    return closing;
  };
  return {
    ...parts,
    async setThreads(threads) {
      if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads)
        throw mismatch("bad-input", "threads", `a whole number from 1 to ${maxThreads}`, String(threads));
      await client.call({ method: "threads", threads });
    },
    async logits(inputs, { positions = "last" } = {}) {
      check(inputs);
      const wanted = inputs.map(({ tokens }, i) => {
        if (positions === "last") return [tokens.length - 1];
        return positions === "all" ? Array.from(tokens, (_, at) => at) : checkPositions(positions[i] ?? [], tokens, i);
      });
      return inputs.length === 0 ? [] : client.call({ method: "tailLogits", inputs, positions: wanted });
    },
    async logProbabilities(inputs) {
      const result: Float64Array[] = [];
      for (const slice of slices(check(inputs)))
        result.push(...(await client.call<Float64Array[]>({ method: "tailScores", inputs: slice })));
      return result;
    },
    async states(inputs, sites) {
      const layers = sites.map((site) => checkSite(site, description.blocks).layer);
      const early = layers.find((wanted) => wanted <= layer);
      if (early !== undefined)
        throw mismatch("bad-input", "site", `a layer from ${layer + 1} on, beyond the cut`, String(early));
      const result: Float32Array[][] = [];
      for (const slice of slices(check(inputs)))
        result.push(...(await client.call<Float32Array[][]>({ method: "tailStates", inputs: slice, layers })));
      return result;
    },
    async startText(prompt, options = {}) {
      checkTokens(prompt, { ...limits, context: context - 1 }, "prompt");
      const text = await client.call<number>({ method: "tailStart", prompt, sampling: resolveSampling(options) });
      return {
        step: async (input) => {
          checkInput(input, limits, "text");
          return client.call<TailStep>({ method: "tailStep", text, input });
        },
        stop: () => client.call<Generation | undefined>({ method: "tailStop", text }),
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function checkInput({ tokens, rows }: TailInput, limits: RunLimits, where: string): void {
  checkTokens(tokens, limits, where);
  if (rows.length !== tokens.length * limits.width)
    throw mismatch("bad-input", where, `${tokens.length} states of width ${limits.width}`, `${rows.length} numbers`);
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new TrimtabError(
      "bad-input",
      `${where}: expected finite states, got ${rows[bad]} at token ${Math.floor(bad / limits.width)}`,
      { hint: "the map that made them, or the rows it was given, are damaged" },
    );
}

function checkPositions(positions: readonly number[], tokens: Int32Array, sequence: number): readonly number[] {
  for (const position of positions)
    if (!Number.isInteger(position) || position < 0 || position >= tokens.length)
      throw mismatch("bad-input", `positions of sequence ${sequence}`, `from 0 to ${tokens.length - 1}`, `${position}`);
  return positions;
}

function* slices(inputs: readonly TailInput[]): Generator<readonly TailInput[], void, void> {
  let slice: TailInput[] = [];
  let tokens = 0;
  for (const input of inputs) {
    if (slice.length > 0 && tokens + input.tokens.length > tokensPerCall) {
      yield slice;
      [slice, tokens] = [[], 0];
    }
    slice.push(input);
    tokens += input.tokens.length;
  }
  if (slice.length > 0) yield slice;
}
