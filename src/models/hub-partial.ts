import { open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./hub-cache.ts";
import { checkNotAborted } from "./retry.ts";

/** A partly fetched file that only this caller writes. */
export interface Partial {
  readonly path: string;
  /** Leaves the bytes for the next caller to go on with; an empty file is removed. */
  release(): Promise<void>;
}

export interface PartialOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called while another process is fetching the same file. */
  readonly onWait?: (() => void) | undefined;
  /** Time between two looks at the folder while waiting. */
  readonly pollMs?: number;
}

// Looks without any change after which whoever wrote is taken to be stopped: a minute of the default pollMs.
const stillLooks = 300;
const heartbeatMs = 5_000;
let counter = 0;

/**
 * Claims the partial file of a blob, or makes an empty one; undefined if another process finished the blob meanwhile.
 *
 * There is no lock that could be left behind. The file's name says who owns it (`<digest>.trimtab-<host>~<pid>~<n>.incomplete`), and
 * a claim is a rename, of which only one can succeed. A released partial, or one whose process is gone, is claimed and gone on with;
 * while its process lives and writes, others wait for the blob. If that process stands still, a second file is begun. Python's
 * `<digest>.incomplete` is left alone: it is guarded by a lock that Node cannot take.
 */
export async function claimPartial(blob: string, options: PartialOptions = {}): Promise<Partial | undefined> {
  const { signal, onWait, pollMs = 200 } = options;
  const own = join(dirname(blob), `${basename(blob)}.trimtab-${hostName}~${process.pid}~${counter++}.incomplete`);
  const seen = new Map<string, { mark: string; looks: number }>();
  for (;;) {
    checkNotAborted(signal);
    if (await sizeOf(blob)) return undefined;
    const others = await listOthers(blob, own);
    for (const other of others) {
      const before = seen.get(other.name);
      seen.set(other.name, { mark: other.mark, looks: before?.mark === other.mark ? before.looks + 1 : 0 });
    }
    const still = (name: string) => (seen.get(name)?.looks ?? 0) >= stillLooks;
    const free = others.filter((other) => other.owner === "none" || (other.owner === "unknown" && still(other.name)));
    if ((await sizeOf(own)) === undefined) await claimOrCreate(own, free);
    const size = (await sizeOf(own)) ?? 0;
    // Both may have begun at the same moment: the one with more bytes goes on, of equals the first by name.
    const ahead = others.some(
      (other) =>
        !free.includes(other) &&
        !still(other.name) &&
        (other.size > size || (other.size === size && other.name < basename(own))),
    );
    if (!ahead) return { path: own, release: () => release(own, blob) };
    await release(own, blob);
    onWait?.();
    await sleep(pollMs, undefined, { signal }).catch(() => checkNotAborted(signal));
  }
}

/** Keeps the file's time fresh while nothing arrives, so that waiting processes see that its owner lives. Call the result to stop. */
export function keepAlive(path: string, now: () => Date): () => void {
  const timer = setInterval(() => {
    const time = now();
    // If the file is gone the next write says so.
    utimes(path, time, time).catch(() => clearInterval(timer));
  }, heartbeatMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Removes what earlier, abandoned tries left of a blob that is now complete. */
export async function removeAbandoned(blob: string): Promise<void> {
  for (const other of await listOthers(blob, ""))
    if (other.owner === "none") await rm(join(dirname(blob), other.name), { force: true });
}

const hostName = hostname().replaceAll(/[^A-Za-z0-9.-]/g, "_");

interface Other {
  readonly name: string;
  readonly size: number;
  /** Changes whenever the file is written or touched. */
  readonly mark: string;
  /** `none`: nobody writes it · `live`: its process runs here · `unknown`: its process is on another machine. */
  readonly owner: "none" | "live" | "unknown";
}

async function listOthers(blob: string, own: string): Promise<Other[]> {
  const folder = dirname(blob);
  const names = (await readdir(folder)).filter(
    (name) =>
      name.startsWith(`${basename(blob)}.trimtab`) && name.endsWith(".incomplete") && join(folder, name) !== own,
  );
  const others: Other[] = [];
  for (const name of names) {
    const found = await statOrUndefined(join(folder, name));
    if (found) others.push({ name, size: found.size, mark: `${found.size} ${found.mtimeMs}`, owner: ownerOf(name) });
  }
  return others.sort((a, b) => b.size - a.size);
}

function ownerOf(name: string): Other["owner"] {
  const [, host, pid] = /\.trimtab-(.*)~(\d+)~\d+\.incomplete$/.exec(name) ?? [];
  if (host === undefined || pid === undefined) return "none";
  if (host !== hostName) return "unknown";
  try {
    process.kill(Number(pid), 0);
    return "live";
  } catch (error) {
    return errorCode(error) === "ESRCH" ? "none" : "live";
  }
}

async function claimOrCreate(own: string, free: readonly Other[]): Promise<void> {
  for (const { name } of free) {
    try {
      await rename(join(dirname(own), name), own);
      return;
    } catch (error) {
      // Another process was first; try the next one.
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
  await (await open(own, "wx")).close();
}

async function release(own: string, blob: string): Promise<void> {
  if (await sizeOf(own)) await rename(own, join(dirname(blob), `${basename(blob)}.trimtab.incomplete`));
  else await rm(own, { force: true });
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await statOrUndefined(path))?.size;
}

async function statOrUndefined(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
