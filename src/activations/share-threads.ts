import { availableParallelism } from "node:os";
import type { ModelDescription } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";

/** A model about to be read, and how far. */
export interface Reader {
  readonly model: Pick<OpenModel, "description" | "setThreads" | "threads">;
  readonly sites: readonly Site[];
}

/**
 * Shares the machine's threads between two models that are about to compute side by side, in proportion to their work, and returns
 * what undoes it. More threads than cores wait for one another by spinning, and were seen to take ten times as long.
 *
 * Models that together use no more than `total` keep what they have. A model never gets more than it was opened with, nor less than one.
 */
export async function shareThreads(
  source: Reader,
  target: Reader,
  total: number = availableParallelism(),
): Promise<() => Promise<void>> {
  const before = [source.model.threads, target.model.threads] as const;
  if (before[0] + before[1] <= total) return async () => undefined;
  const share = splitThreads(
    [readingCost(source.model.description, source.sites), readingCost(target.model.description, target.sites)],
    before,
    total,
  );
  const assign = async (threads: readonly [number, number]): Promise<void> => {
    if (source.model.threads !== threads[0]) await source.model.setThreads(threads[0]);
    if (target.model.threads !== threads[1]) await target.model.setThreads(threads[1]);
  };
  await assign(share);
  return () => assign(before);
}

/**
 * Estimates the work of reading a token up to the last of some sites: blocks computed times weights of a block. The file says how many
 * weights there are in all; an embedding the size of the vocabulary is taken off, as no block multiplies it.
 */
export function readingCost(
  { parameters, vocabulary, width, blocks }: Pick<ModelDescription, "parameters" | "vocabulary" | "width" | "blocks">,
  sites: readonly Site[],
): number {
  const computed = 1 + Math.max(0, ...sites.map(({ layer }) => layer));
  // Attention and a feed-forward part of four widths: for files whose count of weights leaves nothing for the blocks.
  const least = 12 * width * width;
  return computed * Math.max(least, (parameters - vocabulary * width) / blocks);
}

/**
 * Splits threads so that the side that takes longer takes as little time as whole threads allow, if time is cost over threads.
 *
 * @returns at least one for each, at most `most`, together at most `total` where that is at least two
 */
export function splitThreads(
  costs: readonly [number, number],
  most: readonly [number, number],
  total: number,
): readonly [number, number] {
  let best: readonly [number, number] = [1, 1];
  let shortest = Number.POSITIVE_INFINITY;
  for (let first = 1; first <= Math.min(most[0], total - 1); first++) {
    const second = Math.max(1, Math.min(most[1], total - first));
    const time = Math.max(costs[0] / first, costs[1] / second);
    if (time >= shortest) continue;
    shortest = time;
    best = [first, second];
  }
  return best;
}
