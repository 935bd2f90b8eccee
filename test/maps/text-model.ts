import type { OpenModel, ReadOptions, WindowBatch, WindowStates } from "../../src/engine/open-model.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { plantedModel } from "../activations/planted-model.ts";

export interface TextModelOptions {
  readonly name: string;
  /** How its tokenizer cuts a text: byte offsets behind the tokens, the last one the text's length. */
  readonly cut: (bytes: Uint8Array) => readonly number[];
  /** State of the token of a text that ends behind so many bytes. */
  readonly state: (text: string, end: number, layer: number) => readonly number[];
  readonly width: number;
  readonly addsBos?: boolean;
  /** What its tokens spell instead of the text, as a tokenizer that lower-cases does. */
  readonly write?: (text: string) => string;
}

const bos = 0;

/**
 * A model whose state at a token is a known function of the text and the byte at which the token ends: what two models with different
 * tokenizers have in common. Every token of every text has an id of its own.
 */
export function textModel({
  name,
  cut,
  state,
  width,
  addsBos = true,
  write = (text) => text,
}: TextModelOptions): OpenModel {
  const base = plantedModel({ name, width, addsBos, fingerprint: name });
  const ids = new Map<string, number>();
  const tokens: { readonly text: string; readonly end: number; readonly bytes: Uint8Array }[] = [
    { text: "", end: 0, bytes: new TextEncoder().encode("<bos>") },
  ];
  const idOf = (text: string, start: number, end: number, written: Uint8Array): number => {
    const key = `${end}:${text}`;
    const known = ids.get(key) ?? tokens.length;
    if (!ids.has(key)) {
      ids.set(key, known);
      tokens.push({ text, end, bytes: written.slice(start, end) });
    }
    return known;
  };
  async function* readStates(
    windows: Iterable<Int32Array | WindowBatch> | AsyncIterable<Int32Array | WindowBatch>,
    { sites }: ReadOptions,
  ): AsyncGenerator<WindowStates, void, void> {
    let index = 0;
    for await (const item of windows)
      for (const window of item instanceof Int32Array ? [item] : item) {
        const rows = ({ layer }: ReadOptions["sites"][number]): Float32Array =>
          Float32Array.from(
            [...window].flatMap((id) => {
              const { text, end } = tokens[id] as (typeof tokens)[0];
              return [...state(text, end, layer)];
            }),
          );
        yield { index: index++, tokens: window, states: sites.map(rows) };
      }
  }
  return {
    ...base,
    description: { ...base.description, tokenizer: { ...base.description.tokenizer, bos, eos: undefined } },
    tokenize: async (text) => {
      const bytes = new TextEncoder().encode(text);
      const written = new TextEncoder().encode(write(text));
      let start = 0;
      return Int32Array.from(cut(bytes), (end) => {
        const id = idOf(text, start, end, written);
        start = end;
        return id;
      });
    },
    tokenBytes: async (list) => Array.from(list, (id) => (tokens[id] as (typeof tokens)[0]).bytes),
    specialTokens: async () => new Set([bos]),
    readStates,
  };
}

/** Cuts at seeded places, `length` bytes apart on average, the same for the same text. */
export function cutAt(seed: number, length: number): TextModelOptions["cut"] {
  return (bytes) => {
    const random = seededRandom(seed + bytes.length + (bytes[0] ?? 0));
    const ends: number[] = [];
    for (let end = 1; end < bytes.length; end++) if (random.uniform() < 1 / length) ends.push(end);
    return bytes.length === 0 ? [] : [...ends, bytes.length];
  };
}
