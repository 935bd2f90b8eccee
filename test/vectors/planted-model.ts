import type { ModelDescription } from "../../src/engine/description.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { TrimtabError } from "../../src/errors.ts";
import { seededRandom } from "../../src/linalg/random.ts";

/**
 * A model for mathematics only: words are tokens, and the hidden state of a token is a random row of its own (by layer and all words up to it)
 * plus `planted` times (layer + 1) if the word is "good", minus it if "bad". Position 0 is a sink of 100 times the length. `<bos>` is
 * put first.
 */
export function plantedModel(planted: Float64Array, { context = 64 }: { readonly context?: number } = {}): OpenModel {
  const width = planted.length;
  const words = ["<bos>"];
  const idOf = (word: string): number => {
    if (!words.includes(word)) words.push(word);
    return words.indexOf(word);
  };
  const row = (tokens: Int32Array, position: number, layer: number): number[] => {
    // What a causal model sees at a position: every token up to it.
    const seed = tokens.slice(0, position + 1).reduce((hash, token) => (hash * 31 + token + 1) % 1e9, layer);
    const random = seededRandom(seed);
    const word = words[tokens[position]!];
    const sign = word === "good" ? 1 : word === "bad" ? -1 : 0;
    const scale = position === 0 ? 100 : 1;
    return Array.from(planted, (value) => scale * random.normal() + sign * (layer + 1) * value);
  };
  const description: ModelDescription = {
    name: "planted",
    path: "planted.gguf",
    architecture: "planted",
    blocks: 3,
    width,
    vocabulary: 1000,
    trainedContext: context,
    quantisation: "F32",
    parameters: 0,
    sizeBytes: 0,
    tokenizer: { model: "words", pre: "default", fingerprint: "f".repeat(64), bos: 0, eos: undefined, addsBos: true },
    chatTemplate: undefined,
    capabilities: { tap: true, steer: true, reason: undefined },
  };
  const unused = (): never => {
    throw new TrimtabError("internal", "internal: not part of this model");
  };
  return {
    description,
    context,
    threads: 1,
    setThreads: () => Promise.resolve(),
    openBatch: unused,
    startSequence: unused,
    tokenize: async (text, { addSpecial = true } = {}) =>
      Int32Array.from([...(addSpecial ? ["<bos>"] : []), ...text.split(/\s+/).filter(Boolean)], idOf),
    tokenBytes: async (tokens) => Array.from(tokens, (token) => new TextEncoder().encode(words[token] ?? "")),
    detokenize: async (tokens) => Array.from(tokens, (token) => words[token]).join(" "),
    specialTokens: async () => new Set([0]),
    async *readStates(windows, { sites }) {
      let index = 0;
      for await (const tokens of flat(windows)) {
        const states = sites.map(({ layer }) =>
          Float32Array.from([...tokens].flatMap((_, position) => row(tokens, position, layer))),
        );
        yield { index: index++, tokens, states };
      }
    },
    sha256: async () => "a".repeat(64),
    chatPrompt: unused,
    logits: unused,
    logProbabilities: unused,
    generate: unused,
    generateMany: unused,
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Windows one by one, whether they come alone or in arrays. */
async function* flat(windows: Parameters<OpenModel["readStates"]>[0]): AsyncGenerator<Int32Array, void, void> {
  for await (const item of windows)
    if (item instanceof Int32Array) yield item;
    else yield* item;
}

/** Rows of a contrast set drawn from seeded normals: `positive = noise + shift`, `negative = noise − shift`, noise scaled per dimension. */
export function drawnRows(
  shift: readonly number[],
  { pairs, seed, scales = shift.map(() => 1) }: { pairs: number; seed: number; scales?: readonly number[] },
): { pairs: number; width: number; positive: Float32Array; negative: Float32Array } {
  const random = seededRandom(seed);
  const width = shift.length;
  const side = (sign: number): Float32Array =>
    Float32Array.from(
      { length: pairs * width },
      (_, i) => random.normal() * scales[i % width]! + sign * shift[i % width]!,
    );
  return { pairs, width, positive: side(1), negative: side(-1) };
}

/** Cosine of two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
