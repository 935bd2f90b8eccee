import type { OpenModel } from "../../engine/open-model.ts";

/** Writes out tokens of a model as bytes, asking for each id once. */
export type TokenSpeller = (tokens: Int32Array) => Promise<readonly Uint8Array[]>;

/** Opens a speller of a model's tokens. It remembers the bytes of every id that it met: at most the vocabulary. */
export function createTokenSpeller(model: Pick<OpenModel, "tokenBytes">): TokenSpeller {
  const known = new Map<number, Uint8Array>();
  return async (tokens) => {
    const unknown = Int32Array.from([...new Set(tokens)].filter((token) => !known.has(token)));
    const found = await model.tokenBytes(unknown);
    unknown.forEach((token, at) => {
      known.set(token, found[at] as Uint8Array);
    });
    return Array.from(tokens, (token) => known.get(token) as Uint8Array);
  };
}
