import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { mismatch, TrimtabError } from "../errors.ts";
import { errorCode } from "./hub-cache.ts";
import { claimPartial, keepAlive, removeAbandoned } from "./hub-partial.ts";
import { type HubRequestOptions, lostConnection, requestHub } from "./hub-request.ts";
import { checkNotAborted, markTransient, retry } from "./retry.ts";

/** A file of a repository as the hub describes it. */
export interface RemoteFile {
  /** Path inside the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** sha256 of a large file, or git's own object id of a small one. It is also the blob's name in the cache. */
  readonly digest: { readonly kind: "sha256" | "git"; readonly hex: string };
}

/** Where a download stands. `wait`: another process is fetching the same file; `check`: the digest is being computed. */
export interface DownloadProgress {
  readonly phase: "download" | "check" | "wait";
  readonly file: string;
  /** 1-based among the files of the model. */
  readonly part: number;
  readonly parts: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions extends HubRequestOptions {
  readonly attempts: number;
  readonly pauseMs: number;
  readonly onProgress?: ((phase: DownloadProgress["phase"], doneBytes: number) => void) | undefined;
  readonly now: () => Date;
  readonly onRetry?: ((error: TrimtabError, pauseMs: number) => void) | undefined;
}

/**
 * Fetches a file into the cache's blob and checks it: continues what an earlier try left, retries what the network lost, compares
 * size and digest of what is on the disk, and only then gives the blob its name.
 *
 * `@huggingface/hub` has `downloadFileToCacheDir`, which begins every file anew, accepts a truncated body, checks no digest, writes no
 * `refs` and lets two processes write to one file; hence this, over the library's descriptions of repository and files.
 *
 * @throws network when the tries are used up or the digest is wrong twice; io when the disk is full (the partial file is kept);
 *   unauthorized; not-found; aborted (the partial file is kept)
 */
export async function downloadBlob(
  url: string,
  file: RemoteFile,
  blob: string,
  options: DownloadOptions,
): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  const { signal, onProgress } = options;
  const partial = await claimPartial(blob, { signal, onWait: () => onProgress?.("wait", 0) });
  if (partial === undefined) return;
  const stop = keepAlive(partial.path, options.now);
  try {
    await fillAndCheck(url, file, partial.path, options);
    await rename(partial.path, blob);
  } catch (error) {
    await partial.release();
    throw error instanceof TrimtabError ? error : diskError(error, file, options.where, partial.path);
  } finally {
    stop();
  }
  await removeAbandoned(blob);
}

async function fillAndCheck(url: string, file: RemoteFile, path: string, options: DownloadOptions): Promise<void> {
  await using handle = await open(path, "r+");
  await checkSpace(handle, file, path, options.where);
  for (let tries = 1; ; tries += 1) {
    await retry((progressed) => fill(handle, url, file, options, progressed), options);
    const hex = await digestOf(handle, file, options);
    if (hex === file.digest.hex) break;
    await handle.truncate(0);
    if (tries === 2)
      throw mismatch("network", options.where, `${file.digest.kind} ${file.digest.hex}`, `${hex}, twice`, {
        hint: "what the server sends is not what the repository lists; check HF_ENDPOINT and any proxy",
      });
  }
  // The name must never outlive the bytes, not even over a power cut.
  await handle.sync();
}

async function fill(
  handle: FileHandle,
  url: string,
  file: RemoteFile,
  options: DownloadOptions,
  progressed: () => void,
): Promise<void> {
  let offset = (await handle.stat()).size;
  if (offset > file.sizeBytes) offset = await restart(handle);
  if (offset === file.sizeBytes) return;
  const stall = new AbortController();
  const headers = { "Accept-Encoding": "identity", ...(offset > 0 && { Range: `bytes=${offset}-` }) };
  const response = await requestHub(url, { headers, signal: stall.signal }, options);
  if (response.status === 416 || (response.status === 206 && !startsAt(response, offset))) {
    await response.body?.cancel();
    await restart(handle);
    throw markTransient(mismatch("network", options.where, `bytes from ${offset}`, "another range"), 0);
  }
  if (response.status !== 206) offset = await restart(handle);
  const timer = setTimeout(
    () => stall.abort(new Error(`nothing arrived for ${options.stallMs / 1000} s`)),
    options.stallMs,
  );
  try {
    for await (const chunk of chunksOf(response, url, options)) {
      timer.refresh();
      checkNotAborted(options.signal);
      if (offset + chunk.length > file.sizeBytes) {
        await restart(handle);
        throw mismatch("network", options.where, `${file.sizeBytes} bytes`, "more than that", {
          hint: "what the server sends is not what the repository lists; check HF_ENDPOINT and any proxy",
        });
      }
      await writeAll(handle, chunk, offset);
      offset += chunk.length;
      progressed();
      options.onProgress?.("download", offset);
    }
  } finally {
    clearTimeout(timer);
  }
  if (offset < file.sizeBytes)
    throw markTransient(
      mismatch("network", options.where, `${file.sizeBytes} bytes`, `a body that ended after ${offset}`, {
        hint: "try again; what was fetched so far is kept",
      }),
    );
}

async function* chunksOf(response: Response, url: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const read = await reader.read().catch((cause: unknown) => {
        checkNotAborted(options.signal);
        throw markTransient(lostConnection(options, url, cause));
      });
      if (read.done) return;
      yield read.value;
    }
  } finally {
    // The connection may be broken already, in which case there is nothing to close.
    await reader.cancel().catch(() => undefined);
  }
}

/** Writes the whole chunk: a single write may take only part of it, as it does when the disk fills up. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, offset + done);
    done += bytesWritten;
  }
}

async function restart(handle: FileHandle): Promise<0> {
  await handle.truncate(0);
  return 0;
}

function startsAt(response: Response, offset: number): boolean {
  return /^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "")?.[1] === String(offset);
}

// Read back from the disk rather than hashed on the way: only so is a partial file from an earlier try checked too.
async function digestOf(handle: FileHandle, file: RemoteFile, options: DownloadOptions): Promise<string> {
  const hash = createHash(file.digest.kind === "sha256" ? "sha256" : "sha1");
  if (file.digest.kind === "git") hash.update(`blob ${file.sizeBytes}\0`);
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let offset = 0; ; ) {
    checkNotAborted(options.signal);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
    options.onProgress?.("check", offset);
  }
}

async function checkSpace(handle: FileHandle, file: RemoteFile, path: string, where: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const missing = file.sizeBytes - (await handle.stat()).size;
  if (missing > bavail * bsize)
    throw mismatch("io", where, `${megabytes(missing)} free in ${dirname(path)}`, megabytes(bavail * bsize), {
      hint: fullDiskHint,
    });
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
const fullDiskHint = "free some space, or set HF_HOME to a folder on a larger disk";

/** The error for what the disk refused. */
export function diskError(cause: unknown, file: RemoteFile, where: string, path: string): TrimtabError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(cause));
  return mismatch(
    "io",
    where,
    `to write ${megabytes(file.sizeBytes)} to ${dirname(path)}`,
    full ? "a full disk" : text,
    {
      hint: full ? `${fullDiskHint}; what was fetched so far is kept` : "set HF_HOME to a folder that can be written",
      cause,
    },
  );
}
