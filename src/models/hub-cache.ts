import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

// The layout is that of Python's huggingface_hub, so that either finds what the other fetched:
//   models--owner--repo/refs/main                        the commit that `main` was when last asked
//   models--owner--repo/blobs/<sha256>                   the bytes
//   models--owner--repo/snapshots/<commit>/dir/a.gguf    a relative link to them

const commitPattern = /^[0-9a-f]{40}$/;

/** A full commit id, which names the same bytes for ever. */
export function isCommit(revision: string): boolean {
  return commitPattern.test(revision);
}

/** The repository's folder in the cache. */
export function repositoryFolder(cacheDir: string, repo: string): string {
  return join(cacheDir, `models--${repo.replace("/", "--")}`);
}

/** Where the bytes with this digest are kept. */
export function blobPath(cacheDir: string, repo: string, digest: string): string {
  return join(repositoryFolder(cacheDir, repo), "blobs", digest);
}

/** Path of a file in a snapshot. */
export function snapshotPath(cacheDir: string, repo: string, commit: string, file: string): string {
  return join(repositoryFolder(cacheDir, repo), "snapshots", commit, ...file.split("/"));
}

/** The commit that a revision was when last asked, undefined if it never was. */
export async function readCommit(cacheDir: string, repo: string, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const path = join(repositoryFolder(cacheDir, repo), "refs", ...revision.split("/"));
  const text = await orUndefined(readFile(path, "utf8"));
  return text !== undefined && isCommit(text.trim()) ? text.trim() : undefined;
}

/** Remembers what commit a revision is. A commit needs no remembering. */
export async function writeCommit(cacheDir: string, repo: string, revision: string, commit: string): Promise<void> {
  if (isCommit(revision)) return;
  const path = join(repositoryFolder(cacheDir, repo), "refs", ...revision.split("/"));
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, commit);
  await rename(temporary, path);
}

/** Path of a file that is already in the cache, undefined if it is not or its link leads nowhere. */
export async function findCached(
  cacheDir: string,
  repo: string,
  commit: string,
  file: string,
): Promise<string | undefined> {
  const path = snapshotPath(cacheDir, repo, commit, file);
  return (await orUndefined(stat(path)))?.isFile() ? path : undefined;
}

/** Names of all files of a snapshot that are in the cache, with `/` between folders. */
export async function listCached(cacheDir: string, repo: string, commit: string): Promise<string[]> {
  const folder = join(repositoryFolder(cacheDir, repo), "snapshots", commit);
  const entries = (await orUndefined(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return names.sort();
}

/**
 * Gives a blob its name in a snapshot: a relative link, or, where the system or the disk has no links (Windows without the right to
 * make them), the blob itself moved there, as Python's library does. Returns the path.
 */
export async function linkBlob(blob: string, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await rm(temporary, { force: true });
    await symlink(relative(dirname(path), blob), temporary);
  } catch (error) {
    if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "UNKNOWN"].includes(errorCode(error))) throw error;
    await rename(blob, path);
    return path;
  }
  await rename(temporary, path);
  return path;
}

/** `code` of a system error, or an empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The value, or undefined if what it stands for is not there. */
async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EISDIR"].includes(errorCode(error))) return undefined;
    throw error;
  }
}
