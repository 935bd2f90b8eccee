import { toFileError } from "./file-error.ts";
import type { LazyTensor, TensorFile } from "./lazy-tensor.ts";
import { checkLittleEndian } from "./little-endian.ts";
import { type OpenFile, openRegularFile, readExactly } from "./open-regular-file.ts";
import { readSafetensorsHeaderOf } from "./safetensors.ts";
import type { SafetensorsInfo } from "./safetensors-header.ts";

/** Bytes read at a time: large enough that a call costs nothing beside the reading. */
const chunkBytes = 2 ** 22;

/** A safetensors file that is open: its header was read, its tensors are read one by one. */
export interface OpenSafetensors extends TensorFile {
  readonly metadata: ReadonlyMap<string, string>;
}

/** Opens a safetensors file whose tensors are too large to hold all at once. @throws as `readSafetensors` */
export async function openSafetensors(path: string): Promise<OpenSafetensors> {
  checkLittleEndian();
  const file = await openRegularFile(path);
  try {
    const { metadata, tensors, dataOffset } = await readSafetensorsHeaderOf(file, path);
    return {
      path,
      metadata,
      tensors: new Map(tensors.map((info) => [info.name, toLazy(file, path, info, dataOffset)])),
      [Symbol.asyncDispose]: () => file.handle.close(),
    };
  } catch (error) {
    await file.handle.close();
    throw toFileError(error, path, "read");
  }
}

function toLazy(file: OpenFile, path: string, info: SafetensorsInfo, dataOffset: number): LazyTensor {
  const { name, dtype, shape, begin, end } = info;
  async function* chunks(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const buffer = new Uint8Array(Math.min(chunkBytes, end - begin));
    for (let at = begin; at < end; at += buffer.length) {
      const part = buffer.subarray(0, Math.min(buffer.length, end - at));
      await readExactly(file, path, part, dataOffset + at, signal);
      yield part;
    }
  }
  return { name, dtype, shape, isColumnMajor: false, chunks };
}
