import { mismatch } from "../errors.ts";
import { checkTokens, type RunLimits } from "./check-run.ts";
import { checkSite, type Site } from "./site.ts";
import type { WorkerClient } from "./worker-client.ts";

/** A sequence that is read as it grows: its keys and values are kept, and blocks behind the last site are never computed. */
export interface StateSequence extends AsyncDisposable {
  /** Tokens so far. */
  readonly length: number;
  /** Adds tokens and returns their hidden states, for each site `[tokens, width]`. */
  append(tokens: Int32Array): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/** Implements `startStates` of an open model over the worker's kept sequences. */
export async function startStates(
  client: WorkerClient,
  limits: RunLimits,
  sites: readonly Site[],
): Promise<StateSequence> {
  const { name, capabilities } = limits;
  if (!capabilities.tap)
    throw mismatch(
      "unsupported",
      `reading ${name}`,
      "a model whose blocks can be tapped",
      capabilities.reason ?? "this one",
    );
  if (sites.length === 0) throw mismatch("bad-input", "sites", "at least one", "none");
  const layers = sites.map((site) => checkSite(site, limits.blocks).layer);
  const sequence = await client.call<number>({ method: "sequenceStart" });
  let length = 0;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await client.call({ method: "sequenceEnd", sequence });
  };
  return {
    get length() {
      return length;
    },
    append: async (tokens) => {
      if (!isOpen) throw mismatch("usage", "sequence", "an open sequence", "a closed one");
      checkTokens(tokens, limits, "sequence");
      const states = await client.call<Float32Array[]>({ method: "sequenceStates", sequence, tokens, layers });
      length += tokens.length;
      return states;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
