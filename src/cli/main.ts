#!/usr/bin/env node
import type { Effects } from "./effects.ts";
import { runCli } from "./run-cli.ts";

const interrupt = new AbortController();

// The first Ctrl-C lets the command close what it has open and remove what is half-written; the second does not wait for that.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort(new DOMException("interrupted", "AbortError"));
  });

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
