import { createHash } from "node:crypto";
import { join } from "node:path";
import { TrimtabError } from "../../errors.ts";
import { readSafetensors, writeSafetensors } from "../../formats/safetensors.ts";
import type { ModelDescription } from "../description.ts";
import type { EngineLibrary } from "../library.ts";
import { cacheFolder, identifyFiles, makeFolders } from "../preflight.ts";
import type { TailTruth } from "./prove-tail.ts";

/** What the next opening of a tail is compared with, so that it need not open the whole model. */
export interface KeptTruth {
  readonly truth: TailTruth;
  readonly description: ModelDescription;
}

/**
 * The place of what is kept of a model at a cut, or undefined without a cache. Other files, libraries, threads or devices have another:
 * they may round otherwise.
 */
export async function truthPath(
  library: EngineLibrary,
  files: readonly string[],
  settings: Readonly<Record<string, string | number>>,
): Promise<string | undefined> {
  const folder = cacheFolder();
  if (folder === undefined) return undefined;
  const identity = `${await identifyFiles(library, files)}\n${JSON.stringify(settings)}`;
  return join(folder, "tails", `${createHash("sha256").update(identity).digest("hex")}.safetensors`);
}

/** Reads what {@link keepTruth} kept; undefined where there is nothing, or nothing sound: then the whole model tells it again. */
export async function readTruth(path: string): Promise<KeptTruth | undefined> {
  try {
    const { tensors, metadata } = await readSafetensors(path);
    const [tokens, positions, rows, logits, scales] = names.map((name) => tensors.get(name)?.data);
    const description = JSON.parse(metadata.get("description") ?? "null") as ModelDescription | null;
    const isSound =
      tokens instanceof Int32Array &&
      positions instanceof Int32Array &&
      rows instanceof Float32Array &&
      logits instanceof Float32Array &&
      scales instanceof Float64Array &&
      description !== null &&
      rows.length === tokens.length * description.width &&
      logits.length === positions.length * description.vocabulary;
    if (!isSound) return undefined;
    return {
      truth: { tokens, rows, positions: [...positions], logits, scales: [...scales] },
      description: { ...description, chatTemplate: description.chatTemplate },
    };
  } catch (thrown) {
    if (thrown instanceof TrimtabError || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

const names = ["tokens", "positions", "rows", "logits", "scales"] as const;

/** Keeps what a tail was compared with. A cache that cannot be written costs time at the next opening, nothing else. */
export async function keepTruth(path: string, { truth, description }: KeptTruth): Promise<void> {
  const { tokens, positions, rows, logits, scales } = truth;
  const tensors = new Map([
    ["tokens", { shape: [tokens.length], data: tokens }],
    ["positions", { shape: [positions.length], data: Int32Array.from(positions) }],
    ["rows", { shape: [rows.length], data: rows }],
    ["logits", { shape: [logits.length], data: logits }],
    ["scales", { shape: [scales.length], data: Float64Array.from(scales) }],
  ] as const);
  try {
    await makeFolders(join(path, ".."));
    await writeSafetensors(path, tensors, new Map([["description", JSON.stringify(description)]]));
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
  }
}
