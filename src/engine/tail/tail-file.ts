import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { mismatch, TrimtabError } from "../../errors.ts";
import { readGgufHeader } from "../../formats/gguf.ts";
import { type GgufFile, planGgufTail } from "../../formats/gguf-tail.ts";
import { ggufNumber } from "../../formats/gguf-value.ts";
import { writeGgufTail } from "../../formats/write-gguf-tail.ts";
import { digestFiles } from "../file-digest.ts";
import { cacheFolder } from "../preflight.ts";

export interface TailFileOptions {
  /** Where to write; default a name made of the model's digest and the cut in `<cache>/tails`. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told before anything is written: where, and how many bytes. */
  readonly onWrite?: ((path: string, sizeBytes: number) => void) | undefined;
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** Room that is left on a disk beside what is written to it. */
const spareBytes = 2 ** 26;

/**
 * Finds or writes the file of the blocks after `layer`. A file that is there is taken if it is a whole GGUF file of that cut and of the
 * size that the plan says; under the default name it carries the model's digest, so that it is of that model.
 *
 * @returns its path
 * @throws io if the disk has no room for it, or it cannot be written; bad-input if another file stands under the name; unsupported; aborted
 */
export async function provideTailFile(
  files: readonly string[],
  layer: number,
  { path: asked, signal, onWrite, onBytes }: TailFileOptions,
): Promise<string> {
  const read: GgufFile[] = await Promise.all(files.map(async (path) => ({ path, header: await readGgufHeader(path) })));
  const tail = planGgufTail(read, layer);
  const path = asked ?? (await defaultPath(files, layer));
  if (files.some((file) => resolve(file) === resolve(path)))
    throw mismatch("bad-input", path, "another file than the model itself", "the same");
  const there = await stat(path).catch(() => undefined);
  if (there) {
    const header = await readGgufHeader(path);
    const bytes = header.tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (ggufNumber(header, "trimtab.tail.layer") === layer && bytes === tail.sizeBytes) return path;
    throw mismatch("bad-input", path, `no file, or the blocks after ${layer} of ${files[0]}`, "another file", {
      hint: "name another path, or remove it",
    });
  }
  const folder = dirname(path);
  if (asked === undefined) await mkdir(folder, { recursive: true });
  const free = await freeOn(folder);
  if (free !== undefined && free < tail.sizeBytes + spareBytes)
    throw new TrimtabError(
      "io",
      `${folder}: expected ${gigabytes(tail.sizeBytes)} of free disk for the blocks after ${layer}, got ${gigabytes(free)}`,
      { hint: "run the tail from memory, which writes nothing, or name a place on another disk" },
    );
  onWrite?.(path, tail.sizeBytes);
  await writeGgufTail(path, read, tail, { signal, onBytes });
  return path;
}

/** Removes a tail's file. */
export async function removeTailFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

async function defaultPath(files: readonly string[], layer: number): Promise<string> {
  const folder = cacheFolder();
  if (folder === undefined)
    throw mismatch("io", "tail file", "a cache folder", "none", { hint: "name a path, or set TRIMTAB_CACHE" });
  return join(folder, "tails", `${(await digestFiles(files)).slice(0, 32)}-after-${layer}.gguf`);
}

/** Bytes free for this user; undefined where the system does not say. */
async function freeOn(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT")
      throw mismatch("io", folder, "a folder that is there", "none", { hint: `mkdir -p ${folder}`, cause });
    return undefined;
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
