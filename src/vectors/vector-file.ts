import { mismatch, type TrimtabError } from "../errors.ts";
import { toFileError } from "../formats/file-error.ts";
import { type WriteFileOptions, writeFileAtomic } from "../formats/write-file.ts";
import { formatControlVector, readControlVector } from "./control-vector.ts";
import type { SteeringVector } from "./steering-vector.ts";
import { readVectorSafetensors, writeVectorSafetensors } from "./vector-safetensors.ts";

/**
 * Writes a steering vector by the ending of the name: `.safetensors`, or `.gguf` for a control vector that llama.cpp loads.
 *
 * @throws unsupported for another ending, and for layer 0 in a GGUF; io, aborted
 */
export async function writeVector(path: string, vector: SteeringVector, options: WriteFileOptions = {}): Promise<void> {
  const ending = fileEnding(path);
  if (ending === ".safetensors") await writeVectorSafetensors(path, vector, options);
  else if (ending === ".gguf") await writeFileAtomic(path, formatControlVector(vector), options);
  else throw wrongEnding(path, ending);
}

/**
 * Reads a steering vector from a `.safetensors` or `.gguf` file, ours or another program's.
 *
 * @throws unsupported for other endings (pickle files are never opened); not-found, io, bad-input
 */
export async function readVector(path: string): Promise<SteeringVector> {
  const ending = fileEnding(path);
  if (ending !== ".safetensors" && ending !== ".gguf") throw wrongEnding(path, ending);
  try {
    return await (ending === ".gguf" ? readControlVector(path) : readVectorSafetensors(path));
  } catch (error) {
    throw toFileError(error, path, "read");
  }
}

/** Checks before any work is done that a vector can be written under a name, and returns it. @throws unsupported */
export function checkVectorPath(path: string): string {
  const ending = fileEnding(path);
  if (ending !== ".safetensors" && ending !== ".gguf") throw wrongEnding(path, ending);
  return path;
}

function fileEnding(path: string): string {
  return /\.[a-z0-9]+$/i.exec(path)?.[0].toLowerCase() ?? "";
}

const pickles = [".pt", ".pth", ".pkl", ".pickle", ".bin", ".npy", ".npz"];

function wrongEnding(path: string, ending: string): TrimtabError {
  return mismatch("unsupported", path, "a name ending in .safetensors or .gguf", ending || "no ending", {
    hint: pickles.includes(ending)
      ? "such files can hold pickle, and reading that can run any code, so they are never opened; save the tensors as safetensors"
      : undefined,
  });
}
