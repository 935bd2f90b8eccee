import { open, readdir, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { mismatch } from "../errors.ts";
import { splitFiles } from "../formats/gguf-split.ts";

/**
 * Turns a path into the model's files, part 1 first: absolute, all there, and each starting as a GGUF file does. Any part of a split
 * model may be named. `~` at the start is `home`.
 *
 * @throws not-found if a file is missing; bad-input if it is a directory, empty or not GGUF; io if it cannot be read
 */
export async function resolveLocalModel(path: string, home: string): Promise<string[]> {
  const expanded = path === "~" || /^~[/\\]/.test(path) ? join(home, path.slice(1)) : path;
  const files = splitFiles(resolve(expanded));
  for (const file of files)
    await checkGguf(file, files.length > 1 ? `${path} (a model of ${files.length} parts)` : path);
  return files;
}

/**
 * Checks that a file exists and starts with the four bytes `GGUF`.
 *
 * @throws not-found, bad-input or io
 */
export async function checkGguf(path: string, where: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR")
      throw mismatch("not-found", where, `the file ${path}`, "nothing there", { hint: hintFor(where), cause });
    throw mismatch("io", where, `to read ${path}`, cause.message, { cause });
  });
  if (found.isDirectory())
    throw mismatch("bad-input", where, "a GGUF file", "a directory", { hint: await listModels(path) });
  if (!found.isFile()) throw mismatch("bad-input", where, "a GGUF file", "something that is not a regular file");
  if (found.size === 0)
    throw mismatch("bad-input", where, "a GGUF file", "an empty file", { hint: "fetch the file again" });
  const magic = await firstBytes(path, where);
  if (magic !== "GGUF")
    throw mismatch("bad-input", where, "a GGUF file", describeBytes(magic), { hint: notGguf(magic, path) });
}

function hintFor(where: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(where) && !where.endsWith(".gguf"))
    return `to fetch it from the Hugging Face Hub write hf:${where}`;
  return "a model is a path, hf:owner/repo/file.gguf, hf:owner/repo:Q4_K_M or demo:xs|s|m|xs1k";
}

async function listModels(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith(".gguf")).sort();
  if (names.length === 0) return `there is no .gguf file in ${basename(folder) || folder}; name the model's file`;
  return `name one of its files: ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
}

async function firstBytes(path: string, where: string): Promise<string> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } catch (cause) {
    throw mismatch("io", where, "to read the file", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function describeBytes(magic: string): string {
  if (magic === "FUGG") return "a big-endian GGUF file";
  return `a file that starts with ${JSON.stringify(magic)}`;
}

/** What files that are not models are for, by their ending. */
const uses: Readonly<Record<string, string>> = {
  ".jsonl": "a .jsonl file is text or contrast pairs: for trimtab vector --pairs, or --corpus of fit",
  ".json":
    "a .json file is no model: a run's results are shown by trimtab report FOLDER, pairs are read by trimtab vector --pairs",
  ".csv": "a .csv file may hold contrast pairs: for trimtab vector --pairs",
  ".txt": "a .txt file is text: for --corpus of trimtab fit",
  ".gz": "a packed file is read as text or pairs by --corpus and --pairs; a model must be unpacked",
  ".svg": "a .svg file is a drawing: open it in a browser",
  ".html": "a .html file is a page: open it in a browser",
  ".yaml": "a .yaml file may be a recipe: for trimtab reproduce",
  ".yml": "a .yml file may be a recipe: for trimtab reproduce",
};

function notGguf(magic: string, path: string): string {
  const use = uses[extname(path).toLowerCase()];
  if (use !== undefined) return use;
  if (magic === "vers")
    return "this is a Git LFS pointer; run `git lfs pull`, or fetch it with hf:owner/repo/file.gguf";
  if (magic === "lmgg" || magic === "tjgg" || magic === "algg")
    return "this is GGML, the format before GGUF; fetch a newer file";
  if (magic.startsWith("<"))
    return "this looks like a web page; fetch the file itself, for instance with hf:owner/repo/file.gguf";
  return "convert the model with llama.cpp's convert_hf_to_gguf.py";
}
