import { mismatch, TrimtabError } from "../errors.ts";
import { toFileError } from "./file-error.ts";
import type { GgufHeader } from "./gguf.ts";
import { halvesToFloats } from "./half.ts";
import { checkLittleEndian } from "./little-endian.ts";
import { openRegularFile, readExactly } from "./open-regular-file.ts";

/** Direction vectors and test tensors are small; a whole weight matrix of a large model would fill the memory. */
const maxTensorBytes = 2 ** 31;

/**
 * Reads the numbers of one F32 or F16 tensor of a GGUF file as floats, in file order (first dimension fastest).
 *
 * @throws not-found if there is no such tensor; unsupported for other types or more than 2 GiB; bad-input, io
 */
export async function readGgufTensor(path: string, header: GgufHeader, name: string): Promise<Float32Array> {
  checkLittleEndian();
  const info = header.tensors.find((tensor) => tensor.name === name);
  if (!info) throw new TrimtabError("not-found", `${path}: no tensor ${JSON.stringify(name)}`);
  const where = `${path}: tensor ${JSON.stringify(name)}`;
  if (info.typeName !== "F32" && info.typeName !== "F16")
    throw mismatch("unsupported", where, "type F32 or F16", info.typeName);
  if (info.sizeBytes > maxTensorBytes)
    throw mismatch("unsupported", where, `at most ${maxTensorBytes} bytes`, String(info.sizeBytes));
  const file = await openRegularFile(path);
  try {
    const bytes = new Uint8Array(info.sizeBytes);
    await readExactly(file, path, bytes, header.dataOffset + info.offset);
    return info.typeName === "F32" ? new Float32Array(bytes.buffer) : halvesToFloats(bytes);
  } catch (error) {
    throw toFileError(error, path, "read");
  } finally {
    await file.handle.close();
  }
}
