import { mismatch } from "../errors.ts";
import { checkIntervention, checkTokens, type RunLimits } from "./check-run.ts";
import type { LayerAddition } from "./open-model.ts";
import type { OpenSequence } from "./open-sequence.ts";
import type { WorkerClient } from "./worker-client.ts";

/** Implements {@link OpenSequence} over the worker's kept sequences. */
export async function startSequence(
  client: WorkerClient,
  limits: RunLimits,
  steering: readonly LayerAddition[],
): Promise<OpenSequence> {
  checkIntervention({ steering }, limits);
  const sequence = await client.call<number>({ method: "sequenceStart" });
  let length = 0;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await client.call({ method: "sequenceEnd", sequence });
  };
  const checkOpen = (): void => {
    if (!isOpen) throw mismatch("usage", "sequence", "an open sequence", "a closed one");
  };
  if (steering.length > 0) await client.call({ method: "sequenceSteer", sequence, steering, cache: "redecode" });
  return {
    get length() {
      return length;
    },
    append: async (tokens) => {
      checkOpen();
      checkTokens(tokens, limits, "sequence");
      const logits = await client.call<Float32Array>({ method: "sequenceAppend", sequence, tokens });
      length += tokens.length;
      return logits;
    },
    steer: async (next, { cache = "redecode" } = {}) => {
      checkOpen();
      checkIntervention({ steering: next }, limits);
      await client.call({ method: "sequenceSteer", sequence, steering: next, cache });
    },
    rewind: async (to) => {
      checkOpen();
      await client.call({ method: "sequenceRewind", sequence, length: to });
      length = to;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
