import { mismatch, type TrimtabError } from "../errors.ts";
import type { HubSettings } from "./hub-settings.ts";
import { checkNotAborted, markTransient } from "./retry.ts";

export interface HubRequestOptions {
  readonly settings: HubSettings;
  /** What is asked for, as the user named it: the `where` of every error. */
  readonly where: string;
  /** `owner/name`, for the address in the hints. */
  readonly repo: string;
  /** An answer that does not begin within this time counts as lost. */
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request to the hub: adds the token (for the hub's own origin only; `fetch` drops it when a redirect leads to another), gives up
 * when no answer begins, and turns every answer but success into an error that says what to do. No retry: see `retry`.
 *
 * @throws unauthorized for 401 and 403; not-found for 404; network for the rest, marked transient where another try may help
 *   (no connection, 408, 429, 5xx)
 */
export async function requestHub(url: string, init: RequestInit, options: HubRequestOptions): Promise<Response> {
  const { settings, stallMs, signal } = options;
  const headers = new Headers(init.headers);
  headers.set("User-Agent", "trimtab");
  if (settings.token !== undefined && new URL(url).origin === new URL(settings.endpoint).origin)
    headers.set("Authorization", `Bearer ${settings.token}`);
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Error(`no answer within ${stallMs / 1000} s`)), stallMs);
  const signals = [stall.signal, ...(signal ? [signal] : []), ...(init.signal ? [init.signal] : [])];
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers, signal: AbortSignal.any(signals) });
  } catch (cause) {
    checkNotAborted(signal);
    throw markTransient(lostConnection(options, url, cause));
  } finally {
    clearTimeout(timer);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  throw refusal(response, options);
}

/** The error for a connection that could not be made or broke off. */
export function lostConnection({ where }: HubRequestOptions, url: string, cause: unknown): TrimtabError {
  return mismatch("network", where, `an answer from ${new URL(url).host}`, reason(cause), {
    hint: "check the connection and try again; what was fetched so far is kept. HF_HUB_OFFLINE=1 uses only files already here",
    cause,
  });
}

function reason(cause: unknown): string {
  // fetch says only "fetch failed" or "terminated"; what happened stands in the cause.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message || ("code" in inner ? String(inner.code) : inner.name);
}

function refusal(response: Response, { where, repo, settings }: HubRequestOptions): TrimtabError {
  const { status } = response;
  const code = response.headers.get("X-Error-Code") ?? "";
  const page = `${settings.endpoint}/${repo}`;
  const known = settings.token !== undefined;
  if (status === 401 || status === 403) {
    const got = `${status}${code ? ` ${code}` : ""} ${known ? "with the token set" : "without a token"}`;
    return mismatch("unauthorized", where, "access to the repository", got, { hint: accessHint(code, page, known) });
  }
  if (status === 404) {
    const what =
      code === "RevisionNotFound" ? "the revision" : code === "EntryNotFound" ? "the file" : "the repository";
    return mismatch("not-found", where, `${what} at ${page}`, "404, no such thing there", {
      hint: "check the spelling; hf:owner/repo lists the models of a repository",
    });
  }
  const error = mismatch("network", where, `an answer from ${settings.endpoint}`, `status ${status}`, {
    hint: status === 429 ? "too many requests; wait a while, or set HF_TOKEN" : "try again later",
  });
  if (status !== 408 && status !== 429 && status < 500) return error;
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return markTransient(error, seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined);
}

function accessHint(code: string, page: string, known: boolean): string {
  if (code === "GatedRepo") {
    const licence = `accept the licence at ${page}`;
    return known ? `${licence} with the account of that token` : `${licence}, then set HF_TOKEN`;
  }
  return known
    ? `check the name, that HF_TOKEN may read it, and that its licence is accepted at ${page}`
    : `check the name; if the repository is private or gated, accept its licence at ${page} and set HF_TOKEN`;
}
