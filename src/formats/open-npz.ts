import { crc32 } from "node:zlib";
import { type Entry, fromFdPromise, type ZipFile } from "yauzl";
import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";
import type { LazyTensor, TensorFile } from "./lazy-tensor.ts";
import { checkLittleEndian } from "./little-endian.ts";
import { type NpyHeader, parseNpyHeader, parseNpyStart } from "./npy-header.ts";
import { openRegularFile } from "./open-regular-file.ts";

/** Archives of weights have a handful of arrays. */
const maxEntries = 4096;
/** What deflate can expand to at most; an entry that promises more is a trap. */
const maxExpansion = 1032;
/** Trained weights hardly shrink; where a small file would fill the memory, it holds something else. Small arrays may be all zeros. */
const maxLargeExpansion = 32;
const largeBytes = 2 ** 26;

/**
 * Opens a `.npz` file: a ZIP archive of `.npy` arrays, stored or deflated. Headers are read now, numbers when they are asked for, and their
 * checksum is compared then.
 *
 * @throws not-found, io; bad-input if archive or headers are not sound; unsupported for encrypted entries and arrays of objects (pickle)
 * @see https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 */
export async function openNpz(path: string): Promise<TensorFile> {
  checkLittleEndian();
  const file = await openRegularFile(path);
  try {
    const zip = await unzip(path, () => fromFdPromise(file.handle.fd, { lazyEntries: true, autoClose: false }));
    if (zip.entryCount > maxEntries)
      throw mismatch("bad-input", path, `at most ${maxEntries} arrays`, String(zip.entryCount));
    const tensors = new Map<string, LazyTensor>();
    for (const entry of await unzip(path, () => listEntries(zip))) {
      if (!entry.fileName.endsWith(".npy"))
        throw mismatch(
          "bad-input",
          path,
          "an archive of .npy arrays",
          `an entry ${JSON.stringify(entry.fileName.slice(0, 60))}`,
          {
            hint: "a .pt file of PyTorch is a ZIP archive too, with pickle inside; such files are never opened",
          },
        );
      const name = entry.fileName.slice(0, -4);
      if (tensors.has(name)) throw mismatch("bad-input", path, "each array once", `${name} twice`);
      tensors.set(name, await toLazy(zip, entry, { name, path, sizeBytes: file.sizeBytes }));
    }
    return { path, tensors, [Symbol.asyncDispose]: () => file.handle.close() };
  } catch (error) {
    await file.handle.close();
    throw toFileError(error, path, "read");
  }
}

async function listEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  return entries;
}

async function toLazy(
  zip: ZipFile,
  entry: Entry,
  { name, path, sizeBytes }: { readonly name: string; readonly path: string; readonly sizeBytes: number },
): Promise<LazyTensor> {
  checkEntry(entry, path, sizeBytes);
  const header = await readHeader(zip, entry, path);
  const { dtype, shape, isColumnMajor, dataOffset, size } = header;
  const bytes = shape.reduce((a, b) => a * b, size);
  if (dataOffset + bytes !== entry.uncompressedSize)
    throw mismatch(
      "bad-input",
      `${path}: ${name}`,
      `${dataOffset + bytes} bytes for [${shape.join(", ")}]`,
      `${entry.uncompressedSize}`,
    );
  async function* chunks(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    let skip = dataOffset;
    let sum = 0;
    for await (const chunk of read(zip, entry, path)) {
      if (signal?.aborted)
        throw new TrimtabError("aborted", `${path}: reading was interrupted`, { cause: signal.reason });
      sum = crc32(chunk, sum);
      const used = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - used.length;
      if (used.length > 0) yield used;
    }
    if (sum !== entry.crc32)
      throw mismatch("bad-input", `${path}: ${name}`, "the bytes of its checksum", "others", {
        hint: "the file is damaged; copy it again",
      });
  }
  return { name, dtype, shape, isColumnMajor, chunks };
}

function checkEntry(entry: Entry, path: string, sizeBytes: number): void {
  const where = `${path}: ${entry.fileName.slice(0, 60)}`;
  if (!entry.canDecodeFileData())
    throw mismatch(
      "unsupported",
      where,
      "a stored or deflated entry",
      entry.isEncrypted() ? "an encrypted one" : "another",
    );
  if (entry.compressedSize > sizeBytes)
    throw mismatch("bad-input", where, `at most ${sizeBytes} bytes, the size of the file`, `${entry.compressedSize}`);
  const expansion = entry.uncompressedSize > largeBytes ? maxLargeExpansion : maxExpansion;
  if (entry.uncompressedSize > entry.compressedSize * expansion + 64)
    throw mismatch(
      "bad-input",
      where,
      `at most ${expansion} times ${entry.compressedSize} bytes`,
      `${entry.uncompressedSize}`,
    );
}

async function readHeader(zip: ZipFile, entry: Entry, path: string): Promise<NpyHeader> {
  let start = Buffer.alloc(0);
  for await (const chunk of read(zip, entry, path)) {
    start = Buffer.concat([start, chunk]);
    if (start.length >= 12 && start.length >= parseNpyStart(start).dataOffset) break;
  }
  try {
    return parseNpyHeader(start);
  } catch (error) {
    throw toFileError(error, `${path}: ${entry.fileName.slice(0, 60)}`, "read");
  }
}

async function* read(zip: ZipFile, entry: Entry, path: string): AsyncGenerator<Uint8Array, void, void> {
  const stream = await unzip(path, () => zip.openReadStreamPromise(entry));
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw toZipError(error, path);
  } finally {
    stream.destroy();
  }
}

async function unzip<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toZipError(error, path);
  }
}

/** The library reports damage as plain errors in words; errors of the disk carry a code of the operating system. */
function toZipError(error: unknown, path: string): TrimtabError {
  const isOfDisk = error instanceof Error && "code" in error && /^E[A-Z]+$/.test(String(error.code));
  if (error instanceof TrimtabError || isOfDisk || !(error instanceof Error)) return toFileError(error, path, "read");
  return mismatch("bad-input", path, "a sound ZIP archive", error.message.slice(0, 200), {
    hint: "the file is cut short or damaged; copy it again",
    cause: error,
  });
}
