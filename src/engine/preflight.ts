import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TrimtabError } from "../errors.ts";
import { writeFileAtomic } from "../formats/write-file.ts";
import type { NativeOpenOptions } from "./native/native-model.ts";

// A file made to harm, or a fault of the engine, can end the whole process from native code, where nothing can be caught.
// So a file that was never opened before is opened once in a process of its own; that it survived is remembered.

const script = fileURLToPath(new URL("./native/preflight-main.js", import.meta.url));
// Loading is a matter of seconds for small files; a slow disk reads a gigabyte in well under a minute.
const baseMs = 120_000;
const perGigabyteMs = 60_000;

/** Folder where Trimtab remembers what it learned of files: `$XDG_CACHE_HOME/trimtab`, else `~/.cache/trimtab`. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env["TRIMTAB_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "trimtab");
}

/**
 * Opens a model in a child process, unless this very file (path, size, time of change) passed before with these libraries.
 *
 * @throws bad-input if the engine crashes or hangs on it, with its last words
 */
export async function preflight(options: NativeOpenOptions, files: readonly string[]): Promise<void> {
  const parts = await Promise.all(files.map((file) => stat(file)));
  const identity = files.map((file, i) => `${file}\n${parts[i]!.size}\n${parts[i]!.mtimeMs}`).join("\n");
  const key = createHash("sha256").update(`${options.library.folder}\n${identity}`).digest("hex");
  const record = join(cacheFolder(), "preflight", key);
  if (await exists(record)) return;
  const sizeBytes = parts.reduce((total, { size }) => total + size, 0);
  await openInChild(options, Math.ceil(baseMs + (sizeBytes / 2 ** 30) * perGigabyteMs));
  try {
    await mkdir(join(cacheFolder(), "preflight"), { recursive: true });
    await writeFileAtomic(record, new TextEncoder().encode(`${identity}\n`));
  } catch (thrown) {
    // A cache that cannot be written costs time at the next open, nothing else.
    if (!(thrown instanceof Error)) throw thrown;
  }
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

function openInChild(options: NativeOpenOptions, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [script, JSON.stringify(options)],
      { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 1 << 24 },
      (failure, _out, errors) => {
        // A refusal in words (exit 1) comes again, in words, when the model is opened here.
        if (!failure || failure.code === 1) resolve();
        else reject(crash(options.path, failure.killed === true, failure.signal ?? `exit ${failure.code}`, errors));
      },
    );
    child.stdin?.end();
  });
}

function crash(path: string, isTimeout: boolean, signal: string, errors: string): TrimtabError {
  const words = errors
    .split("\n")
    .find((line) => /ASSERT|error|failed/i.test(line))
    ?.replace(/^.*?(?=GGML_ASSERT)/, "");
  const what = isTimeout ? "no answer" : `a crash (${signal}${words ? `: ${words.trim()}` : ""})`;
  return new TrimtabError("bad-input", `${path}: expected a model that the engine can run, got ${what}`, {
    hint: "the file is damaged or made for another release of llama.cpp; fetch or convert it again",
  });
}
