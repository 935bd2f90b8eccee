import { expect, test } from "vitest";
import { watchSignals } from "../../src/cli/interrupt.ts";

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "watchSignals(source) aborts at the first %s and ends with 130 at whatever comes second",
  (signal) => {
    const listeners = new Map<string, () => void>();
    const statuses: number[] = [];
    const { signal: aborted } = watchSignals({
      on: (name, listener) => listeners.set(name, listener),
      exit: (status) => statuses.push(status),
    });
    expect(aborted.aborted).toBe(false);
    listeners.get(signal)!();
    expect([aborted.aborted, statuses]).toEqual([true, []]);
    expect(aborted.reason).toHaveProperty("name", "AbortError");
    listeners.get("SIGINT")!();
    expect(statuses).toEqual([130]);
  },
);
