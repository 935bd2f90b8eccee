import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { type PairedRows, readRows } from "../../src/activations/read-rows.ts";
import { toWindows } from "../../src/activations/windows.ts";
import { residPost } from "../../src/engine/site.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { type CollectOptions, type CollectProgress, collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { type Collection, planWidths } from "../../src/maps/collect/collection.ts";
import { readCollection, writeCollection } from "../../src/maps/collect/collection-file.ts";
import { splitGroups } from "../../src/maps/collect/split-groups.ts";
import { addJointMoments, findBlock } from "../../src/maps/joint-moments.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { bytesOf, dSource, dTarget, letters, options, relativeDistance, source, target } from "./collect-fixture.ts";

const folder = temporaryFolder().path;
let files = 0;
const freshPath = (): string => join(folder, `checkpoint-${files++}`);
const collect = (changed: Partial<CollectOptions> = {}): Promise<Collection> =>
  collectMoments(source, target, { ...options, ...changed });
const unbroken = await collect();

/** Two passes over rows kept in memory: means first, then products about them. */
function twoPasses(windows: readonly PairedRows[], a: number, b: number, widths: readonly number[]) {
  const rows = windows.flatMap(({ states, tokens, weights }) =>
    Array.from(tokens, (_, row) => ({
      weight: weights?.[row] ?? 1,
      x: [...states[a]!.subarray(row * widths[a]!, (row + 1) * widths[a]!)],
      y: [...states[b]!.subarray(row * widths[b]!, (row + 1) * widths[b]!)],
    })),
  );
  const n = rows.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (of: "x" | "y"): number[] =>
    rows[0]![of].map((_, i) => rows.reduce((sum, row) => sum + row.weight * row[of][i]!, 0) / n);
  const [meanX, meanY] = [mean("x"), mean("y")];
  const C = meanX.flatMap((mx, i) =>
    meanY.map((my, j) => rows.reduce((sum, { weight, x, y }) => sum + weight * (x[i]! - mx) * (y[j]! - my), 0)),
  );
  return { n, meanX, C };
}

