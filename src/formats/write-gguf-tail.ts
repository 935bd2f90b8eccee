import { TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";
import { formatGgufStart, ggufPadding } from "./format-gguf.ts";
import type { GgufFile, GgufTail } from "./gguf-tail.ts";
import type { GgufValue } from "./gguf-value.ts";
import { type OpenFile, openRegularFile, readExactly } from "./open-regular-file.ts";
import { writeFileAtomic } from "./write-file.ts";

export interface WriteGgufTailOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many of the tail's bytes have been written. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** Bytes copied at a time. */
const pieceBytes = 1 << 24;

/**
 * Makes everything of a tail's file that stands before the numbers: the model's own keys byte for byte but for those that the plan changes,
 * and the list of tensors. `trimtab.tail.layer` says where the model was cut.
 *
 * @throws bad-input, not-found, io
 */
export async function formatGgufTailStart(files: readonly GgufFile[], tail: GgufTail): Promise<Uint8Array> {
  const { path, header } = files[0]!;
  const metadata = new Map<string, GgufValue | Uint8Array>();
  const file = await openRegularFile(path);
  try {
    for (const [key, [start, end]] of header.keyRanges) {
      if (tail.changes.has(key)) continue;
      const bytes = new Uint8Array(end - start);
      await readExactly(file, path, bytes, start);
      metadata.set(key, bytes);
    }
  } catch (error) {
    throw toFileError(error, path, "read");
  } finally {
    await file.handle.close();
  }
  for (const [key, value] of tail.changes) if (value !== undefined) metadata.set(key, value);
  metadata.set("trimtab.tail.layer", { type: "u32", value: tail.layer });
  return formatGgufStart({ metadata, tensors: tail.tensors, alignment: tail.alignment });
}

/**
 * Writes the last blocks of a model as a GGUF file of their own, tensor by tensor, in memory that does not depend on the model, and under
 * its name only once it is whole.
 *
 * @throws io (full disk, no permission), bad-input, not-found, aborted
 */
export async function writeGgufTail(
  outPath: string,
  files: readonly GgufFile[],
  tail: GgufTail,
  { signal, onBytes }: WriteGgufTailOptions = {},
): Promise<void> {
  const open = new Map<string, OpenFile>();
  async function* content(): AsyncGenerator<Uint8Array> {
    yield await formatGgufTailStart(files, tail);
    let done = 0;
    for (const { path, offset, sizeBytes } of tail.tensors) {
      const file = path === undefined ? undefined : (open.get(path) ?? (await openRegularFile(path)));
      if (path !== undefined && file) open.set(path, file);
      for (let at = 0; at < sizeBytes; at += pieceBytes) {
        if (signal?.aborted)
          throw new TrimtabError("aborted", `${outPath}: writing was interrupted`, { cause: signal.reason });
        const bytes = new Uint8Array(Math.min(pieceBytes, sizeBytes - at));
        if (path !== undefined && file) await readExactly(file, path, bytes, offset + at, signal);
        yield bytes;
        done += bytes.length;
        onBytes?.(done, tail.sizeBytes);
      }
      yield ggufPadding(sizeBytes, tail.alignment);
    }
  }
  try {
    await writeFileAtomic(outPath, content(), { signal });
  } finally {
    for (const { handle } of open.values()) await handle.close();
  }
}
