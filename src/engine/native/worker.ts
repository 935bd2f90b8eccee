import { parentPort, workerData } from "node:worker_threads";
import { TrimtabError, toTrimtabError } from "../../errors.ts";
import type { EngineCall, EngineReply, OpenedModel } from "../protocol.ts";
import { generateMany } from "./generate.ts";
import { NativeModel, type NativeOpenOptions } from "./native-model.ts";
import { scoreContinuations } from "./score.ts";
import { selfTest } from "./self-test.ts";
import { KeptSequences } from "./sequences.ts";

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

function openModel(options: NativeOpenOptions): OpenedModel {
  model = new NativeModel(options);
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

function answer(call: EngineCall): { value: unknown; transfer: ArrayBuffer[] } {
  const plain = (value: unknown) => ({ value, transfer: [] });
  switch (call.method) {
    case "tokenize":
      return plain(opened().vocabulary.tokenize(call.text, call.addSpecial, call.parseSpecial));
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
    case "threads":
      return plain(opened().setThreads(call.threads));
    case "close":
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
    const { code, message, hint, stack } = toTrimtabError(thrown);
    port.postMessage({ id, error: { code, message, hint, stack } } satisfies EngineReply);
  }
}

port.on("message", (call: EngineCall) => {
  reply(call.id, () => answer(call));
  if (call.method === "close") port.close();
});
reply(0, () => ({ value: openModel(workerData as NativeOpenOptions), transfer: [] }));
