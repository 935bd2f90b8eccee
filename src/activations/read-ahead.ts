export interface ReadAheadOptions<T> {
  /** How much of the bound a value takes. */
  readonly size: (value: T) => number;
  /** Reading pauses while what waits is at least this much. */
  readonly limit: number;
}

/**
 * Gives the values of a stream in order, and reads on while the caller is busy with the last one: the source is asked again whenever
 * the event loop turns, until values of `limit` wait. It is closed when the caller stops; an error comes after the values before it.
 */
export async function* readAhead<T>(
  source: AsyncGenerator<T, void, void>,
  { size, limit }: ReadAheadOptions<T>,
): AsyncGenerator<T, void, void> {
  const ready: T[] = [];
  let waiting = 0;
  const state = { isStopped: false, isOver: false };
  let failure: { readonly cause: unknown } | undefined;
  // Each end sleeps on one promise; the other wakes it.
  let wakeReader = (): void => undefined;
  let wakeCaller = (): void => undefined;

  async function read(): Promise<void> {
    try {
      for await (const value of source) {
        if (state.isStopped) return;
        ready.push(value);
        waiting += size(value);
        wakeCaller();
        while (waiting >= limit && !state.isStopped)
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        if (state.isStopped) return;
      }
    } catch (cause) {
      failure = { cause };
    } finally {
      state.isOver = true;
      wakeCaller();
    }
  }

  const reading = read();
  try {
    for (;;) {
      if (ready.length > 0) {
        const value = ready.shift() as T;
        waiting -= size(value);
        wakeReader();
        yield value;
      } else if (state.isOver) {
        if (failure) throw failure.cause;
        return;
      } else
        await new Promise<void>((resolve) => {
          wakeCaller = resolve;
        });
    }
  } finally {
    state.isStopped = true;
    wakeReader();
    await reading;
  }
}
