import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { TrimtabError } from "../errors.ts";

const remembered = new Map<string, string>();

/**
 * sha256 of a model's files, hex: of the one file, or of the parts' digests joined. Remembered in this process by path, size and
 * time of change, because a large model takes minutes to read.
 *
 * @throws io if a file cannot be read
 */
export async function digestFiles(paths: readonly string[]): Promise<string> {
  const digests: string[] = [];
  for (const path of paths) digests.push(await digestFile(path));
  const [only] = digests;
  return digests.length === 1 && only ? only : createHash("sha256").update(digests.join("\n")).digest("hex");
}

/**
 * sha256 of a model with low-rank adapters, hex: of its own digest, and of each adapter's with its scale, in no order. Maps and vectors of
 * the model without them are of another model.
 *
 * @throws io if a file cannot be read
 */
export async function digestAdapted(
  model: string,
  adapters: readonly { readonly path: string; readonly scale: number }[],
): Promise<string> {
  const lines: string[] = [];
  for (const { path, scale } of adapters) lines.push(`lora ${await digestFile(path)} ${scale}`);
  return createHash("sha256")
    .update([model, ...lines.sort()].join("\n"))
    .digest("hex");
}

async function digestFile(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    const key = `${path}\n${size}\n${mtimeMs}`;
    const known = remembered.get(key);
    if (known) return known;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    const digest = hash.digest("hex");
    remembered.set(key, digest);
    return digest;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TrimtabError("io", `${path}: expected to read it for its sha256, got: ${text}`, { cause });
  }
}
