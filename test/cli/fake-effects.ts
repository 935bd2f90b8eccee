import type { Effects } from "../../src/cli/effects.ts";
import { runCli } from "../../src/cli/run-cli.ts";

/** What a run of the program left behind. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Effects that write to memory, with a clock that moves 50 ms at each look. */
export function fakeEffects(given: Partial<Effects> = {}): {
  readonly effects: Effects;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  let time = 0;
  const effects: Effects = {
    stdout: { write: (text) => void out.push(text) },
    stderr: { write: (text) => void err.push(text) },
    env: process.env,
    signal: new AbortController().signal,
    clock: () => {
      time += 50;
      return time;
    },
    isTerminal: { stdout: false, stderr: false },
    freeBytes: () => 2 ** 34,
    columns: 80,
    ...given,
  };
  return { effects, out, err };
}

/** Runs the program in this process. */
export async function run(argv: readonly string[], given: Partial<Effects> = {}): Promise<Ran> {
  const { effects, out, err } = fakeEffects(given);
  const status = await runCli(argv, effects);
  return { status, stdout: out.join(""), stderr: err.join("") };
}
