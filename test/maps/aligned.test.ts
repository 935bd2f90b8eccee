import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Alignment, parseAlignment } from "../../src/activations/align/alignment.ts";
import { type Corpus, toCorpus } from "../../src/activations/corpus.ts";
import { readSafetensorsHeader } from "../../src/formats/safetensors.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import { type CollectOptions, collectMoments } from "../../src/maps/collect/collect-moments.ts";
import type { Collection } from "../../src/maps/collect/collection.ts";
import { readCollection, writeCollection } from "../../src/maps/collect/collection-file.ts";
import { mergeCollections } from "../../src/maps/collect/merge-collections.ts";
import { reverseCollection } from "../../src/maps/collect/reverse-collection.ts";
import { fitCollection } from "../../src/maps/fit-map.ts";
import { readMaps, writeMaps } from "../../src/maps/map-file.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { cutAt, textModel } from "./text-model.ts";

const folder = temporaryFolder();

const known = new Map<string, readonly number[]>();

/** Three numbers that look drawn at random, but follow from a text and a place in it. */
function features(text: string, end: number): readonly number[] {
  const found = known.get(`${end}:${text}`);
  if (found) return found;
  const digest = createHash("sha256").update(`${end}:${text}`).digest();
  const made = [0, 1, 2].map((at) => digest.readInt32LE(4 * at) / 2 ** 31);
  known.set(`${end}:${text}`, made);
  return made;
}

// y = C f + q and x = B f, so y = C B⁻¹ x + q: with B = diag(2, 1, 0.5) the map is C with its columns divided.
const B = [2, 1, 0.5];
const C = [
  [1, 0, 2],
  [0, -1, 1],
  [3, 1, 0],
  [0.5, 0.5, 0.5],
];
const q = [4, -3, 2, 1];
const wanted = C.flatMap((row) => row.map((value, j) => value / (B[j] as number)));
const toSource = (f: readonly number[]): number[] => f.map((value, j) => value * (B[j] as number));
const toTarget = (f: readonly number[]): number[] =>
  C.map((row, i) => row.reduce((sum, value, j) => sum + value * (f[j] as number), q[i] as number));

const letters = "abc déf. g";
const documents = Array.from({ length: 160 }, (_, seed) => {
  const random = seededRandom(seed);
  return Array.from({ length: 40 + random.integer(60) }, () => letters[random.integer(letters.length)]).join("");
});
const corpus: Corpus = toCorpus("made up", documents);

const source = textModel({
  name: "fine",
  cut: cutAt(1, 1.5),
  state: (text, end) => toSource(features(text, end)),
  width: 3,
});
const target = textModel({
  name: "coarse",
  cut: cutAt(2, 2),
  state: (text, end) => toTarget(features(text, end)),
  width: 4,
});

const layers = { kind: "maps", maps: [{ sources: [1], target: 2 }] } as const;
const collect = (options: Partial<CollectOptions> = {}, from = source, to = target): Promise<Collection> =>
  collectMoments(from, to, { corpus, layers, context: 64, hasCurve: false, ...options });
function fit(collection: Collection): AffineMap {
  const [source, target] = [collection.plan.sourceSites[0]!.layer, collection.plan.targetSites[0]!.layer];
  const maps = [{ sources: [source], target }];
  return fitCollection(collection, { method: "ols", layers: { kind: "pairs", maps } }).maps[0] as AffineMap;
}
const align = (text: string): { readonly align: Alignment } => ({ align: parseAlignment(text) });

const spans = await collect();

describe("maps of rows aligned by spans", () => {
  test("recover a planted map between two tokenizations, and say how much of each was usable", () => {
    const map = fit(spans);
    // Float32 states, sums in float64: seven digits.
    wanted.forEach((value, at) => {
      expect(map.A.data[at]).toBeCloseTo(value, 5);
    });
    q.forEach((value, at) => {
      expect(map.p[at]).toBeCloseTo(value, 5);
    });
    expect(map.scores.r2).toBeGreaterThan(1 - 1e-9);
    expect(map.scores.nulls.shuffled.r2).toBeLessThan(0.1);
    const { by, tokensOf, source: a, target: b } = map.fit.alignment!;
    expect([by, tokensOf, a.lost, b.lost]).toEqual(["spans", "target", 0, 0]);
    expect(a.used).toBe(b.used);
    expect(a.used).toBeLessThan(Math.min(a.tokens, b.tokens));
    const { total, leftOut } = map.fit.rows;
    expect(total - leftOut.first - leftOut.unaligned!).toBe(a.used);
  });

  test("recover nothing where the target's states are those of one boundary before", async () => {
    const before = textModel({
      name: "late",
      cut: cutAt(2, 2),
      state: (text, end) =>
        toTarget(features(text, Math.max(...cutAt(2, 2)(new TextEncoder().encode(text)).filter((at) => at < end), 0))),
      width: 4,
    });
    expect(fit(await collect({}, source, before)).scores.r2).toBeLessThan(0.1);
  });

  test("pair as well where only one of the models adds BOS", async () => {
    const silent = textModel({
      name: "silent",
      cut: cutAt(2, 2),
      state: (text, end) => toTarget(features(text, end)),
      width: 4,
      addsBos: false,
    });
    expect(fit(await collect({}, source, silent)).scores.r2).toBeGreaterThan(1 - 1e-9);
  });

  test("have a file of version 3 that reads back equal, and a map's too", async () => {
    const path = join(folder.path, "spans.safetensors");
    await writeCollection(path, spans);
    expect((await readSafetensorsHeader(path)).metadata.get("version")).toBe("3");
    expect(await readCollection(path)).toEqual(spans);
    const map = fit(spans);
    const mapPath = join(folder.path, "map.safetensors");
    await writeMaps(mapPath, [map]);
    expect((await readSafetensorsHeader(mapPath)).metadata.get("version")).toBe("3");
    expect(await readMaps(mapPath)).toEqual([map]);
    const { alignment: _, ...byIds } = map.fit;
    await expect(writeMaps(mapPath, [{ ...map, fit: byIds }])).rejects.toThrow("models with one tokenizer");
  });

  test("merge from shards to one run, and go on from a checkpoint to the same bits", async () => {
    const parts = await Promise.all([1, 2].map((index) => collect({ shard: { index, of: 2 } })));
    const merged = mergeCollections(parts);
    expect(merged.ledger.alignment).toEqual(spans.ledger.alignment);
    expect(merged.ledger.rows).toEqual(spans.ledger.rows);
    expect(merged.heldOut).toEqual(spans.heldOut);
    const stop = new AbortController();
    const checkpoint = { path: join(folder.path, "broken.partial"), everyMs: 0, clock: () => 0 };
    const broken = collect({
      checkpoint,
      signal: stop.signal,
      onProgress: ({ fraction }) => {
        if (fraction > 0.95) stop.abort();
      },
    });
    await expect(broken).rejects.toMatchObject({ code: "aborted" });
    let resumedFrom = 0;
    const resumed = await collect({
      checkpoint,
      onResume: (tokens) => {
        resumedFrom = tokens;
      },
    });
    expect(resumedFrom).toBeGreaterThan(0);
    expect(resumed).toEqual(spans);
    await expect(collect({ checkpoint, ...align("sentences") })).rejects.toMatchObject({ code: "incompatible" });
  });

  test("turn round to the map of the other way, its tokens counted in the other model's", async () => {
    const back = fit(reverseCollection(spans));
    const own = fit(await collect({}, target, source));
    expect(back.fit.alignment).toMatchObject({
      source: spans.ledger.alignment!.target,
      target: spans.ledger.alignment!.source,
      tokensOf: "source",
    });
    expect(back.fit.rows.total).toBe(own.fit.rows.total);
    expect(back.fit.rows.leftOut).toEqual(own.fit.rows.leftOut);
    // Three of four directions of y hold all of f.
    expect(back.scores.r2).toBeGreaterThan(1 - 1e-9);
  });
});

