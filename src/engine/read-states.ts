import { TrimtabError } from "../errors.ts";
import { checkIntervention, checkTokens, type RunLimits } from "./check-run.ts";
import type { ReadOptions, WindowStates } from "./open-model.ts";
import { checkSite } from "./site.ts";
import type { WorkerClient } from "./worker-client.ts";

// A few chunks of the engine's 512 tokens: large enough that a message costs nothing beside the work, small enough to stream.
const tokensPerCall = 2048;
// While one batch is consumed the next is computed; more would only take memory.
const callsAhead = 2;

/** Implements {@link OpenModel.readStates}: packs windows into calls, keeps the worker busy, yields in order. */
export async function* readStates(
  client: WorkerClient,
  limits: RunLimits,
  windows: Iterable<Int32Array> | AsyncIterable<Int32Array>,
  { sites, signal, ...run }: ReadOptions,
): AsyncGenerator<WindowStates, void, void> {
  const layers = sites.map((site) => checkSite(site, limits.blocks).layer);
  const intervention = checkIntervention(run, limits);
  const underWay: { tokens: Int32Array[]; answer: Promise<Float32Array[][]> }[] = [];
  let index = 0;
  const settle = async function* (): AsyncGenerator<WindowStates, void, void> {
    const { tokens, answer } = underWay.shift()!;
    const states = await answer;
    for (const [i, window] of tokens.entries()) yield { index: index++, tokens: window, states: states[i]! };
  };
  try {
    for await (const batch of packWindows(windows, limits)) {
      if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      const answer = client.call<Float32Array[][]>({ method: "readStates", sequences: batch, layers, intervention });
      // Whoever stops early must not leave a rejection unheard.
      answer.catch(() => undefined);
      underWay.push({ tokens: batch, answer });
      if (underWay.length >= callsAhead) yield* settle();
    }
    while (underWay.length > 0) yield* settle();
  } finally {
    await Promise.allSettled(underWay.map(({ answer }) => answer));
  }
}

async function* packWindows(
  windows: Iterable<Int32Array> | AsyncIterable<Int32Array>,
  limits: RunLimits,
): AsyncGenerator<Int32Array[], void, void> {
  let batch: Int32Array[] = [];
  let total = 0;
  let number = 0;
  for await (const window of windows) {
    checkTokens(window, limits, `window ${number++}`);
    if (batch.length > 0 && total + window.length > tokensPerCall) {
      yield batch;
      batch = [];
      total = 0;
    }
    batch.push(window);
    total += window.length;
  }
  if (batch.length > 0) yield batch;
}
