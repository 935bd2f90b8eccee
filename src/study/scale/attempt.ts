import { TrimtabError } from "../../errors.ts";

/** What could not be done, in words. */
export interface Problem {
  readonly problem: string;
}

/**
 * Runs a part of a study whose failure is a finding: what it threw becomes words. An interruption and a fault of our own are thrown on, and
 * so is a disk that fails, on which nothing more can be kept, unless `isReading`: then the file in question is the part's own.
 *
 * @throws aborted; internal; io; anything that is not a `TrimtabError`
 */
export async function attempt<T extends object>(
  run: () => Promise<T>,
  { isReading = false }: { readonly isReading?: boolean } = {},
): Promise<T | Problem> {
  try {
    return await run();
  } catch (error) {
    const fatal = ["aborted", "internal", ...(isReading ? [] : ["io"])];
    if (!(error instanceof TrimtabError) || fatal.includes(error.code)) throw error;
    return { problem: error.message };
  }
}

/** Whether a part came to nothing. */
export function isProblem(outcome: object): outcome is Problem {
  return "problem" in outcome && typeof outcome.problem === "string" && Object.keys(outcome).length === 1;
}
