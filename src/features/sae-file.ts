import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { mismatch, type TrimtabError } from "../errors.ts";
import { toFileError } from "../formats/file-error.ts";
import { isThere } from "./is-there.ts";
import { readGemmaScope } from "./read-gemma-scope.ts";
import { readGemmaScope2 } from "./read-gemma-scope-2.ts";
import { readLlamaScope } from "./read-llama-scope.ts";
import { type ReadSaeLensOptions, readSaeLens } from "./read-saelens.ts";
import type { Sae } from "./sae.ts";

export { writeSae } from "./write-saelens.ts";

export type ReadSaeOptions = ReadSaeLensOptions;

/** How an autoencoder lies on disk, and where: for Gemma Scope the file, for the others the folder. */
export interface SaeLayout {
  readonly format: "gemma-scope" | "gemma-scope-2" | "saelens" | "llama-scope";
  readonly path: string;
}

/** The file that gives a layout away, in the order in which they are looked for. */
const marks = [
  ["cfg.json", "saelens"],
  ["hyperparams.json", "llama-scope"],
  ["params.npz", "gemma-scope"],
  ["params.safetensors", "gemma-scope-2"],
] as const;

/**
 * Reads a sparse autoencoder; what the folder or file holds decides how: SAELens (`cfg.json` and `sae_weights.safetensors`), Llama Scope
 * (`hyperparams.json` and its checkpoint), Gemma Scope (`params.npz`), Gemma Scope 2 (`params.safetensors` with `config.json`).
 *
 * Tensors are read one after another and turned as they are read: memory is that of the autoencoder in float32 and little more.
 *
 * @throws not-found, io; bad-input for what is damaged; unsupported for pickle files, transcoders and what else cannot be computed
 *   here, by name; aborted
 * @example
 * const sae = await readSae("gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71");
 */
export async function readSae(path: string, options: ReadSaeOptions = {}): Promise<Sae> {
  const layout = await findSaeLayout(path);
  if (!layout) throw await notFound(path);
  if (layout.format === "saelens") return readSaeLens(layout.path, options);
  if (layout.format === "llama-scope") return readLlamaScope(layout.path, options.signal);
  if (layout.format === "gemma-scope") return readGemmaScope(layout.path, options.signal);
  return readGemmaScope2(layout.path, options.signal);
}

/** Says which layout of an autoencoder a folder or file has; undefined if none that is known. @throws io */
export async function findSaeLayout(path: string): Promise<SaeLayout | undefined> {
  for (const [name, format] of marks) {
    const file = basename(path) === name ? path : join(path, name);
    if (await isThere(file)) return { format, path: format.startsWith("gemma") ? file : dirname(file) };
  }
  const isWeights = basename(path) === "sae_weights.safetensors";
  if (isWeights && (await isThere(join(dirname(path), "cfg.json")))) return { format: "saelens", path: dirname(path) };
  if (/\.npz$/i.test(path) && (await isThere(path))) return { format: "gemma-scope", path };
  return undefined;
}

async function notFound(path: string): Promise<TrimtabError> {
  const expected = `an autoencoder: a folder with ${marks.map(([name]) => name).join(", ")}`;
  if (/\.(pt|pth|pkl|bin)$/i.test(path))
    return mismatch("unsupported", path, expected, "a pickle file", {
      hint: "reading a pickle can run any code, so it is never opened; save the tensors as safetensors",
    });
  try {
    if (!(await stat(path)).isDirectory()) return mismatch("bad-input", path, expected, "another file");
    const names = await readdir(path);
    const got = names.slice(0, 6).map((name) => name.slice(0, 40));
    return mismatch("bad-input", path, expected, got.join(", ") || "an empty folder", {
      hint: "name the folder of one autoencoder, such as layer_20/width_16k/average_l0_71",
    });
  } catch (error) {
    return toFileError(error, path, "read");
  }
}
