/**
 * Splits one stream into two that give the same values in the same order. A value is held until the slower side has taken it; the
 * source is read only as one side asks, and closed when both sides have ended. An error of the source reaches both sides.
 */
export function tee<T>(source: AsyncIterable<T>): [AsyncGenerator<T, void, void>, AsyncGenerator<T, void, void>] {
  const iterator = source[Symbol.asyncIterator]();
  const queues: [Promise<IteratorResult<T>>[], Promise<IteratorResult<T>>[]] = [[], []];
  const open = [true, true];

  async function* side(own: 0 | 1): AsyncGenerator<T, void, void> {
    const other = own === 0 ? 1 : 0;
    try {
      for (;;) {
        let next = queues[own].shift();
        if (next === undefined) {
          next = iterator.next();
          if (open[other]) queues[other].push(next);
        }
        const { done, value } = await next;
        if (done) return;
        yield value;
      }
    } finally {
      open[own] = false;
      queues[own].length = 0;
      if (!open[other]) await iterator.return?.();
    }
  }
  return [side(0), side(1)];
}
