/** What kind of trouble it is. One table below gives each code its exit status and its HTTP status. */
export type ErrorCode =
  | "usage"
  | "bad-input"
  | "not-found"
  | "unsupported"
  | "incompatible"
  | "unauthorized"
  | "network"
  | "io"
  | "engine"
  | "aborted"
  | "internal";

/** Exit status of the CLI and status of an HTTP answer, by code. 130 is the shell's own status for Ctrl-C. */
export const statusOf: Readonly<Record<ErrorCode, { readonly exit: number; readonly http: number }>> = {
  usage: { exit: 2, http: 400 },
  "bad-input": { exit: 3, http: 400 },
  "not-found": { exit: 4, http: 404 },
  unsupported: { exit: 5, http: 422 },
  incompatible: { exit: 6, http: 409 },
  unauthorized: { exit: 7, http: 401 },
  network: { exit: 8, http: 502 },
  io: { exit: 9, http: 500 },
  engine: { exit: 10, http: 500 },
  aborted: { exit: 130, http: 499 },
  internal: { exit: 70, http: 500 },
};

export interface ErrorOptions {
  /** One action that mends it, as a sentence without a full stop at the end being required. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error class. `message` reads `where: expected X, got Y`; `hint` names one action.
 *
 * Codes: see {@link ErrorCode}. Anything thrown that is not a `TrimtabError` is a bug of ours and is shown as
 * `internal:` with its stack.
 */
export class TrimtabError extends Error {
  override readonly name = "TrimtabError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Builds the usual error: `where: expected X, got Y`. */
export function mismatch(
  code: ErrorCode,
  where: string,
  expected: string,
  got: string,
  options: ErrorOptions = {},
): TrimtabError {
  return new TrimtabError(code, `${where}: expected ${expected}, got ${got}`, options);
}

/** Turns whatever was thrown into a `TrimtabError`: ours as they are, an abort as `aborted`, the rest as `internal`. */
export function toTrimtabError(thrown: unknown): TrimtabError {
  if (thrown instanceof TrimtabError) return thrown;
  if (thrown instanceof Error && thrown.name === "AbortError")
    return new TrimtabError("aborted", "interrupted", { cause: thrown });
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new TrimtabError("internal", `internal: ${text}`, {
    hint: "this is a bug in trimtab; please report it with the stack below",
    cause: thrown,
  });
}