describe("collectMoments(source, target, options)", () => {
  test("sums each window's rows where its group belongs, as two passes over the rows would", async () => {
    const windows: PairedRows[] = [];
    const sites = { sourceSites: [residPost(0), residPost(2)], targetSites: [residPost(1), residPost(3)] };
    if (typeof options.corpus === "string") throw new Error("a corpus in memory is wanted");
    const text = toWindows(source, options.corpus!.documents(), { context: 64 });
    for await (const window of readRows(source, target, text, { ...sites, select: options.rows })) windows.push(window);
    const widths = [dSource, dSource, dTarget, dTarget];
    expect(planWidths(unbroken.plan)).toEqual(widths);

    const { partOf, releasedPart } = splitGroups(unbroken.plan);
    const held = new Set(unbroken.heldOut.map(({ window }) => window));
    const partOfWindow = ({ group, window }: PairedRows): number => {
      const part = partOf(group);
      if (part !== "heldOut") return part;
      return held.has(window) ? -1 : releasedPart(group);
    };
    unbroken.parts.forEach((part, at) => {
      const own = windows.filter((window) => partOfWindow(window) === at);
      expect(unbroken.rowCounts[at]).toBe(own.reduce((sum, { tokens }) => sum + tokens.length, 0));
      // The validation rows, and the smallest pieces of the fitting part: the plain truth is slow.
      if (at > 0 && at < 4) return;
      for (const { row, col, C } of part.blocks) {
        const truth = twoPasses(own, row, col, widths);
        expect(part.n).toBe(truth.n);
        // The plain sums of the truth lose about n · 2⁻⁵³ of some thousand rows, with means ten times the spread.
        expect(relativeDistance(C.data, truth.C)).toBeLessThan(1e-12);
        expect(relativeDistance(part.means[row]!, truth.meanX)).toBeLessThan(1e-13);
      }
    });
    const given = windows.filter((window) => held.has(window.window) && window.tokens.length > 0);
    expect(unbroken.heldOut.map(({ states }) => states)).toEqual(given.map(({ states }) => states));
    expect(unbroken.heldOut.map(({ weights }) => weights)).toEqual(given.map(({ weights }) => weights));
    expect(unbroken.ledger.windows).toBe(windows.filter(({ tokens }) => tokens.length > 0).length);
    expect(unbroken.ledger.rows.total).toBe(windows.reduce((sum, { read }) => sum + read, 0));
  });

  test("holds at most the rows that there is room for, a sample that does not favour early text", () => {
    const rows = unbroken.heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0);
    expect(rows).toBeLessThanOrEqual(1000);
    expect(rows).toBeGreaterThan(800);
    expect(unbroken.heldLimit).toBeLessThan(1);
    const places = unbroken.heldOut.map(({ window }) => window / unbroken.ledger.corpus.windows);
    const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
    // Of about 20 windows uniform on [0, 1]: standard deviation 0.065.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.2);
  });

  test("keeps token sums of the rows that fit and of those that validate, each row once", () => {
    for (const [sums, parts] of [
      [unbroken.tokens.fitted, unbroken.parts.slice(1)],
      [unbroken.tokens.validation, unbroken.parts.slice(0, 1)],
    ] as const) {
      const all = parts.reduce(addJointMoments);
      const entries = [...sums.byToken.values()];
      expect(entries.reduce((sum, { n }) => sum + n, 0)).toBe(all.n);
      const total = all.means.flatMap((mean) => [...mean].map((value) => value * all.n));
      const summed = total.map((_, i) => entries.reduce((sum, entry) => sum + entry.sums[i]!, 0));
      expect(relativeDistance(summed, total)).toBeLessThan(1e-12);
    }
    const norms = unbroken.norms.map((histogram) => histogram.reduce((sum, count) => sum + count, 0));
    const { total, leftOut } = unbroken.ledger.rows;
    expect(new Set(norms)).toEqual(new Set([total - leftOut.first]));
  });

  test("pairs up shuffled rows that have no relation, of the same spread", () => {
    const diagonal = ({ data, cols }: Matrix): number => data.reduce((sum, v, i) => sum + (i % (cols + 1) ? 0 : v), 0);
    const all = unbroken.parts.slice(1).reduce(addJointMoments);
    const size = (C: Matrix): number => Math.hypot(...C.data);
    const spread = Math.sqrt(diagonal(findBlock(all, 0, 0).C) * diagonal(findBlock(all, 2, 2).C)) / all.n;
    const related = size(findBlock(all, 2, 0).C) / all.n / spread;
    const unrelated = size(findBlock(unbroken.shuffled, 2, 0).C) / unbroken.shuffled.n / spread;
    // Correlations of some ten thousand unrelated rows are about 0.01.
    expect(unrelated).toBeLessThan(0.03);
    expect(related).toBeGreaterThan(10 * unrelated);
  });

  test("keeps K equal folds where they are asked for", async () => {
    const { parts, rowCounts, plan } = await collect({ folds: 4 });
    expect([parts.length, plan.hasCurve]).toEqual([4, false]);
    const mean = rowCounts.reduce((sum, rows) => sum + rows, 0) / 4;
    for (const rows of rowCounts) expect(Math.abs(rows / mean - 1)).toBeLessThan(0.2);
  });

  test("stops at the tokens asked for, reports its share of them, and says that there is more", async () => {
    const seen: CollectProgress[] = [];
    const { ledger } = await collect({ maxTokens: 9000, onProgress: (progress) => seen.push(progress) });
    expect(ledger.rows.total).toBeGreaterThanOrEqual(9000);
    expect(ledger.rows.total).toBeLessThan(9064);
    expect(ledger).toMatchObject({ stoppedEarly: true, isComplete: true });
    expect(seen.at(-1)!.fraction).toBe(1);
    expect(seen[seen.length >> 1]!.fraction).toBeCloseTo(seen[seen.length >> 1]!.tokens / 9000);
    expect(unbroken.ledger.stoppedEarly).toBe(false);
  });

  test("refuses options that cannot be meant", async () => {
    await expect(collect({ maxTokens: 0 })).rejects.toThrow("tokens: expected a positive integer, got 0");
    await expect(collect({ folds: 0 })).rejects.toThrow("folds: expected an integer from 1 to 100, got 0");
    await expect(collect({ shard: { index: 3, of: 2 } })).rejects.toThrow("shard: expected a part i of n");
    await expect(collect({ shard: { index: 1, of: 2 }, maxRows: 10 })).rejects.toMatchObject({
      code: "bad-input",
      hint: expect.stringContaining("limit tokens"),
    });
    await expect(collect({ corpus: undefined })).rejects.toThrow("rows all,last*3: expected a corpus, got none");
    const broken = { path: freshPath(), clock: () => 0, everyMs: Number.NaN };
    await expect(collect({ checkpoint: broken })).rejects.toThrow("checkpoint: expected a pause");
  });
});

