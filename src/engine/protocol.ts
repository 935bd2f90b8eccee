import type { ErrorCode } from "../errors.ts";
import type { Capabilities } from "./description.ts";
import type { NativeModelInfo } from "./native/llama.ts";
import type { Intervention } from "./native/native-model.ts";
import type { Sampling } from "./native/running-text.ts";
import type { TailInput, TailPlan } from "./native/tail-runner.ts";
import type { GeneratedPiece, LayerAddition, ScoredItem } from "./open-model.ts";

// What goes between an open model and its worker thread. Typed arrays travel by transfer where they are large.

type Call =
  | { method: "tokenize"; text: string; addSpecial: boolean; parseSpecial: boolean }
  | { method: "detokenize"; tokens: Int32Array; special: boolean }
  | { method: "tokenBytes"; tokens: Int32Array }
  | {
      method: "logits";
      sequences: readonly Int32Array[];
      positions: readonly (readonly number[])[];
      intervention: Intervention;
    }
  | { method: "logProbabilities"; items: readonly ScoredItem[]; intervention: Intervention }
  | {
      method: "readStates";
      sequences: readonly Int32Array[];
      layers: readonly number[];
      intervention: Intervention;
      abort: SharedArrayBuffer;
    }
  | {
      method: "generate";
      prompts: readonly Int32Array[];
      intervention: Intervention;
      sampling: Sampling;
      stream: boolean;
      abort: SharedArrayBuffer | undefined;
    }
  | { method: "batchOpen"; slots: number | undefined; tapped: boolean }
  | {
      method: "batchSubmit";
      batch: number;
      prompt: Int32Array;
      steering: readonly LayerAddition[];
      sampling: Sampling;
      abort: SharedArrayBuffer;
    }
  | { method: "batchStats"; batch: number }
  | { method: "batchClose"; batch: number }
  | { method: "sequenceStart" }
  | { method: "sequenceAppend"; sequence: number; tokens: Int32Array }
  | {
      method: "sequenceSteer";
      sequence: number;
      steering: readonly LayerAddition[];
      cache: "redecode" | "keep";
    }
  | { method: "sequenceRewind"; sequence: number; length: number }
  | { method: "sequenceEnd"; sequence: number }
  | { method: "sequenceStates"; sequence: number; tokens: Int32Array; layers: readonly number[] }
  | { method: "tailOpen"; plan: TailPlan }
  | { method: "tailLogits"; inputs: readonly TailInput[]; positions: readonly (readonly number[])[] }
  | { method: "tailScores"; inputs: readonly TailInput[] }
  | { method: "tailStates"; inputs: readonly TailInput[]; layers: readonly number[] }
  | { method: "tailStart"; prompt: Int32Array; sampling: Sampling }
  | { method: "tailStep"; text: number; input: TailInput }
  | { method: "tailStop"; text: number }
  | { method: "threads"; threads: number }
  | { method: "close" };

/** A call without its number, as the client makes it. */
export type EngineRequest = Call;

export type EngineCall = Call & { readonly id: number };

export type EngineReply =
  | { id: number; value: unknown }
  | { id: number; event: { prompt: number; piece: GeneratedPiece } }
  | { id: number; error: { code: ErrorCode; message: string; hint: string | undefined; stack: string | undefined } };

/** What the worker tells once the model is open. */
export interface OpenedModel {
  readonly info: NativeModelInfo;
  readonly vocabulary: number;
  readonly special: { readonly bos: number; readonly eos: number; readonly addBos: boolean; readonly addEos: boolean };
  readonly specialTokens: Int32Array;
  readonly chatTemplate: string | null;
  readonly context: number;
  readonly capabilities: Capabilities;
  readonly engine: EngineInfo;
}

export interface EngineInfo {
  readonly version: string;
  readonly system: string;
  readonly devices: readonly { readonly name: string; readonly description: string; readonly kind: string }[];
}
