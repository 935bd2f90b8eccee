import { expect, test } from "vitest";
import { readAhead } from "../../src/activations/read-ahead.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function counted(values: number, { failsAt = -1 }: { failsAt?: number } = {}) {
  const seen = { pulled: 0, closed: false };
  async function* source(): AsyncGenerator<number, void, void> {
    try {
      for (let i = 0; i < values; i++) {
        if (i === failsAt) throw new Error("source broke");
        seen.pulled++;
        yield i;
        await turn();
      }
    } finally {
      seen.closed = true;
    }
  }
  return { seen, source: source() };
}

test("readAhead(source, {size, limit}) gives every value in order", async () => {
  const got: number[] = [];
  for await (const value of readAhead(counted(20).source, { size: () => 1, limit: 3 })) got.push(value);
  expect(got).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test("readAhead reads on while the caller is busy, until what waits reaches the limit", async () => {
  const { seen, source } = counted(99);
  const ahead = readAhead(source, { size: () => 2, limit: 7 });
  await ahead.next();
  for (let i = 0; i < 30; i++) await turn();
  expect(seen.pulled).toBe(1 + 4); // 4 values of size 2 reach 7
  await ahead.next();
  for (let i = 0; i < 30; i++) await turn();
  expect(seen.pulled).toBe(2 + 4);
  await ahead.return();
  expect(seen.closed).toBe(true);
});

test("readAhead gives an error of its source after the values before it, and closes the source when the caller stops", async () => {
  const { source, seen } = counted(9, { failsAt: 2 });
  const ahead = readAhead(source, { size: () => 1, limit: 9 });
  expect((await ahead.next()).value).toBe(0);
  for (let i = 0; i < 10; i++) await turn();
  expect((await ahead.next()).value).toBe(1);
  await expect(ahead.next()).rejects.toThrow("source broke");
  expect(seen.closed).toBe(true);

  const stopped = counted(99);
  for await (const value of readAhead(stopped.source, { size: () => 1, limit: 3 })) if (value === 5) break;
  expect(stopped.seen.closed).toBe(true);
  expect(stopped.seen.pulled).toBeLessThan(5 + 1 + 3 + 2);
});
