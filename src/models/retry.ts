import { setTimeout as sleep } from "node:timers/promises";
import { TrimtabError } from "../errors.ts";

export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Pause after the first failure; doubles with each further one, up to 30 s. */
  readonly pauseMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry?: ((error: TrimtabError, pauseMs: number) => void) | undefined;
}

// An error is worth another try only where the place that made it said so; kept beside the error so that its class stays one.
const transient = new WeakMap<TrimtabError, number | undefined>();

/** Marks an error as one that another try may mend, `afterMs` being what the server asked for. Returns the error. */
export function markTransient(error: TrimtabError, afterMs?: number): TrimtabError {
  transient.set(error, afterMs);
  return error;
}

/**
 * Runs an operation until it succeeds, fails for good, or has failed `attempts` times in a row without progress. The operation
 * calls `progressed` when a failure after that should count as the first again: a long download may well be cut more than five times.
 *
 * @throws what the last try threw; aborted if the signal fires, at once and also between tries
 */
export async function retry<T>(
  operation: (progressed: () => void) => Promise<T>,
  { attempts, pauseMs, signal, onRetry }: RetryOptions,
): Promise<T> {
  for (let failures = 0; ; ) {
    checkNotAborted(signal);
    try {
      return await operation(() => {
        failures = 0;
      });
    } catch (error) {
      checkNotAborted(signal);
      if (!(error instanceof TrimtabError) || !transient.has(error)) throw error;
      failures += 1;
      if (failures >= attempts) throw error;
      const pause = transient.get(error) ?? Math.min(pauseMs * 2 ** (failures - 1), 30_000);
      onRetry?.(error, pause);
      await sleep(pause, undefined, { signal }).catch(() => checkNotAborted(signal));
    }
  }
}

/** @throws aborted if the signal has fired */
export function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
}
