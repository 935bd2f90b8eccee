import { TrimtabError } from "../errors.ts";
import { checkIntervention, checkTokens, type RunLimits } from "./check-run.ts";
import type { ReadOptions, WindowBatch, WindowStates } from "./open-model.ts";
import { checkSite } from "./site.ts";
import type { WorkerClient } from "./worker-client.ts";

// A few chunks of the engine's 512 tokens: large enough that a message costs nothing beside the work, small enough to stream.
const mostTokensPerCall = 2048;
const leastTokensPerCall = 512;
// What one call's states may take: a sweep over every block of a large model holds more for a token than many models do for a text.
const bytesPerCall = 2 ** 27;
// While what one call gave is consumed, one is computed and one waits behind it, so that the worker has work whenever it looks.
const callsAhead = 3;

type Windows = Iterable<Int32Array | WindowBatch> | AsyncIterable<Int32Array | WindowBatch>;

/** Implements {@link OpenModel.readStates}: packs windows into calls, keeps the worker busy, yields in order. */
export async function* readStates(
  client: Pick<WorkerClient, "call">,
  limits: RunLimits,
  windows: Windows,
  { sites, signal, ...run }: ReadOptions,
): AsyncGenerator<WindowStates, void, void> {
  const layers = sites.map((site) => checkSite(site, limits.blocks).layer);
  const intervention = checkIntervention(run, limits);
  // Calls wait in the worker's queue, where only shared memory reaches them: whoever stops early does not wait for them to be computed.
  const abort = new SharedArrayBuffer(4);
  const drop = (): void => void Atomics.store(new Int32Array(abort), 0, 1);
  const underWay: { tokens: Int32Array[]; answer: Promise<Float32Array[][]> }[] = [];
  let index = 0;
  const settle = async function* (): AsyncGenerator<WindowStates, void, void> {
    const { tokens, answer } = underWay.shift()!;
    const states = await answer;
    for (const [i, window] of tokens.entries()) yield { index: index++, tokens: window, states: states[i]! };
  };
  signal?.addEventListener("abort", drop);
  try {
    for await (const batch of packWindows(windows, limits, tokensPerCall(sites.length * limits.width))) {
      if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      const answer = client.call<Float32Array[][]>({
        method: "readStates",
        sequences: batch,
        layers,
        intervention,
        abort,
      });
      // Whoever stops early must not leave a rejection unheard.
      answer.catch(() => undefined);
      underWay.push({ tokens: batch, answer });
      if (underWay.length >= callsAhead) yield* settle();
    }
    while (underWay.length > 0) yield* settle();
  } catch (thrown) {
    // The worker knows that a call was dropped, not why.
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    throw thrown;
  } finally {
    signal?.removeEventListener("abort", drop);
    drop();
    await Promise.allSettled(underWay.map(({ answer }) => answer));
  }
}

function tokensPerCall(valuesPerToken: number): number {
  const affordable = Math.floor(bytesPerCall / (4 * Math.max(1, valuesPerToken)));
  return Math.max(leastTokensPerCall, Math.min(mostTokensPerCall, affordable));
}

/** Cuts the stream into calls. Lone windows share calls with their neighbours; an array has its calls to itself. */
async function* packWindows(
  windows: Windows,
  limits: RunLimits,
  tokensPerCall: number,
): AsyncGenerator<Int32Array[], void, void> {
  let batch: Int32Array[] = [];
  let total = 0;
  let number = 0;
  const take = (): Int32Array[] => {
    const taken = batch;
    batch = [];
    total = 0;
    return taken;
  };
  function* add(window: Int32Array): Generator<Int32Array[], void, void> {
    checkTokens(window, limits, `window ${number++}`);
    if (batch.length > 0 && total + window.length > tokensPerCall) yield take();
    batch.push(window);
    total += window.length;
  }
  for await (const item of windows) {
    if (item instanceof Int32Array) {
      yield* add(item);
      continue;
    }
    if (batch.length > 0) yield take();
    for (const window of item) yield* add(window);
    if (batch.length > 0) yield take();
  }
  if (batch.length > 0) yield batch;
}
