import { TrimtabError } from "../../src/errors.ts";

/** Runs a parser on hostile input: it may return, or throw a TrimtabError that blames the input; anything else escapes. */
export function onlyBadInput<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TrimtabError && (error.code === "bad-input" || error.code === "unsupported")) return undefined;
    throw error;
  }
}
