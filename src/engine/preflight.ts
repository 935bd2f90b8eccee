import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TrimtabError } from "../errors.ts";
import { writeFileAtomic } from "../formats/write-file.ts";
import { type EngineLibrary, libraryFile } from "./library.ts";
import type { NativeOpenOptions } from "./native/native-model.ts";

// A file made to harm, or a fault of the engine, can end the whole process from native code, where nothing can be caught.
// So a file that was never opened before is opened once in a process of its own; that it survived is remembered.

const script = fileURLToPath(new URL("./native/preflight-main.js", import.meta.url));
// Loading is a matter of seconds for small files; a slow disk reads a gigabyte in well under a minute.
const baseMs = 120_000;
const perGigabyteMs = 60_000;

/**
 * Folder where Trimtab remembers what it learned of files: `$TRIMTAB_CACHE`, `$XDG_CACHE_HOME/trimtab` or `~/.cache/trimtab`; undefined, and
 * nothing is remembered, if that is not an absolute path.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const folder = env["TRIMTAB_CACHE"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "trimtab");
  return isAbsolute(folder) ? folder : undefined;
}

/**
 * Opens a model in a child process, unless these very files passed before with these very libraries: same place, size, inode and times.
 *
 * @throws bad-input if the engine crashes or hangs on it, with its last words; aborted
 */
export async function preflight(
  options: NativeOpenOptions,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // The last blocks alone are another model than the whole.
  const cut = options.tail ? [`after ${options.tail.layer}`] : [];
  const identity = [await identifyFiles(options.library, files), ...cut].join("\n");
  const folder = cacheFolder();
  const record = folder && join(folder, "preflight", createHash("sha256").update(identity).digest("hex"));
  if (record && (await exists(record))) return;
  const sizes = await Promise.all(files.map((file) => stat(file)));
  const gigabytes = sizes.reduce((total, { size }) => total + size, 0) / 2 ** 30;
  await openInChild(options, Math.ceil(baseMs + gigabytes * perGigabyteMs), signal);
  if (!record) return;
  try {
    await makeFolders(dirname(record));
    await writeFileAtomic(record, new TextEncoder().encode(`${identity}\n`));
  } catch (thrown) {
    // A cache that cannot be written costs time at the next open, nothing else.
    if (!(thrown instanceof Error)) throw thrown;
  }
}

/** What changes when one of the files or of the engine's libraries is replaced. */
export async function identifyFiles({ folder }: EngineLibrary, files: readonly string[]): Promise<string> {
  const libraries = (["llama", "ggml", "ggml-base"] as const).map((stem) => libraryFile(folder, stem));
  return (await Promise.all([...libraries, ...files].map(identify))).join("\n");
}

/** What changes when a file is replaced, even by one of the same size whose time was set back: the inode and the time of change. */
async function identify(path: string): Promise<string> {
  const place = await realpath(path);
  const { size, mtimeMs, ctimeMs, ino } = await stat(place);
  return [place, size, mtimeMs, ctimeMs, ino].join("\t");
}

/** Like `mkdir -p`. Node's own, `recursive: true`, never returns where folders cannot be made, under /proc for one. */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw thrown;
    await makeFolders(dirname(path));
    await mkdir(path);
  }
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

function openInChild(options: NativeOpenOptions, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  const opened = [options.path, ...(options.lora ?? []).map(({ path }) => path)].join(" with ");
  return new Promise((resolve, reject) => {
    // Its stdin stays open as long as this process lives: when it ends, the child ends too.
    execFile(
      process.execPath,
      [script, JSON.stringify(options)],
      { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 1 << 24, ...(signal && { signal }) },
      (failure, _out, errors) => {
        // A refusal in words (exit 1) comes again, in words, when the model is opened here.
        if (signal?.aborted) reject(new TrimtabError("aborted", "interrupted", { cause: signal.reason }));
        else if (!failure || failure.code === 1) resolve();
        else reject(crash(opened, failure.killed === true, failure.signal ?? `exit ${failure.code}`, errors));
      },
    );
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
