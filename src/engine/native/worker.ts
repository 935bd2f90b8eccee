import { parentPort, workerData } from "node:worker_threads";
import { mismatch, TrimtabError, toTrimtabError } from "../../errors.ts";
import type { EngineCall, EngineReply, OpenedModel } from "../protocol.ts";
import { ContinuousBatch } from "./continuous-batch.ts";
import { generateMany } from "./generate.ts";
import { planTail } from "./load-tail.ts";
import { NativeModel, type NativeOpenOptions } from "./native-model.ts";
import { scoreContinuations } from "./score.ts";
import { selfTest } from "./self-test.ts";
import { KeptSequences } from "./sequences.ts";
import { TailRunner } from "./tail-runner.ts";

// The thread of one open model. It answers one call at a time, in order; nothing here touches the disk or the network.

if (!parentPort) throw new TrimtabError("internal", "internal: the engine's worker must run in a worker thread");
const port = parentPort;
let model: NativeModel | undefined;
let sequences: KeptSequences | undefined;

function opened(): NativeModel {
  if (!model) throw new TrimtabError("internal", "internal: a call came before the model was open");
  return model;
}

function kept(): KeptSequences {
  sequences ??= new KeptSequences(opened());
  return sequences;
}

let tail: TailRunner | undefined;

function tailOf(): TailRunner {
  if (!tail) throw new TrimtabError("internal", "internal: a tail's call came before it was set up");
  return tail;
}

const batches = new Map<number, ContinuousBatch>();
let turning = false;

function batchOf(number: number): ContinuousBatch {
  const batch = batches.get(number);
  if (!batch) throw mismatch("usage", "batch", "an open batch", "a closed one");
  return batch;
}

/** Lets every batch that has something to do take a step, then hears messages, then goes on. */
function turn(): void {
  const busy = [...batches.values()].filter((batch) => !batch.isIdle);
  for (const batch of busy) batch.step();
  turning = busy.length > 0;
  if (turning) setImmediate(turn);
}

/** Hands a text to its batch; it is answered when the text ends. */
function submit({
  id,
  batch,
  prompt,
  steering,
  sampling,
  abort,
}: Extract<EngineCall, { method: "batchSubmit" }>): void {
  const flag = new Int32Array(abort);
  batchOf(batch).submit({
    prompt,
    steering,
    sampling,
    isAborted: () => Atomics.load(flag, 0) === 1,
    onPiece: (piece) => port.postMessage({ id, event: { prompt: 0, piece } } satisfies EngineReply),
    onEnd: (generation) => port.postMessage({ id, value: generation } satisfies EngineReply),
    onError: (error) => refuse(id, error),
  });
  if (!turning) {
    turning = true;
    setImmediate(turn);
  }
}

async function openModel(options: NativeOpenOptions): Promise<OpenedModel> {
  model = new NativeModel(options, options.tail && (await planTail(options.tail)));
  const { llama, vocabulary } = model;
  return {
    info: model.info,
    vocabulary: vocabulary.size,
    special: vocabulary.special,
    specialTokens: vocabulary.specialTokens(),
    chatTemplate: model.chatTemplate,
    context: model.context,
    capabilities: selfTest(model),
    engine: { version: llama.version(), system: llama.systemInfo(), devices: llama.devices() },
  };
}

