import { type EngineInfo, formatShortCount, type ModelDescription } from "../index.ts";
import type { Shown } from "./inspect.ts";
import { formatLayers } from "./layer-range.ts";
import { formatBytes } from "./units.ts";

/** Shows a model: what it is, and what of it can be read and steered. */
export function describeModel(
  description: ModelDescription,
  { sha256, context, engine }: { readonly sha256: string; readonly context: number; readonly engine: EngineInfo },
): Shown {
  const { name, path, architecture, blocks, width, vocabulary, trainedContext, capabilities, tokenizer } = description;
  const all = Array.from({ length: blocks }, (_, layer) => layer);
  const readable = capabilities.tap ? all : [];
  const steerable = capabilities.steer ? all.slice(1) : [];
  const no = (what: string) => `no: ${capabilities.reason ?? `${what} failed in the self-test`}`;
  return {
    rows: [
      ["model", name],
      ["file", path],
      ["sha256", sha256],
      ["architecture", `${architecture}, ${blocks} blocks of width ${width}`],
      ["parameters", `${formatShortCount(description.parameters)}, ${description.quantisation}`],
      ["size", formatBytes(description.sizeBytes)],
      ["context", `${trainedContext} tokens trained, ${context} used`],
      ["tokenizer", describeTokenizer(tokenizer, vocabulary)],
      ["fingerprint", tokenizer.fingerprint],
      ["chat template", description.chatTemplate === undefined ? "none" : "yes"],
      ["read", capabilities.tap ? `layers ${formatLayers(readable)}` : no("reading")],
      ["steer", capabilities.steer ? steerText(steerable) : no("steering")],
      [
        "engine",
        `llama.cpp ${engine.version}, ${engine.devices.map(({ name: device }) => device).join(", ") || "CPU"}`,
      ],
    ],
    json: {
      kind: "model",
      description,
      sha256,
      context,
      layers: { read: readable, steer: steerable, edit: capabilities.tap ? all : [] },
      engine,
    },
  };
}

function steerText(layers: readonly number[]): string {
  if (layers.length === 0) return "layer 0 by editing only";
  return `layers ${formatLayers(layers)} by control vector, layer 0 by editing`;
}

function describeTokenizer(tokenizer: ModelDescription["tokenizer"], vocabulary: number): string {
  const { model, pre, bos, eos, addsBos } = tokenizer;
  const ids = [bos === undefined ? "" : `BOS ${bos}${addsBos ? " added" : ""}`, eos === undefined ? "" : `EOS ${eos}`];
  return [`${model} (${pre})`, `${vocabulary} tokens`, ...ids.filter((text) => text !== "")].join(", ");
}
