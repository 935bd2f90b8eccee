import type { ListFileEntry, PathInfo } from "@huggingface/hub";
import { mismatch, TrimtabError } from "../errors.ts";
import { splitNames } from "../formats/gguf-split.ts";
import {
  blobPath,
  findCached,
  isCommit,
  linkBlob,
  listCached,
  readCommit,
  snapshotPath,
  writeCommit,
} from "./hub-cache.ts";
import { type DownloadOptions, type DownloadProgress, downloadBlob, type RemoteFile } from "./hub-download.ts";
import { chooseModel } from "./hub-files.ts";
import { type HubRequestOptions, lostConnection, requestHub } from "./hub-request.ts";
import type { HubSettings } from "./hub-settings.ts";
import { checkRepositoryPath, formatReference, type HubReference } from "./reference.ts";
import { type RetryOptions, retry } from "./retry.ts";

export interface HubOptions {
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Told what the user should know but that is no error: a request is tried again; the hub is away and a cached file is used. */
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Tries in a row without a byte of progress (default 5). */
  readonly attempts?: number | undefined;
  /** First pause between tries, doubling (default 500 ms). */
  readonly pauseMs?: number | undefined;
  /** Silence after which a connection counts as lost (default 30 s). */
  readonly stallMs?: number | undefined;
  /** The time, written to files that stay open long. */
  readonly now?: (() => Date) | undefined;
}

/**
 * Turns a hub reference into files in the cache, fetching what is missing: asks for the revision's commit, then for the files of
 * that commit, so that all parts are of one state even if the repository changes meanwhile.
 *
 * If the hub cannot be reached and the cache holds the model at the commit last seen, that is used and `onNotice` told. A full commit
 * whose files are cached asks nobody.
 *
 * @returns paths of the files in the cache's snapshot, part 1 first
 * @throws not-found, unauthorized, network, io, usage (several models fit), aborted
 */
export async function resolveHubModel(
  reference: HubReference,
  settings: HubSettings,
  options: HubOptions = {},
): Promise<string[]> {
  const revision = reference.revision ?? "main";
  const cached = await findInCache(reference, revision, settings);
  if (cached instanceof TrimtabError) {
    if (settings.offline) throw cached;
  } else if (settings.offline || isCommit(revision)) return cached;
  const { request, tries } = toRequest(reference, settings, options);
  const haveCached = !(cached instanceof TrimtabError);
  try {
    const remote = await describeRemote(reference, revision, request, haveCached ? { ...tries, attempts: 1 } : tries);
    return await fetchParts(
      remote,
      reference,
      { ...request, ...tries, now: options.now ?? (() => new Date()) },
      options,
    );
  } catch (error) {
    if (!haveCached || !(error instanceof TrimtabError) || error.code !== "network") throw error;
    options.onNotice?.(`${error.message}; using the copy fetched before`);
    return cached;
  }
}

/**
 * Asks the hub how large a model is, all parts together, bytes. Nothing but the list of its files is fetched.
 *
 * @throws not-found, unauthorized, network, usage (several models fit), aborted
 */
