import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toSpanWindows } from "../../src/activations/align/span-windows.ts";
import { readContrastSet } from "../../src/activations/contrast-set.ts";
import { resolveCorpus } from "../../src/activations/corpus.ts";
import { type PairedRows, readRows } from "../../src/activations/read-rows.ts";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import { type TokenWindow, toWindows } from "../../src/activations/windows.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { openDemo } from "../engine/demo-models.ts";

let xs: OpenModel;
let xs1k: OpenModel;
let m: OpenModel;
beforeAll(async () => {
  [xs, xs1k, m] = await Promise.all([openDemo("xs"), openDemo("xs1k"), openDemo("m")]);
}, 60_000);
afterAll(() => Promise.all([xs.close(), xs1k.close(), m.close()]));

const sites = { sourceSites: [residPost(1)], targetSites: [residPost(1)] };
const context = 48;

/** The first windows of the corpus; several of a document, since the context is short. */
async function first(windows: AsyncGenerator<TokenWindow>, count: number): Promise<TokenWindow[]> {
  const found: TokenWindow[] = [];
  for await (const window of windows) {
    found.push(window);
    if (found.length === count) break;
  }
  return found;
}

async function* streamed(list: readonly TokenWindow[]): AsyncGenerator<TokenWindow> {
  yield* list;
}

async function rowsOf(source: OpenModel, list: readonly TokenWindow[], aligned: boolean): Promise<PairedRows[]> {
  const rows: PairedRows[] = [];
  for await (const window of readRows(source, m, streamed(list), { ...sites, aligned })) rows.push(window);
  return rows;
}

test("toSpanWindows(source, target) of one tokenizer gives the windows and rows of toWindows, to the bit", async () => {
  const corpus = await resolveCorpus(resolve("models/data/corpus.jsonl.gz"));
  const byIds = await first(toWindows(xs, corpus.documents(), { context }), 24);
  const bySpans = await first(toSpanWindows(xs, m, corpus.documents(), { context }), 24);
  for (const [i, { aligned, ...window }] of bySpans.entries()) {
    expect(window).toEqual(byIds[i]);
    expect(aligned!.tokens).toEqual(window.tokens);
  }
  const [ids, spans] = [await rowsOf(xs, byIds, false), await rowsOf(xs, bySpans, true)];
  for (const [i, { alignment, leftOut, ...rows }] of spans.entries()) {
    const { leftOut: own, ...expected } = ids[i]!;
    expect(rows).toEqual(expected);
    expect(leftOut).toEqual({ ...own, unaligned: 0 });
    expect(alignment!.source).toEqual({ tokens: rows.read - 1, used: rows.read - 1, lost: 0 });
  }
});

test("toSpanWindows(xs1k, m) holds one text in both models' windows, its rows the states of tokens that end it together", async () => {
  const corpus = await resolveCorpus(resolve("models/data/corpus.jsonl.gz"));
  const windows = await first(toSpanWindows(xs1k, m, corpus.documents(), { context }), 12);
  for (const { tokens, aligned, document } of windows) {
    const [a, b] = [await xs1k.detokenize(tokens), await m.detokenize(aligned!.tokens)];
    expect(a).toBe(b);
    expect(document.text).toContain(a);
    const last = [aligned!.source.last.at(-1)!, aligned!.target.last.at(-1)!];
    expect(last).toEqual([tokens.length - 1, aligned!.tokens.length - 1]);
  }
  const [rows] = await rowsOf(xs1k, windows, true);
  const { tokens, aligned } = windows[0]!;
  // The states that the target gives for its own tokens alone.
  const alone = m.readStates([[aligned!.tokens]], { sites: sites.targetSites });
  const { value } = await alone.next();
  await alone.return();
  const width = m.description.width;
  const expected = [...aligned!.target.last].flatMap((at) => [
    ...value!.states[0]!.subarray(at * width, (at + 1) * width),
  ]);
  // One batch or another changes the last bits of a sum of F16 products; another token's state differs by several units.
  expected.forEach((number, i) => {
    expect(rows!.states[1]![i]).toBeCloseTo(number, 2);
  });
  expect(rows!.read).toBe(tokens.length);
  expect(rows!.tokens).toEqual(aligned!.target.last.map((at) => aligned!.tokens[at]!));
});

test("collectMoments(xs1k, m) takes the rows of a contrast set where the tokens of both end, for any read position", async () => {
  const pairs = (await readContrastSet(resolve("models/data/pairs/french.jsonl"))).slice(0, 20);
  const layers = { kind: "maps", maps: [{ sources: [1], target: 1 }] } as const;
  const collect = (rows: string) =>
    collectMoments(xs1k, m, {
      pairs: { name: "french", pairs },
      rows: parseRowSelection(rows),
      layers,
      hasCurve: false,
    });
  const { rowCounts, heldOut, plan } = await collect("pairs@last");
  expect(plan.alignment).toBe("spans");
  // Both read the same text, so their last tokens end together: a row for each of 40 texts.
  const held = heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0);
  expect(rowCounts.reduce((sum, count) => sum + count, held)).toBe(40);
  const mean = await collect("pairs@difference-mean");
  const { total, leftOut } = mean.ledger.rows;
  expect(leftOut.unaligned).toBeGreaterThan(0);
  expect(total - leftOut.first - leftOut.unaligned! - leftOut.unselected).toBeGreaterThan(400);
});
