import { mismatch, TrimtabError } from "../../errors.ts";
import { checkNotAborted, markTransient } from "../../models/retry.ts";
import type { JudgeMessage } from "./judge-wordings.ts";

/** A server that speaks the protocol of OpenAI's chat completions. */
export interface ChatEndpoint {
  /** Base address, such as `http://127.0.0.1:8080/v1`: `/chat/completions` is put behind it. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; never part of an error or a record. */
  readonly key?: string | undefined;
}

export interface ChatRequest {
  readonly messages: readonly JudgeMessage[];
  readonly seed: number;
  readonly maxTokens: number;
  /** The whole answer must be there within this time. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. Tokens are those that the server counted; `null` if it does not say. */
export interface ChatAnswer {
  readonly text: string;
  readonly tokens: number | null;
}

/** An answer of one character comes in under a kilobyte; thoughts take some more. A longer body is not one. */
const maxAnswerBytes = 1 << 20;
/** A server that asks for more than this wants to be left alone. */
const longestPauseMs = 60_000;

/**
 * Checks an endpoint and returns its address without a slash at its end.
 *
 * @throws bad-input for anything but http and https, for a name and password in the address, a query (both would stand in records), no
 *   model, or a key that no header can carry
 */
export function checkChatEndpoint({ url, model, key }: ChatEndpoint): string {
  const expected = "an http or https address without password or query";
  // Not URL.parse, which Node 20.19 has not.
  const parsed = URL.canParse(url) ? new URL(url) : null;
  // The address is shown only if nothing in it can be a secret.
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw mismatch("bad-input", "judge url", expected, "another", { hint: "for example http://127.0.0.1:8080/v1" });
  if (parsed.username || parsed.password || parsed.search || parsed.hash)
    throw mismatch("bad-input", "judge url", expected, "one with more in it", {
      hint: "give a key through an environment variable; the address is written into records",
    });
  if (model.trim() === "") throw mismatch("bad-input", "judge model", "a name", "none");
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key))
    throw mismatch("bad-input", "judge key", "visible ASCII characters", "others, or none", {
      hint: "was the variable set with quotes or a line end in it?",
    });
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "");
}

/**
 * One request at temperature 0: no retry, no redirect (texts and key go to the address that was named and to no other).
 *
 * @throws unauthorized for 401 and 403; not-found for 404; network for the rest, marked transient where another try may help: no
 *   connection, time over, 408, 409, 425, 429, 5xx, a body that is too long or not a completion; aborted
 */
export async function requestChat(endpoint: ChatEndpoint, request: ChatRequest): Promise<ChatAnswer> {
  const base = checkChatEndpoint(endpoint);
  const where = `judge ${base}`;
  const time = new AbortController();
  const timer = setTimeout(
    () => time.abort(new Error(`no answer within ${request.timeoutMs / 1000} s`)),
    request.timeoutMs,
  );
  try {
    const response = await fetch(`${base}/chat/completions`, {
      method: "POST",
      redirect: "manual",
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "trimtab",
        ...(endpoint.key === undefined ? {} : { Authorization: `Bearer ${endpoint.key}` }),
      },
      body: JSON.stringify({
        model: endpoint.model,
        messages: request.messages,
        temperature: 0,
        seed: request.seed,
        max_tokens: request.maxTokens,
      }),
      signal: request.signal ? AbortSignal.any([time.signal, request.signal]) : time.signal,
    });
    const body = await readBody(response, where);
    if (!response.ok) throw refusalOf(response, body, { where, key: endpoint.key });
    return parseAnswer(body, where);
  } catch (cause) {
    checkNotAborted(request.signal);
    if (cause instanceof TrimtabError) throw cause;
    throw markTransient(
      mismatch("network", where, "an answer", reason(time.signal.aborted ? time.signal.reason : cause), {
        hint: "check the address, and that the server runs; what was judged so far is kept",
        cause,
      }),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The body as text, read no further than the limit: an endless one would fill the memory. */
async function readBody(response: Response, where: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    // Leaving the loop cancels the stream and closes the connection.
    if (bytes > maxAnswerBytes)
      throw markTransient(mismatch("network", where, `an answer of at most ${maxAnswerBytes} bytes`, "a longer one"));
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parseAnswer(body: string, where: string): ChatAnswer {
  const answer = parseJson(body) as
    | { choices?: readonly { message?: { content?: unknown } }[]; usage?: { total_tokens?: unknown } }
    | undefined
    | null;
  const choice = Array.isArray(answer?.choices) ? answer.choices[0] : undefined;
  const content: unknown = choice?.message?.content;
  // A model that spent all its tokens on thinking has content null: an answer, though an empty one.
  if (choice?.message === undefined || (typeof content !== "string" && content !== null && content !== undefined))
    throw markTransient(
      mismatch("network", where, 'JSON with "choices"', body === "" ? "nothing" : "something else", {
        hint: "does the address end where /chat/completions begins, such as in /v1?",
      }),
    );
  const tokens = answer?.usage?.total_tokens;
  return { text: content ?? "", tokens: typeof tokens === "number" && tokens >= 0 ? tokens : null };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function refusalOf(
  response: Response,
  body: string,
  { where, key }: { readonly where: string; readonly key: string | undefined },
): TrimtabError {
  const { status } = response;
  const said = (parseJson(body) as { error?: { message?: unknown } } | undefined | null)?.error?.message;
  // Some servers repeat the key they were given.
  const words = typeof said === "string" ? `: ${(key ? said.replaceAll(key, "…") : said).slice(0, 200)}` : "";
  const got = `status ${status}${words}`;
  if (status === 401 || status === 403)
    return mismatch(
      "unauthorized",
      where,
      "access",
      `${got}, ${key === undefined ? "without a key" : "with the key given"}`,
      {
        hint: "name the environment variable that holds the key",
      },
    );
  if (status === 404)
    return mismatch("not-found", where, "the model at that address", got, {
      hint: "check the model's name, and that the address ends where /chat/completions begins",
    });
  const error = mismatch("network", where, "an answer", got, {
    hint: status === 429 ? "ask fewer at a time, or later; what was judged so far is kept" : undefined,
  });
  if (![408, 409, 425, 429].includes(status) && status < 500) return error;
  return markTransient(error, pauseOf(response.headers));
}

/** What the server asks for: seconds, or a date, counted from the server's own. */
function pauseOf(headers: Headers): number | undefined {
  const after = headers.get("Retry-After");
  if (after === null) return undefined;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(after)
    ? Number(after)
    : (Date.parse(after) - Date.parse(headers.get("Date") ?? "")) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds) * 1000, longestPauseMs) : undefined;
}

function reason(cause: unknown): string {
  // fetch says only "fetch failed" or "terminated"; what happened stands in the cause.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message || ("code" in inner ? String(inner.code) : inner.name);
}