function answer(call: Exclude<EngineCall, { method: "batchSubmit" }>): { value: unknown; transfer: ArrayBuffer[] } {
  const plain = (value: unknown) => ({ value, transfer: [] });
  switch (call.method) {
    case "tokenize":
      return plain(opened().vocabulary.tokenize(call.text, call.addSpecial, call.parseSpecial));
    case "tokenBytes":
      return plain(Array.from(call.tokens, (token) => opened().vocabulary.piece(token, true)));
    case "detokenize":
      return plain(opened().vocabulary.detokenize(call.tokens, call.special));
    case "logits": {
      const value = opened().logits(call.sequences, call.positions, call.intervention);
      return { value, transfer: value.map((rows) => rows.buffer as ArrayBuffer) };
    }
    case "logProbabilities":
      return plain(scoreContinuations(opened(), call.items, call.intervention));
    case "readStates": {
      const abort = new Int32Array(call.abort);
      const isAborted = () => Atomics.load(abort, 0) === 1;
      const value = opened().readStates(call.sequences, call.layers, call.intervention, isAborted);
      return { value, transfer: value.flat().map((rows) => rows.buffer as ArrayBuffer) };
    }
    case "generate": {
      const abort = call.abort && new Int32Array(call.abort);
      return plain(
        generateMany(opened(), {
          prompts: call.prompts,
          intervention: call.intervention,
          sampling: call.sampling,
          onPiece: (prompt, piece) => {
            if (call.stream) port.postMessage({ id: call.id, event: { prompt, piece } } satisfies EngineReply);
          },
          isAborted: () => abort !== undefined && Atomics.load(abort, 0) === 1,
        }),
      );
    }
    case "batchOpen": {
      const batch = new ContinuousBatch(opened(), { slots: call.slots, tapped: call.tapped });
      batches.set(call.id, batch);
      return plain({ batch: call.id, slots: batch.stats().slots });
    }
    case "batchStats":
      return plain(batchOf(call.batch).stats());
    case "batchClose":
      batches.get(call.batch)?.close();
      batches.delete(call.batch);
      return plain(undefined);
    case "sequenceStart":
      return plain(kept().start());
    case "sequenceAppend":
      return plain(kept().append(call.sequence, call.tokens));
    case "sequenceSteer":
      return plain(kept().steer(call.sequence, call.steering, call.cache));
    case "sequenceRewind":
      return plain(kept().rewind(call.sequence, call.length));
    case "sequenceEnd":
      return plain(kept().end(call.sequence));
    case "sequenceStates": {
      const value = kept().appendStates(call.sequence, call.tokens, call.layers);
      return { value, transfer: value.map((rows) => rows.buffer as ArrayBuffer) };
    }
    case "tailOpen":
      tail = new TailRunner(opened(), call.plan);
      return plain(undefined);
    case "tailLogits": {
      const value = tailOf().logits(call.inputs, call.positions);
      return { value, transfer: value.map((rows) => rows.buffer as ArrayBuffer) };
    }
    case "tailScores":
      return plain(tailOf().scores(call.inputs));
    case "tailStates": {
      const value = tailOf().states(call.inputs, call.layers);
      return { value, transfer: value.flat().map((rows) => rows.buffer as ArrayBuffer) };
    }
    case "tailStart":
      return plain(tailOf().start(call.prompt, call.sampling));
    case "tailStep":
      return plain(tailOf().step(call.text, call.input));
    case "tailStop":
      return plain(tailOf().stop(call.text));
    case "threads":
      return plain(opened().setThreads(call.threads));
    case "close":
      for (const batch of batches.values()) batch.close();
      batches.clear();
      tail?.free();
      tail = undefined;
      model?.free();
      model = undefined;
      return plain(undefined);
  }
}

function reply(id: number, make: () => { value: unknown; transfer: ArrayBuffer[] }): void {
  try {
    const { value, transfer } = make();
    port.postMessage({ id, value } satisfies EngineReply, transfer);
  } catch (thrown) {
    refuse(id, toTrimtabError(thrown));
  }
}

function refuse(id: number, { code, message, hint, stack }: TrimtabError): void {
  port.postMessage({ id, error: { code, message, hint, stack } } satisfies EngineReply);
}

port.on("message", (call: EngineCall) => {
  if (call.method === "batchSubmit") {
    try {
      submit(call);
    } catch (thrown) {
      refuse(call.id, toTrimtabError(thrown));
    }
    return;
  }
  reply(call.id, () => answer(call));
  if (call.method === "close") port.close();
});
openModel(workerData as NativeOpenOptions).then(
  (value) => reply(0, () => ({ value, transfer: [] })),
  (thrown: unknown) => refuse(0, toTrimtabError(thrown)),
);
