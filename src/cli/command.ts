import type { Arguments } from "./arguments.ts";
import type { Effects } from "./effects.ts";

/** One option of a command, as `--name`. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** One letter, as `-o`. */
  readonly short?: string;
  /** What its value is, in capitals, for the help: FILE, N, A:B. Only for strings. */
  readonly value?: string;
  readonly description: string;
  /** What holds when it is left out, for the help. */
  readonly default?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
}

export interface Example {
  /** The line as typed, without a prompt sign. */
  readonly line: string;
  readonly explains: string;
}

/** One command of the program. `run` does the work; everything else is what the help teaches. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** After `trimtab `: `inspect MODEL [options]`. */
  readonly usage: string;
  /** Paragraphs that teach the idea first. */
  readonly description: string;
  /** How many words besides the options it takes. */
  readonly positionals: { readonly least: number; readonly most: number };
  readonly options: Readonly<Record<string, Flag>>;
  readonly examples: readonly Example[];
  /** Returns the exit status, 0 if nothing. */
  run(args: Arguments, effects: Effects): Promise<number | undefined>;
}
