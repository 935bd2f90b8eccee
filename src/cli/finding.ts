import { toTrimtabError } from "../errors.ts";

/** One finding: `good`, worth a `note`, or a `problem` that keeps Trimtab from working. */
export interface Finding {
  readonly about: string;
  readonly state: "good" | "note" | "problem";
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

/** What went wrong while looking, as a finding. */
export function toProblem(about: string, thrown: unknown): Finding {
  const { message, hint } = toTrimtabError(thrown);
  return { about, state: "problem", found: message, advice: hint };
}
