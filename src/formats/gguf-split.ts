import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { mismatch, TrimtabError } from "../errors.ts";

/** Where a file stands in a model split by llama.cpp's `gguf-split`. */
export interface SplitName {
  /** What all parts have before `-00001-of-00003.gguf`. */
  readonly prefix: string;
  /** 1-based. */
  readonly part: number;
  readonly parts: number;
}

/** Reads `prefix-00002-of-00003.gguf`; undefined for any other name, and for a part beyond their count. */
export function parseSplitName(name: string): SplitName | undefined {
  const match = splitName.exec(name);
  if (!match) return undefined;
  const [part, parts] = [Number(match[2]), Number(match[3])];
  return part >= 1 && part <= parts ? { prefix: match[1]!, part, parts } : undefined;
}

/** Writes the name of one part. */
export function formatSplitName({ prefix, part, parts }: SplitName): string {
  const five = (number: number) => String(number).padStart(5, "0");
  return `${prefix}-${five(part)}-of-${five(parts)}.gguf`;
}

/** All names of the model that `name` belongs to, part 1 first; just `name` if it is not split. */
export function splitNames(name: string): string[] {
  const split = parseSplitName(name);
  if (split === undefined) return [name];
  return Array.from({ length: split.parts }, (_, index) => formatSplitName({ ...split, part: index + 1 }));
}

/**
 * All files of a GGUF model, first part first: the path itself, or every part of `…-00001-of-0000N.gguf` given any one of them.
 *
 * @throws not-found naming the missing parts; bad-input if the part's number is beyond their count
 */
export function splitFiles(path: string): string[] {
  const name = basename(path);
  const match = splitName.exec(name);
  if (match && !parseSplitName(name))
    throw mismatch("bad-input", path, `a part from 00001 to ${match[3]}`, `part ${match[2]}`);
  const names = splitNames(name);
  if (names.length === 1) return [path];
  const missing = names.filter((part) => !existsSync(join(dirname(path), part)));
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
    throw new TrimtabError("not-found", `${path}: ${missing.length} of ${names.length} parts are missing: ${shown}`, {
      hint: "all parts of a split model must lie in one folder",
    });
  }
  return names.map((part) => join(dirname(path), part));
}

/** Names of split models end so; llama.cpp writes both numbers with five digits. */
const splitName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s;