/** Runs until the given number of windows, with a checkpoint after every unit. */
async function runUntil(windows: number, path: string, changed: Partial<CollectOptions> = {}) {
  const stop = new AbortController();
  let given = 0;
  const resumed: number[] = [];
  const run = collect({
    ...changed,
    checkpoint: { path, everyMs: 0, clock: () => 0 },
    signal: stop.signal,
    onResume: (tokens) => resumed.push(tokens),
    onProgress: () => {
      if (++given === windows) stop.abort();
    },
  });
  const result = await run.catch((error: unknown) => {
    if (stop.signal.aborted) return undefined;
    throw error;
  });
  return { result, resumed };
}

describe("a collection that was broken off", () => {
  test("goes on from its checkpoint to the bits of an unbroken run, wherever and however often it was broken", async () => {
    const expected = await bytesOf(unbroken, folder);
    const places = fc.array(fc.integer({ min: 1, max: 450 }), { minLength: 1, maxLength: 3 });
    let resumptions = 0;
    await fc.assert(
      fc.asyncProperty(places, async (breaks) => {
        const path = freshPath();
        for (const windows of breaks) resumptions += (await runUntil(windows, path)).resumed.length;
        const last = await runUntil(Number.POSITIVE_INFINITY, path);
        resumptions += last.resumed.length;
        expect((await bytesOf(last.result!, folder)).equals(expected)).toBe(true);
      }),
      { numRuns: 10, seed: 1 },
    );
    expect(resumptions).toBeGreaterThan(8);
  });

  test("keeps to its part, its limit of tokens and its folds when it goes on", async () => {
    for (const changed of [{ shard: { index: 1, of: 2 } }, { maxTokens: 20_000 }, { folds: 3 }, { maxRows: 20_000 }]) {
      const path = freshPath();
      await runUntil(200, path, changed);
      const { result, resumed } = await runUntil(Number.POSITIVE_INFINITY, path, changed);
      expect(resumed).toHaveLength(1);
      const [a, b] = [await bytesOf(result!, folder), await bytesOf(await collect(changed), folder)];
      expect(a.equals(b)).toBe(true);
    }
  });

  test("refuses a checkpoint of other options, of another part, of more than is wanted, or of other text", async () => {
    const path = freshPath();
    await runUntil(300, path);
    const before = readFileSync(path);
    const go = (changed: Partial<CollectOptions>) =>
      expect(collect({ ...changed, checkpoint: { path, clock: () => 0 } })).rejects;
    const refused = (message: RegExp) => ({ code: "incompatible", message: expect.stringMatching(message) });
    await go({ seed: 4 }).toMatchObject(refused(/: expected seed 4, got 3$/));
    await go({ folds: 3 }).toMatchObject(refused(/expected folds 3, got 1$/));
    await go({ rows: [{ kind: "all", weight: 1 }] }).toMatchObject(refused(/expected rows all, got all,last\*3$/));
    await go({ context: 32 }).toMatchObject(refused(/expected context 32, got 64$/));
    await go({ layers: { kind: "all-pairs", sources: [0], targets: [1] } }).toMatchObject(refused(/source sites/));
    await go({ shard: { index: 1, of: 2 } }).toMatchObject(refused(/part 1 of 2, got one of the whole corpus$/));
    await go({ maxRows: 100 }).toMatchObject(refused(/fewer than 100 rows, got one of \d+$/));
    await go({ maxTokens: 100 }).toMatchObject(refused(/fewer than 100 tokens, got one of \d+$/));
    await go({ corpus: letters(300, 6) }).toMatchObject(refused(/a checkpoint of this text, got one of other text/));
    await go({ corpus: letters(20) }).toMatchObject(refused(/a checkpoint of this text, got one of other text/));
    const other = toCorpus("none", []);
    await go({ corpus: other }).toMatchObject(refused(/a checkpoint of this text, got one of other text/));
    // Every refusal leaves what it found.
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("goes on where only text that had not been read has changed", async () => {
    const path = freshPath();
    await runUntil(300, path);
    const longer = letters(300);
    const more = { name: longer.name, documents: () => andOneMore(longer.documents()) };
    const { result, resumed } = await runUntil(Number.POSITIVE_INFINITY, path, { corpus: more });
    expect(resumed).toHaveLength(1);
    expect(result!.ledger.corpus.documents).toBe(unbroken.ledger.corpus.documents + 1);
  });

  test("refuses a finished collection and a file that is none in place of a checkpoint, and says what to do", async () => {
    const path = freshPath();
    await writeCollection(path, unbroken);
    const go = () => collect({ checkpoint: { path, clock: () => 0 } });
    await expect(go()).rejects.toMatchObject({ code: "incompatible", hint: "delete it to start anew" });
    writeFileSync(path, "half a file");
    await expect(go()).rejects.toMatchObject({ code: "bad-input", hint: "delete it to start anew" });
  });
});

async function* andOneMore<T extends { readonly index: number }>(documents: AsyncIterable<T> | Iterable<T>) {
  let last: T | undefined;
  for await (const document of documents) {
    yield document;
    last = document;
  }
  if (last) yield { ...last, index: last.index + 1, text: "one more document" };
}

describe("a checkpoint", () => {
  /** A clock that moves on by so much with every window; returns at which windows something was saved. */
  async function savings(everyMs: number | undefined, perWindow: number, perSaving = 0): Promise<number[]> {
    const path = freshPath();
    let [now, windows] = [0, 0];
    const saved: number[] = [];
    let looks = 0;
    await collect({
      checkpoint: {
        path,
        everyMs,
        // The second look in a row is the one after a saving.
        clock: () => {
          if (looks++ > 0) {
            saved.push(windows);
            now += perSaving;
          }
          return now;
        },
      },
      onProgress: () => {
        windows++;
        now += perWindow;
        looks = 0;
      },
    });
    return saved;
  }

  test("is saved once a minute, between units", async () => {
    // About 150 windows a unit: at a second each, a unit is longer than a minute; at a fifth of a second, two are needed.
    const often = await savings(undefined, 1000);
    const seldom = await savings(undefined, 200);
    expect(often.length).toBeGreaterThan(2);
    expect(seldom.length).toBeLessThan(often.length / 2);
    expect(seldom.length).toBeGreaterThan(0);
    for (const windows of seldom) expect(often).toContain(windows);
  });

  test("takes no more than a twentieth of the time, unless a pause is asked for", async () => {
    // Ten seconds for a saving: 200 s, at least two units, must lie between.
    const slow = await savings(undefined, 1000, 10_000);
    const asked = await savings(0, 1000, 10_000);
    expect(asked.length).toBeGreaterThan(2);
    expect(slow.length).toBeLessThan(asked.length);
    slow.slice(1).forEach((windows, at) => {
      expect(windows - slow[at]!).toBeGreaterThanOrEqual(200);
    });
  });

  test("removes what killed processes left half-written, and nothing else", async () => {
    const path = freshPath();
    const name = path.slice(folder.length + 1);
    // No process has this number: it is above every system's limit.
    const left = [`.${name}.4194999-1.tmp`, `.${name}.${process.pid}-77777.tmp`];
    const kept = [`.${name}x.4194999-1.tmp`, `.${name}.notes.tmp`, `.${name}.${process.ppid}-1.tmp`];
    for (const file of [...left, ...kept]) writeFileSync(join(folder, file), "x");
    await collect({ checkpoint: { path, clock: () => 0 } });
    const there = readdirSync(folder);
    for (const file of left) expect(there).not.toContain(file);
    for (const file of kept) expect(there).toContain(file);
  });

  test("can be looked at while it grows: it says where it stands and that it is not finished", async () => {
    const path = freshPath();
    await runUntil(300, path);
    const { ledger } = await readCollection(path);
    expect(ledger.isComplete).toBe(false);
    expect(ledger.lastUnit).toBe(0);
    expect(ledger.corpus.windows).toBeLessThan(300);
    expect(ledger.rows.total).toBeGreaterThan(8192 - 64);
  });
});
