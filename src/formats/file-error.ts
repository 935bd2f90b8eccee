import { type ErrorCode, TrimtabError } from "../errors.ts";

/** What the operating system said, in words and with one thing to do. Codes not listed are shown as they are. */
const known: Readonly<Record<string, { readonly code: ErrorCode; readonly text: string; readonly hint: string }>> = {
  ENOENT: { code: "not-found", text: "no such file or folder", hint: "check the spelling of the path" },
  ENOTDIR: { code: "not-found", text: "a part of the path is a file, not a folder", hint: "check the path" },
  EISDIR: { code: "bad-input", text: "it is a folder", hint: "name a file" },
  EACCES: { code: "io", text: "permission denied", hint: "check who may read and write there" },
  EPERM: { code: "io", text: "operation not permitted", hint: "check who may read and write there" },
  EROFS: { code: "io", text: "the disk is read-only", hint: "choose a folder on a writable disk" },
  ENOSPC: { code: "io", text: "the disk is full", hint: "free some space or write to another disk" },
  EDQUOT: { code: "io", text: "the disk quota is used up", hint: "free some space or write to another disk" },
  EFBIG: { code: "io", text: "the file system does not take files this large", hint: "write to another disk" },
  EMFILE: { code: "io", text: "too many open files", hint: "raise the limit (ulimit -n)" },
  ENAMETOOLONG: { code: "bad-input", text: "the name is too long", hint: "choose a shorter name" },
  ELOOP: { code: "bad-input", text: "the symbolic links go in a circle", hint: "mend the links" },
};

/**
 * Turns an error of `node:fs` into a `TrimtabError` that names the path and what to do; a `TrimtabError` gets the path put before it.
 *
 * @param doing what was tried, as in "cannot read"
 */
export function toFileError(thrown: unknown, path: string, doing: "read" | "write"): TrimtabError {
  if (thrown instanceof TrimtabError) return nameFile(thrown, path);
  if (!(thrown instanceof Error)) return new TrimtabError("io", `${path}: cannot ${doing}`, { cause: thrown });
  if (thrown.name === "AbortError") return new TrimtabError("aborted", "interrupted", { cause: thrown });
  const entry = known["code" in thrown ? String(thrown.code) : ""];
  const code = entry === undefined || doing === "write" ? "io" : entry.code;
  return new TrimtabError(code, `${path}: cannot ${doing}: ${entry?.text ?? thrown.message}`, {
    hint: entry?.hint,
    cause: thrown,
  });
}

function nameFile(error: TrimtabError, path: string): TrimtabError {
  if (error.code === "aborted" || error.message.startsWith(path)) return error;
  return new TrimtabError(error.code, `${path}: ${error.message}`, { hint: error.hint, cause: error });
}
