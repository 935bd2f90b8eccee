import type { GeneratedPiece, GenerateOptions, Generation } from "../../engine/open-model.ts";

/** Anything that writes. */
export interface Writer {
  generate(
    prompt: Int32Array,
    options?: Pick<GenerateOptions, "maxTokens" | "temperature">,
  ): AsyncGenerator<GeneratedPiece, Generation, void>;
}

const promptTokens = 16;
/** Tokens to write after the first, which is the prompt's. */
const writtenTokens = 32;
const texts = 2;

/**
 * Measures milliseconds per token of writing one token after another, greedily, after the beginnings of a few windows: the shorter of two
 * texts' means, so that a moment's load counts once. Null if every text ended at once.
 */
export async function timeWriting(
  model: Writer,
  windows: readonly Int32Array[],
  clock: () => number,
): Promise<number | null> {
  const times: number[] = [];
  for (const window of windows.slice(0, texts)) {
    const stream = model.generate(window.slice(0, promptTokens), { maxTokens: writtenTokens + 1, temperature: 0 });
    const first = await stream.next();
    if (first.done) continue;
    const start = clock();
    let tokens = 0;
    for (let step = await stream.next(); !step.done; step = await stream.next()) if (step.value.token >= 0) tokens++;
    if (tokens > 0) times.push((clock() - start) / tokens);
  }
  return times.length === 0 ? null : Math.min(...times);
}
