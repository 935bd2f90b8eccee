import { mismatch } from "../errors.ts";
import {
  findSaeLayout,
  ggufString,
  parseReference,
  readCollectionHeader,
  readFeatureMap,
  readGgufHeader,
  readMaps,
  readProbe,
  readSae,
  readSafetensorsHeader,
  readVector,
} from "../index.ts";
import type { Command } from "./command.ts";
import { describeFeatureMap, toPlainFeatureMap } from "./describe-feature-map.ts";
import { describeMaps } from "./describe-maps.ts";
import { describeModel } from "./describe-model.ts";
import { describeMoments } from "./describe-moments.ts";
import { describeProbe } from "./describe-probe.ts";
import { describeSae } from "./describe-sae.ts";
import { describeVector } from "./describe-vector.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";

/** What is shown of something: rows to read, and the same as JSON. */
export interface Shown {
  readonly rows: readonly (readonly [name: string, value: string])[];
  readonly json: unknown;
}

export const command: Command = {
  name: "inspect",
  summary: "say what a model, map, vector or file of moments is",
  usage: "inspect MODEL|FILE [options]",
  description: `
    Of a model: architecture, size, tokenizer and context, and what of it can be read and steered. That is found out, not looked up: the
    model is opened, every block is tapped, and a large random vector must change its output.

    Layers are 0-based: layer l is the output of block l. Vectors can be added at every layer but 0 at no cost; layer 0 is reached by
    editing hidden states. Models with equal tokenizer fingerprints are mapped token by token, others by the text that tokens end at.

    Of a file of maps (.safetensors) or a steering vector (.safetensors, .gguf): what it is for, where it comes from, and how well it did. Of
    collected moments (.safetensors, or .partial while they grow): models, layers, rows, and what is still missing.

    Of a sparse autoencoder (a folder of SAELens, Gemma Scope 1 or 2, Llama Scope, or of trimtab sae train): how it decides which features are
    active, how many it has, and which hidden states it codes.`,
  positionals: { least: 1, most: 1 },
  options: { ...modelFlags, ...shownFlags },
  examples: [
    { line: "trimtab inspect demo:m", explains: "The largest model of the package." },
    { line: "trimtab inspect hf:ggml-org/models/tinyllamas/stories260K.gguf", explains: "Fetched, checked, opened." },
    { line: "trimtab inspect map.safetensors", explains: "Which models a map joins, and its held-out score." },
    { line: "trimtab inspect layer_12/width_16k/average_l0_82", explains: "An autoencoder of Gemma Scope." },
    { line: "trimtab inspect happy.gguf --json", explains: "A control vector's layers and lengths, for a script." },
  ],
  async run(args, effects) {
    const name = args.positionals[0]!;
    const shown = (await describeFile(name)) ?? (await describeOpened(name));
    effects.stdout.write(args.isSet("json") ? `${JSON.stringify(shown.json)}\n` : renderList(shown.rows));
    return 0;

    async function describeOpened(reference: string): Promise<Shown> {
      const progress = createProgress(effects, { silent: isSilent(args) });
      await using model = await openModelOf(reference, args, effects, { progress });
      progress.update({ label: "computing the file's digest", done: 0, total: undefined, unit: "bytes" });
      const sha256 = await stoppable(model.sha256(), effects);
      progress.finish();
      return describeModel(model.description, { sha256, context: model.context, engine: model.engine });
    }
  },
};

/** What a file of ours is; undefined for a model. */
async function describeFile(name: string): Promise<Shown | undefined> {
  const reference = parseReference(name);
  if (reference.kind !== "path") return undefined;
  const { path } = reference;
  if (await findSaeLayout(path)) return describeSae(await readSae(path));
  if (/\.safetensors(\.partial)?$/i.test(path)) {
    const format = (await readSafetensorsHeader(path)).metadata.get("format");
    if (format === "trimtab-map") return describeMaps(await readMaps(path));
    if (format === "trimtab-feature-map") {
      const map = await readFeatureMap(path);
      return { rows: describeFeatureMap(map), json: { kind: "feature-map", ...toPlainFeatureMap(map) } };
    }
    if (format === "trimtab-probe") return describeProbe(await readProbe(path));
    if (format === "trimtab-moments") return describeMoments(await readCollectionHeader(path));
    if (format?.startsWith("trimtab-") && format !== "trimtab-vector")
      throw mismatch("unsupported", path, "a map, a vector or moments", format);
    return describeVector(await readVector(path));
  }
  if (!/\.gguf$/i.test(path) || !(await isControlVector(path))) return undefined;
  return describeVector(await readVector(path));
}

async function isControlVector(path: string): Promise<boolean> {
  // A model that is missing, split, a folder or no GGUF is told more clearly by opening it.
  const header = await readGgufHeader(path).catch(() => undefined);
  return header !== undefined && ggufString(header, "general.architecture") === "controlvector";
}

/** Waits for something that takes long and cannot be stopped itself. */
function stoppable<T>(work: Promise<T>, { signal }: Effects): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException("interrupted", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
