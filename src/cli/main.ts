#!/usr/bin/env node
import type { Effects } from "./effects.ts";
import { watchSignals } from "./interrupt.ts";
import { runCli } from "./run-cli.ts";

const interrupt = watchSignals(process);

// A reader that closed early (`trimtab … | head`) is no error: end quietly, as if interrupted.
let readerGone = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  readerGone = true;
  interrupt.abort(new DOMException("nobody reads", "AbortError"));
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const effects: Effects = {
  stdout: { write: (text) => void (readerGone || process.stdout.write(text)) },
  stderr: { write: (text) => void (readerGone || process.stderr.write(text)) },
  env: process.env,
  signal: interrupt.signal,
  clock: () => performance.timeOrigin + performance.now(),
  isTerminal: { stdout: process.stdout.isTTY ?? false, stderr: process.stderr.isTTY ?? false },
  columns: process.stderr.columns ?? 80,
};

const status = await runCli(process.argv.slice(2), effects);
process.exitCode = readerGone ? 0 : status;
