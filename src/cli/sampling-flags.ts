import { defaultSampling, type GenerateOptions } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";
import { seedFlag, seedOf } from "./flags.ts";

type Name = "max-tokens" | "temperature" | "top-k" | "top-p" | "min-p" | "repetition-penalty" | "stop" | "seed";

/** How tokens are drawn. The defaults are the library's. */
export const samplingFlags: Readonly<Record<Name, Flag>> = {
  "max-tokens": {
    type: "string",
    short: "n",
    value: "N",
    description: "tokens to write at most",
    default: String(defaultSampling.maxTokens),
  },
  temperature: {
    type: "string",
    value: "T",
    description: "0 always takes the likeliest token",
    default: String(defaultSampling.temperature),
  },
  "top-k": {
    type: "string",
    value: "N",
    description: "draw among so many tokens, 0 for all",
    default: String(defaultSampling.topK),
  },
  "top-p": {
    type: "string",
    value: "P",
    description: "draw among the likeliest tokens of this probability together",
    default: String(defaultSampling.topP),
  },
  "min-p": {
    type: "string",
    value: "P",
    description: "leave out tokens less likely than this share of the likeliest",
    default: String(defaultSampling.minP),
  },
  "repetition-penalty": {
    type: "string",
    value: "X",
    description: "above 1 makes repetition less likely",
    default: String(defaultSampling.repetitionPenalty),
  },
  stop: { type: "string", value: "TEXT", multiple: true, description: "end before this text" },
  ...seedFlag,
};

/** Reads the sampling flags of a command line, with the library's defaults. */
export function readSampling(args: Arguments): GenerateOptions & { readonly seed: number } {
  return {
    maxTokens: args.whole("max-tokens", 1, 1 << 24) ?? defaultSampling.maxTokens,
    temperature: args.number("temperature", 0, 100) ?? defaultSampling.temperature,
    topK: args.whole("top-k", 0, 1 << 24) ?? defaultSampling.topK,
    topP: args.number("top-p", 0, 1) ?? defaultSampling.topP,
    minP: args.number("min-p", 0, 1) ?? defaultSampling.minP,
    repetitionPenalty: args.number("repetition-penalty", 0, 10) ?? defaultSampling.repetitionPenalty,
    stop: args.texts("stop"),
    seed: seedOf(args),
  };
}
