import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";

/** A file open for reading at any offset. Close the handle. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

/**
 * Opens an ordinary file for reading; folders, devices and pipes are refused by name (a pipe could block for ever).
 *
 * @throws not-found, bad-input (not an ordinary file), io
 */
export async function openRegularFile(path: string): Promise<OpenFile> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer. Windows has no such flag.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw toFileError(error, path, "read");
  }
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw mismatch("bad-input", path, "a file", "a folder", { hint: "name a file in it" });
    if (!stat.isFile()) throw mismatch("bad-input", path, "an ordinary file", "a device or pipe");
    return { handle, sizeBytes: stat.size };
  } catch (error) {
    await handle.close();
    throw toFileError(error, path, "read");
  }
}

/** Reads `target.byteLength` bytes at `offset` into `target`. @throws bad-input if the file ends before */
export async function readExactly(
  file: OpenFile,
  path: string,
  target: Uint8Array,
  offset: number,
  signal?: AbortSignal,
): Promise<void> {
  const step = 1 << 26; // one read call takes less than 2 GiB; 64 MiB also lets an abort through soon
  for (let done = 0; done < target.byteLength; ) {
    if (signal?.aborted)
      throw new TrimtabError("aborted", `${path}: reading was interrupted`, { cause: signal.reason });
    const length = Math.min(step, target.byteLength - done);
    const { bytesRead } = await file.handle.read(target, done, length, offset + done);
    if (bytesRead === 0)
      throw mismatch(
        "bad-input",
        path,
        `${offset + target.byteLength} bytes`,
        `a file that ends at byte ${offset + done}`,
        { hint: "the file is cut short or was changed while it was read" },
      );
    done += bytesRead;
  }
}