export async function measureHubModel(
  reference: HubReference,
  settings: HubSettings,
  options: HubOptions = {},
): Promise<number> {
  const { request, tries } = toRequest(reference, settings, options);
  const { files } = await describeRemote(reference, reference.revision ?? "main", request, tries);
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function toRequest(
  reference: HubReference,
  settings: HubSettings,
  options: HubOptions,
): { readonly request: HubRequestOptions; readonly tries: RetryOptions } {
  return {
    request: {
      settings,
      where: formatReference(reference),
      repo: reference.repo,
      stallMs: options.stallMs ?? 30_000,
      signal: options.signal,
    },
    tries: {
      attempts: options.attempts ?? 5,
      pauseMs: options.pauseMs ?? 500,
      signal: options.signal,
      onRetry: (error: TrimtabError, pauseMs: number) =>
        options.onNotice?.(`${error.message}; trying again in ${pauseMs / 1000} s`),
    },
  };
}

async function findInCache(
  reference: HubReference,
  revision: string,
  { cacheDir }: HubSettings,
): Promise<string[] | TrimtabError> {
  const where = formatReference(reference);
  const commit = await readCommit(cacheDir, reference.repo, revision);
  const absent = (got: string, cause?: unknown) =>
    mismatch("not-found", where, `the model in the cache ${cacheDir}, being offline`, got, {
      hint: "unset HF_HUB_OFFLINE to fetch it",
      cause,
    });
  if (commit === undefined) return absent(`nothing of ${reference.repo} at ${revision}`);
  try {
    const names = chooseModel(await listCached(cacheDir, reference.repo, commit), reference);
    const paths = await Promise.all(names.map((name) => findCached(cacheDir, reference.repo, commit, name)));
    const missing = paths.indexOf(undefined);
    if (missing >= 0) return absent(`no ${names[missing]}`);
    return paths.filter((path) => path !== undefined);
  } catch (error) {
    if (!(error instanceof TrimtabError)) throw error;
    return error.code === "usage" ? error : absent("not that file", error);
  }
}

interface RemoteModel {
  readonly commit: string;
  readonly revision: string;
  readonly files: readonly RemoteFile[];
}

async function describeRemote(
  reference: HubReference,
  revision: string,
  request: HubRequestOptions,
  tries: RetryOptions,
): Promise<RemoteModel> {
  // Loaded only here: it takes longer to load than everything else of a command that needs no hub.
  const { listFiles, modelInfo, pathsInfo } = await import("@huggingface/hub");
  const { where, settings } = request;
  const common = { hubUrl: settings.endpoint, fetch: bufferedFetch(request, tries) };
  const repo = { type: "model", name: reference.repo } as const;
  const malformed = (what: string) =>
    mismatch("network", where, `the hub's ${what}`, "an answer of another shape", {
      hint: `check that ${settings.endpoint} is a Hugging Face Hub`,
    });
  try {
    const { sha: commit } = await modelInfo({ ...common, name: reference.repo, revision, additionalFields: ["sha"] });
    if (typeof commit !== "string" || !isCommit(commit)) throw malformed("commit id");
    const list = async () => {
      const entries: ListFileEntry[] = [];
      for await (const entry of listFiles({ ...common, repo, revision: commit, recursive: true })) entries.push(entry);
      return entries;
    };
    const named = reference.file === undefined ? undefined : splitNames(reference.file);
    let entries: readonly (ListFileEntry | PathInfo)[] =
      named === undefined ? await list() : await pathsInfo({ ...common, repo, revision: commit, paths: [...named] });
    // A named file is not there: the whole list gives the choices.
    if (named?.some((name) => !entries.some((entry) => entry.path === name))) entries = await list();
    const files = entries.filter((entry) => entry.type === "file");
    const chosen = chooseModel(
      files.map((entry) => String(entry.path)),
      reference,
    );
    return { commit, revision, files: chosen.map((name) => toRemoteFile(name, files, where, malformed)) };
  } catch (error) {
    if (error instanceof TrimtabError) throw error;
    throw mismatch("network", where, "the hub's description of the repository", String(error), {
      hint: `check that ${settings.endpoint} is a Hugging Face Hub`,
      cause: error,
    });
  }
}

function toRemoteFile(
  name: string,
  entries: readonly (ListFileEntry | PathInfo)[],
  where: string,
  malformed: (what: string) => TrimtabError,
): RemoteFile {
  const entry = entries.find((candidate) => candidate.path === name);
  const sizeBytes = entry?.lfs?.size ?? entry?.size;
  const hex = entry?.lfs?.oid ?? entry?.oid;
  if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw malformed("size of a file");
  // The digest becomes a file name and must be nothing but a digest.
  if (hex === undefined || !/^(?:[0-9a-f]{64}|[0-9a-f]{40})$/.test(hex)) throw malformed("digest of a file");
  if (sizeBytes === 0) throw mismatch("bad-input", where, "a GGUF file", "an empty file");
  return {
    path: checkRepositoryPath(name, where),
    sizeBytes,
    digest: { kind: hex.length === 64 ? "sha256" : "git", hex },
  };
}

/** What the library is given as `fetch`: with token, retries and our errors, and the body read within the retry. */
function bufferedFetch(request: HubRequestOptions, tries: RetryOptions): typeof fetch {
  return (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    return retry(async () => {
      const response = await requestHub(url, { ...init, signal: AbortSignal.timeout(4 * request.stallMs) }, request);
      try {
        return new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers });
      } catch (cause) {
        throw lostConnection(request, url, cause);
      }
    }, tries);
  };
}

async function fetchParts(
  { commit, revision, files }: RemoteModel,
  { repo }: HubReference,
  download: DownloadOptions,
  { onProgress }: HubOptions,
): Promise<string[]> {
  const { cacheDir, endpoint } = download.settings;
  const paths: string[] = [];
  for (const [index, file] of files.entries()) {
    const found = await findCached(cacheDir, repo, commit, file.path);
    if (found !== undefined) {
      paths.push(found);
      continue;
    }
    const blob = blobPath(cacheDir, repo, file.digest.hex);
    const url = `${endpoint}/${repo}/resolve/${commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
    const report = (phase: DownloadProgress["phase"], doneBytes: number) =>
      onProgress?.({
        phase,
        file: file.path,
        part: index + 1,
        parts: files.length,
        doneBytes,
        totalBytes: file.sizeBytes,
      });
    await downloadBlob(url, file, blob, { ...download, onProgress: report });
    paths.push(await linkBlob(blob, snapshotPath(cacheDir, repo, commit, file.path)));
  }
  await writeCommit(cacheDir, repo, revision, commit);
  return paths;
}
