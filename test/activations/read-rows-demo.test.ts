import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveCorpus } from "../../src/activations/corpus.ts";
import { type PairedRows, type ReadRowsOptions, readRows } from "../../src/activations/read-rows.ts";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import type { SinkLimits } from "../../src/activations/sink-limits.ts";
import { type TokenWindow, toWindows } from "../../src/activations/windows.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { openDemo } from "../engine/demo-models.ts";

let source: OpenModel;
let target: OpenModel;
/** The corpus's first 9000 tokens: a unit and the beginning of another. */
const windows: TokenWindow[] = [];
beforeAll(async () => {
  [source, target] = await Promise.all([openDemo("xs"), openDemo("s")]);
  const corpus = await resolveCorpus(resolve("models/data/corpus.jsonl.gz"));
  let tokens = 0;
  for await (const window of toWindows(source, corpus.documents(), { context: 128 })) {
    windows.push(window);
    tokens += window.tokens.length;
    if (tokens > 9000) break;
  }
}, 60_000);
afterAll(() => Promise.all([source.close(), target.close()]));

const sites = { sourceSites: [residPost(0), residPost(1)], targetSites: [residPost(2)] };

async function* streamed(list: readonly TokenWindow[]): AsyncGenerator<TokenWindow> {
  yield* list;
}

async function rowsOf(list: readonly TokenWindow[], options: Partial<ReadRowsOptions> = {}): Promise<PairedRows[]> {
  const rows: PairedRows[] = [];
  for await (const window of readRows(source, target, streamed(list), { ...sites, ...options })) rows.push(window);
  return rows;
}

/** States as bytes: two readings are then compared to the bit, and at once. */
const bytes = (rows: readonly PairedRows[]): Buffer =>
  Buffer.concat(rows.flatMap(({ states }) => states.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer))));

test("readRows gives the states that each model gives alone for the same windows, without the first", async () => {
  const few = windows.slice(0, 12);
  for (const { window, tokens, states, leftOut } of await rowsOf(few)) {
    expect(leftOut).toMatchObject({ first: 1, special: 0, sink: 0, unselected: 0 });
    const own = [windows[window]!.tokens];
    expect([...tokens]).toEqual([...own[0]!.subarray(1)]);
    const alone: Float32Array[] = [];
    for (const [model, of] of [
      [source, sites.sourceSites],
      [target, sites.targetSites],
    ] as const)
      for await (const read of model.readStates(own, { sites: of })) alone.push(...read.states);
    for (const [site, rows] of states.entries()) {
      const expected = alone[site]!.subarray(rows.length / tokens.length);
      // Another batch shape sums in another order, and keys and values are kept in half precision: of values up to some tens.
      const gap = rows.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      expect(gap).toBeLessThan(1e-2);
    }
  }
});

test("readRows of two shards, or broken off and resumed, gives an unbroken reading's rows to the bit", async () => {
  let limits: SinkLimits = [];
  const whole = await rowsOf(windows, { onLimits: (found) => (limits = found) });
  expect(whole.at(-1)!.unit).toBe(1);
  const told: SinkLimits[] = [];
  const shards: PairedRows[] = [];
  for (const shard of [0, 1])
    shards.push(...(await rowsOf(windows, { units: (u) => u % 2 === shard, onLimits: (found) => told.push(found) })));
  expect(told).toEqual([limits, limits]);
  shards.sort((a, b) => a.window - b.window);
  expect(shards.map(({ window, leftOut }) => [window, leftOut])).toEqual(
    whole.map(({ window, leftOut }) => [window, leftOut]),
  );
  expect(bytes(shards).equals(bytes(whole))).toBe(true);
  const resumed = await rowsOf(windows, { units: (u) => u >= 1, limits: JSON.parse(JSON.stringify(limits)) });
  expect(bytes(resumed).equals(bytes(whole.filter(({ unit }) => unit >= 1)))).toBe(true);
}, 30_000);

test("readRows(…, { select: last }) resumed in the units that set the bounds gives the same bits", async () => {
  const select = parseRowSelection("last");
  let limits: SinkLimits = [];
  const few = windows.slice(0, 30);
  const whole = await rowsOf(few, { select, onLimits: (found) => (limits = found) });
  const resumed = await rowsOf(few, { select, limits });
  expect(whole.reduce((sum, { tokens }) => sum + tokens.length, 0)).toBe(
    few.filter(({ endsDocument }) => endsDocument).length,
  );
  expect(bytes(resumed).equals(bytes(whole))).toBe(true);
}, 30_000);

test("readRows(…, { select: pattern }) takes the tokens whose text matches in the tokenizer's own writing", async () => {
  const rows = await rowsOf(windows.slice(0, 20), { select: parseRowSelection("pattern:/^[.!?]+$/") });
  const texts = await Promise.all(
    rows.flatMap(({ tokens }) => [...tokens].map((t) => source.detokenize(Int32Array.of(t)))),
  );
  expect(texts.length).toBeGreaterThan(20);
  expect(new Set(texts).has(".")).toBe(true);
  expect(texts.every((text) => /^[.!?]+$/.test(text))).toBe(true);
});

test("readRows gives both models their threads back", async () => {
  for await (const _ of readRows(source, target, streamed(windows.slice(0, 9)), { ...sites, threads: 1 })) break;
  expect([source.threads, target.threads]).toEqual([1, 1]);
});
