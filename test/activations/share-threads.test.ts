import fc from "fast-check";
import { expect, test } from "vitest";
import { readingCost, shareThreads, splitThreads } from "../../src/activations/share-threads.ts";
import { residPost } from "../../src/engine/site.ts";
import { plantedModel } from "./planted-model.ts";

test("splitThreads(costs, most, total) is the split in which the slower side takes least, among all there are", () => {
  const cost = fc.double({ min: 0.01, max: 1e12, noNaN: true });
  const count = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(fc.tuple(cost, cost), fc.tuple(count, count), fc.integer({ min: 2, max: 20 }), (costs, most, total) => {
      const [a, b] = splitThreads(costs, most, total);
      const time = (x: number, y: number): number => Math.max(costs[0] / x, costs[1] / y);
      expect(a >= 1 && b >= 1 && a <= most[0] && b <= most[1] && a + b <= total).toBe(true);
      for (let x = 1; x <= most[0]; x++)
        for (let y = 1; y <= most[1] && x + y <= total; y++) expect(time(a, b)).toBeLessThanOrEqual(time(x, y));
    }),
  );
  expect(splitThreads([1, 7], [8, 8], 8)).toEqual([1, 7]);
  expect(splitThreads([1, 1], [8, 8], 8)).toEqual([4, 4]);
  expect(splitThreads([1, 100], [4, 4], 1)).toEqual([1, 1]); // one each, even of a single thread
});

test("readingCost(description, sites) grows with the last block read and with the weights of a block", () => {
  const model = { parameters: 130_000_000, vocabulary: 50_000, width: 768, blocks: 12 };
  const perBlock = (130_000_000 - 50_000 * 768) / 12;
  expect(readingCost(model, [residPost(2)])).toBeCloseTo(3 * perBlock, 3);
  expect(readingCost(model, [residPost(7), residPost(2)])).toBeCloseTo(8 * perBlock, 3);
  expect(readingCost({ ...model, parameters: 1 }, [residPost(0)])).toBe(12 * 768 * 768);
});

test("shareThreads gives the model with more work more threads, and gives both back what they had", async () => {
  const open = (threads: number, width: number) => {
    const set: number[] = [];
    const planted = plantedModel({ width });
    const model = {
      description: planted.description,
      threads,
      setThreads: async (next: number) => {
        set.push(next);
        model.threads = next;
      },
    };
    return { model, set, sites: [residPost(1)] };
  };
  const [small, large] = [open(8, 64), open(8, 128)];
  const giveBack = await shareThreads(small, large, 8);
  expect([small.model.threads, large.model.threads]).toEqual([2, 6]); // four times the weights a block: 1.6 and 6.4
  await giveBack();
  expect([small.model.threads, large.model.threads]).toEqual([8, 8]);

  const [one, other] = [open(3, 64), open(5, 128)];
  await (await shareThreads(one, other, 8))();
  expect([one.set, other.set]).toEqual([[], []]); // enough for both: left alone
});
