import { describe, test } from "vitest";
import { describeLinalg, useLinalg } from "../../src/linalg/backend.ts";

/** What this machine can compute with: always `portable`, and the system library that `auto` finds. */
function available(): readonly string[] {
  useLinalg("auto");
  const { library } = describeLinalg();
  return library === "portable" ? ["portable"] : ["portable", library];
}

/** Runs `body` with one backend and then goes back to the usual choice, also when it throws. */
export function withBackend<T>(choice: string, body: () => T): T {
  useLinalg(choice);
  try {
    return body();
  } finally {
    useLinalg();
  }
}

/** One test for every backend of this machine; where there is no system library, that one is skipped and says so. */
export function testOnBackends(title: string, body: () => void): void {
  const choices = available();
  for (const choice of choices) test(`${title} [${choice}]`, () => withBackend(choice, body));
  if (choices.length === 1) test.skip(`${title} [no system BLAS found; on Debian: apt install libopenblas0]`, () => {});
}

/** `describe` for tests that only make sense with a system library. */
export function describeWithBlas(title: string, body: (choice: string) => void): void {
  const [, choice] = available();
  if (choice) describe(title, () => body(choice));
  else describe.skip(`${title} [no system BLAS found; on Debian: apt install libopenblas0]`, () => body("auto"));
}
