import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { type CollectOptions, collectMoments } from "../../src/maps/collect/collect-moments.ts";
import type { Collection } from "../../src/maps/collect/collection.ts";
import { mergeCollections } from "../../src/maps/collect/merge-collections.ts";
import { openDemo } from "../engine/demo-models.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { bytesOf, exactParts, relativeDistance, valuesOf } from "./collect-fixture.ts";

const folder = temporaryFolder().path;
let source: OpenModel;
let target: OpenModel;
let whole: Collection;
/** Three units. */
const options: CollectOptions = {
  corpus: resolve("models/data/corpus.jsonl.gz"),
  layers: { kind: "maps", maps: [{ sources: [0, 1], target: 2 }] },
  maxTokens: 17_000,
};
const collect = (changed: Partial<CollectOptions> = {}): Promise<Collection> =>
  collectMoments(source, target, { ...options, ...changed });
beforeAll(async () => {
  [source, target] = await Promise.all([openDemo("xs"), openDemo("s")]);
  whole = await collect();
}, 120_000);
afterAll(() => Promise.all([source.close(), target.close()]));

test("shards of the demo family merge to one run: what is held out to the bit, moments to rounding", async () => {
  const parts = [await collect({ shard: { index: 1, of: 2 } }), await collect({ shard: { index: 2, of: 2 } })];
  const merged = mergeCollections(parts);
  expect(exactParts(merged)).toBe(exactParts(whole));
  expect(merged.ledger).toEqual({ ...whole.ledger, joined: undefined });
  [...merged.parts, merged.shuffled].forEach((part, at) => {
    const other = [...whole.parts, whole.shuffled][at]!;
    expect(part.n).toBe(other.n);
    // n · 2⁻⁵³ of some ten thousand rows, and room for the shifts of the mean.
    expect(relativeDistance(valuesOf(part), valuesOf(other))).toBeLessThan(1e-11);
  });
}, 120_000);

test("a run over the demo family that was broken off goes on to the bits of an unbroken one", async () => {
  const path = join(folder, "checkpoint");
  const checkpoint = { path, everyMs: 0, clock: () => 0 };
  const stop = new AbortController();
  const onProgress = (): void => {
    if (existsSync(path)) stop.abort();
  };
  await expect(collect({ checkpoint, signal: stop.signal, onProgress })).rejects.toMatchObject({ code: "aborted" });
  const resumed: number[] = [];
  const again = await collect({ checkpoint, onResume: (tokens) => resumed.push(tokens) });
  expect(resumed).toHaveLength(1);
  expect((await bytesOf(again, folder)).equals(await bytesOf(whole, folder))).toBe(true);
}, 120_000);
