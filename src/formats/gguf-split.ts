import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { mismatch, TrimtabError } from "../errors.ts";

/** Names of split models end so; llama.cpp writes both numbers with five digits. */
const splitName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/**
 * All files of a GGUF model, first part first: the path itself, or every part of `…-00001-of-0000N.gguf` given any one of them.
 *
 * @throws not-found naming the missing parts; bad-input if the part's number is beyond their count
 */
export function splitFiles(path: string): string[] {
  const match = splitName.exec(basename(path));
  if (!match) return [path];
  const [, stem, part, count] = match;
  const total = Number(count);
  if (Number(part) < 1 || Number(part) > total)
    throw mismatch("bad-input", path, `a part from 00001 to ${count}`, `part ${part}`);
  const names = Array.from({ length: total }, (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`);
  const missing = names.filter((name) => !existsSync(join(dirname(path), name)));
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
    throw new TrimtabError("not-found", `${path}: ${missing.length} of ${total} parts are missing: ${shown}`, {
      hint: "all parts of a split model must lie in one folder",
    });
  }
  return names.map((name) => join(dirname(path), name));
}
