/** Where signals come from and where the program ends: the process, or a test. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM" | "SIGHUP", listener: () => void): unknown;
  exit(status: number): void;
}

/** Status of a program that Ctrl-C ended, as shells have it. */
const interruptedStatus = 130;

/**
 * Turns signals into an abort: the first lets the command close what it has open and remove what is half-written, the second does not
 * wait for that.
 */
export function watchSignals(source: SignalSource): AbortController {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    source.on(signal, () => {
      if (controller.signal.aborted) source.exit(interruptedStatus);
      else controller.abort(new DOMException("interrupted", "AbortError"));
    });
  return controller;
}
