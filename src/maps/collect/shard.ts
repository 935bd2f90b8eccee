import { mismatch } from "../../errors.ts";

/** One of n equal parts of the units of a corpus; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** More machines than will ever share a corpus. */
const mostShards = 1e6;

/** Writes a shard as `2/8`. */
export function formatShard({ index, of }: Shard): string {
  return `${index}/${of}`;
}

/** Reads what {@link formatShard} wrote. @throws usage for anything else */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,7})\/(\d{1,7})$/.exec(text);
  const shard = { index: Number(match?.[1]), of: Number(match?.[2]) };
  if (!isShard(shard))
    throw mismatch("usage", "shard", "a part i/n such as 1/4, from 1/n to n/n", JSON.stringify(text.slice(0, 40)));
  return shard;
}

/** Whether a shard is one of at least 1 and at most a million, counted from 1. */
export function isShard({ index, of }: Shard): boolean {
  return [index, of].every(Number.isSafeInteger) && index >= 1 && index <= of && of <= mostShards;
}

/** Whether a unit of text belongs to a shard: every n-th unit does, so that shards take equally long, whatever the text. */
export function isInShard(unit: number, { index, of }: Shard): boolean {
  return unit % of === index - 1;
}