describe("text that a tokenizer changes", () => {
  const lower = (write: (text: string) => string) =>
    textModel({
      name: "lower",
      cut: cutAt(2, 2),
      state: (text, end) => toTarget(features(text, end)),
      width: 4,
      write,
    });

  test("is refused by spans with the shares and a way out, and paired by sentences", async () => {
    const capitals = toCorpus(
      "capitals",
      documents.map((text) => `A${text}`),
    );
    const changed = lower((text) => text.toLowerCase());
    await expect(collect({ corpus: capitals }, source, changed)).rejects.toMatchObject({
      code: "incompatible",
      message: expect.stringMatching(/^alignment by spans: expected 25 % .* got 0\.\d %.* of \d+ tokens of fine/),
      hint: expect.stringContaining("--align sentences"),
    });
    const paired = await collect({ corpus: capitals, ...align("sentences@last") }, source, changed);
    expect(fit(paired).scores.r2).toBeGreaterThan(1 - 1e-9);
  });

  test("is used up to the first difference, and what is lost is counted", async () => {
    const half = documents.map((text) => `${text}${text.slice(0, 30).toUpperCase()}`);
    const found = await collect(
      { corpus: toCorpus("half", half) },
      source,
      lower((text) => text.toLowerCase()),
    );
    const { source: a, target: b } = found.ledger.alignment!;
    expect(a.lost).toBeGreaterThan(0.15 * (a.tokens + a.lost));
    expect(b.lost).toBeGreaterThan(0.15 * (b.tokens + b.lost));
    expect(fit(found).scores.r2).toBeGreaterThan(1 - 1e-9);
  });
});

describe("maps of rows that are pieces of text", () => {
  test("recover a planted map from means of what a sentence has in common, whatever its tokens", async () => {
    /** Of the sentence that a segment is; segments are tokenised alone, so the text is the sentence. */
    const ofSentence = (to: (f: readonly number[]) => number[]) => (text: string) => to(features(text, 0));
    const a = textModel({ name: "a", cut: cutAt(1, 1.5), state: ofSentence(toSource), width: 3 });
    const b = textModel({ name: "b", cut: cutAt(2, 4), state: ofSentence(toTarget), width: 4 });
    const found = await collect(align("sentences"), a, b);
    const map = fit(found);
    wanted.forEach((value, at) => {
      expect(map.A.data[at]).toBeCloseTo(value, 5);
    });
    expect(map.fit.alignment).toMatchObject({ by: "sentences@mean", source: { lost: 0 }, target: { lost: 0 } });
    // Every token but the first of a window stands in a sentence.
    expect(map.fit.alignment!.source.used).toBe(map.fit.alignment!.source.tokens);
  });

  test("are one a line or document too, and take no rules that choose tokens", async () => {
    const rows = async (text: string): Promise<number> => {
      const { rowCounts, heldOut } = await collect({ ...align(text), rows: undefined });
      return (
        rowCounts.reduce((sum, count) => sum + count, 0) + heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0)
      );
    };
    // Documents that are longer than a window are cut in two.
    expect(await rows("documents@last")).toBeGreaterThanOrEqual(documents.length);
    expect(await rows("lines@mean")).toBe(await rows("documents@mean"));
    expect(await rows("sentences@mean")).toBeGreaterThan(2 * documents.length);
    const last = [{ kind: "last", weight: 1 }] as const;
    await expect(collect({ ...align("sentences"), rows: last })).rejects.toThrow(
      "rows last: expected all with sentences@mean",
    );
  });
});
