import type { OpenModel, ReadOptions, WindowBatch, WindowStates } from "../../src/engine/open-model.ts";

export interface PlantedModelOptions {
  readonly name?: string;
  readonly fingerprint?: string;
  readonly addsBos?: boolean;
  /** State of a token at a position, after a block: what the model "computes". */
  readonly state?: (token: number, position: number, layer: number) => number[];
  readonly width?: number;
  readonly tap?: boolean;
  /** Windows read ahead before the first is given out, as an engine's batch does. */
  readonly batch?: number;
}

/** Vocabulary: bytes 0-255, 256 BOS, 257 end. */
export const bos = 256;

/**
 * A model whose hidden states are a known function of token and position, where the truth must be planted: sinks, special tokens, states
 * that are not numbers. It has only what reading needs; everything else throws.
 */
export function plantedModel(options: PlantedModelOptions = {}): OpenModel & { readonly read: number[][] } {
  const { name = "planted", fingerprint = "same", addsBos = true, width = 3, tap = true, batch = 1 } = options;
  const { state = (token, position) => [1, token / 100, position / 10] } = options;
  const read: number[][] = [];
  const absent = (): never => {
    throw new Error("not planted");
  };
  async function* readStates(
    windows: Iterable<Int32Array | WindowBatch> | AsyncIterable<Int32Array | WindowBatch>,
    { sites }: ReadOptions,
  ): AsyncGenerator<WindowStates, void, void> {
    let waiting: Int32Array[] = [];
    let index = 0;
    const give = (tokens: Int32Array): WindowStates => {
      read.push([...tokens]);
      const states = sites.map(({ layer }) =>
        Float32Array.from([...tokens].flatMap((token, position) => state(token, position, layer))),
      );
      return { index: index++, tokens, states };
    };
    for await (const item of windows)
      for (const window of item instanceof Int32Array ? [item] : item) {
        waiting.push(window);
        if (waiting.length < batch) continue;
        yield* waiting.map(give);
        waiting = [];
      }
    yield* waiting.map(give);
  }
  return {
    read,
    context: 64,
    threads: 1,
    setThreads: () => Promise.resolve(),
    description: {
      name,
      path: `${name}.gguf`,
      architecture: "llama",
      blocks: 4,
      width,
      vocabulary: 258,
      trainedContext: 64,
      quantisation: "F32",
      parameters: 1,
      sizeBytes: 1,
      tokenizer: { model: "gpt2", pre: "default", fingerprint, bos, eos: 257, addsBos },
      chatTemplate: undefined,
      capabilities: { tap, steer: true, reason: tap ? undefined : "no tensor l_out-0" },
    },
    tokenize: async (text) => Int32Array.from(Buffer.from(text)),
    specialTokens: async () => new Set([bos, 257]),
    readStates,
    sha256: async () => "00".repeat(32),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
    detokenize: async (tokens) => String.fromCharCode(...tokens),
    tokenBytes: async (tokens) => Array.from(tokens, (token) => Uint8Array.of(...(token < 256 ? [token] : []))),
    chatPrompt: absent,
    logits: absent,
    logProbabilities: absent,
    generate: absent,
    generateMany: absent,
    openBatch: absent,
    startSequence: absent,
  };
}
