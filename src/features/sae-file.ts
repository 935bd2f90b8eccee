import { stat } from "node:fs/promises";
import { join } from "node:path";
import { mismatch } from "../errors.ts";
import { toFileError } from "../formats/file-error.ts";
import { readSaeLens } from "./read-saelens.ts";
import type { Sae } from "./sae.ts";

export { writeSae } from "./write-saelens.ts";

/**
 * Reads a sparse autoencoder; what the folder or file holds decides how.
 *
 * @throws not-found, io; bad-input for what is damaged; unsupported for what cannot be computed here, by name
 */
export async function readSae(path: string): Promise<Sae> {
  if (await isThere(join(path, "cfg.json"))) return readSaeLens(path);
  throw mismatch("bad-input", path, "a folder with cfg.json and sae_weights.safetensors", "none of them");
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return false;
    throw toFileError(error, path, "read");
  }
}
