import { expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { type PairedRows, readPairedRows } from "../../src/activations/paired-rows.ts";
import { median, rowNorms } from "../../src/activations/row-norms.ts";
import { tee } from "../../src/activations/tee.ts";
import { toWindows } from "../../src/activations/windows.ts";
import { residPost } from "../../src/engine/site.ts";
import { plantedModel } from "./planted-model.ts";

type Model = ReturnType<typeof plantedModel>;
const sites = { sourceSite: residPost(1), targetSite: residPost(2) };

async function pairsOf(source: Model, target: Model, texts: readonly string[], context = 8): Promise<PairedRows[]> {
  const windows = toWindows(source, toCorpus("c", texts).documents(), { context });
  const pairs: PairedRows[] = [];
  for await (const pair of readPairedRows(source, target, windows, sites)) pairs.push(pair);
  return pairs;
}

const texts: readonly string[] = Array.from({ length: 30 }, (_, i) => `document number ${i}`);

test("readPairedRows pairs the states of the same tokens in two models, window by window, whatever each reads ahead", async () => {
  const source = plantedModel({ batch: 1 });
  const target = plantedModel({ width: 2, batch: 7, state: (token, position) => [token, position] });
  const pairs = await pairsOf(source, target, texts);
  expect(source.read).toEqual(target.read);
  expect(pairs.map(({ window }) => window)).toEqual(source.read.map((_, w) => w));
  for (const { window, tokens, X, Y, read, leftOut } of pairs) {
    expect([...tokens]).toEqual(source.read[window]!.slice(1));
    expect(read).toBe(tokens.length + 1);
    expect(leftOut).toEqual({ first: 1, special: 0, sink: 0 });
    tokens.forEach((token, row) => {
      expect(X[3 * row + 1]).toBe(Math.fround(token / 100));
      expect([...Y.subarray(2 * row, 2 * row + 2)]).toEqual([token, row + 1]);
    });
  }
});

test("readPairedRows leaves out and counts first positions, special tokens and sinks on either side", async () => {
  // "!" is 100 times too long in the source, "?" in the target; "#" is 9 times as long, which is not a sink.
  const long = (token: number, sink: string): number => (token === sink.charCodeAt(0) ? 100 : token === 35 ? 9 : 1);
  const source = plantedModel({ width: 1, state: (token, position) => [position === 0 ? 1000 : long(token, "!")] });
  const target = plantedModel({ width: 1, state: (token) => [long(token, "?")] });
  const withSpecial = {
    ...source,
    tokenize: async (text: string) => Int32Array.from(Buffer.from(text), (b) => (b === 126 ? 257 : b)),
  };
  const pairs = await pairsOf(withSpecial, target, ["ab!c", "a?b#~", "~"], 16);
  expect(pairs.map(({ tokens, leftOut }) => [String.fromCharCode(...tokens), leftOut])).toEqual([
    ["abc", { first: 1, special: 0, sink: 1 }],
    ["ab#", { first: 1, special: 1, sink: 1 }],
    ["", { first: 1, special: 1, sink: 0 }],
  ]);
});

test("readPairedRows fixes the sink bound from the first rows and keeps the order of windows when it does", async () => {
  const model = plantedModel({ width: 1, state: (token) => [token === 33 ? 50 : 1] });
  const many = Array.from({ length: 600 }, () => "abcdefg"); // 4200 rows: more than calibration takes
  const pairs = await pairsOf(model, plantedModel(), [...many, "!ab"]);
  expect(pairs.map(({ window }) => window)).toEqual(pairs.map((_, w) => w));
  expect(pairs.at(-1)!.leftOut.sink).toBe(1);
  expect(pairs.reduce((sum, { tokens }) => sum + tokens.length, 0)).toBe(4202);
});

test("readPairedRows stops at states that are not finite and says where", async () => {
  const broken = plantedModel({ name: "broken", width: 1, state: (token) => [token === 99 ? Number.NaN : 1] });
  await expect(pairsOf(plantedModel(), broken, ["ab", "abc"])).rejects.toMatchObject({
    code: "engine",
    message: "broken at resid_post.2: expected finite hidden states, got NaN at token 3 of window 1 (c:2)",
  });
});

test("readPairedRows refuses different tokenizers and layers out of range before reading", async () => {
  const source = plantedModel();
  await expect(pairsOf(source, plantedModel({ fingerprint: "other" }), texts)).rejects.toMatchObject({
    code: "incompatible",
  });
  const windows = toWindows(source, toCorpus("c", texts).documents());
  const rows = readPairedRows(source, plantedModel(), windows, { ...sites, sourceSite: residPost(4) });
  await expect(rows.next()).rejects.toThrow("source layer: expected a layer from 0 to 3, got 4");
  expect(source.read).toEqual([]);
});

test("readPairedRows passes on a failure of either model or of the corpus, and closes both when the caller stops", async () => {
  const failing = plantedModel({
    state: (token) => {
      if (token === 99) throw new Error("engine broke");
      return [1, 1, 1];
    },
  });
  await expect(pairsOf(plantedModel(), failing, ["ab", "abc"])).rejects.toThrow("engine broke");
  await expect(pairsOf(failing, plantedModel(), ["ab", "abc"])).rejects.toThrow("engine broke");

  const [source, target] = [plantedModel(), plantedModel()];
  let ended = false;
  async function* endless(): AsyncGenerator<{ index: number; text: string; source: string; fraction: number }> {
    try {
      for (let index = 0; ; index++) yield { index, text: "abcdefg", source: "endless", fraction: 0 };
    } finally {
      ended = true;
    }
  }
  let rows = 0;
  for await (const pair of readPairedRows(source, target, toWindows(source, endless(), { context: 8 }), sites)) {
    rows += pair.tokens.length;
    if (rows > 5000) break;
  }
  expect(ended).toBe(true);
  // The calibration windows, those asked for, and one under way.
  expect(target.read.length).toBeLessThan(5000 / 7 + 4);
});

test("tee(source) gives both sides every value in order, however unevenly they read", async () => {
  let pulled = 0;
  async function* count(): AsyncGenerator<number> {
    for (let i = 0; i < 10; i++) {
      pulled++;
      yield i;
    }
  }
  const [a, b] = tee(count());
  const take = async (side: AsyncGenerator<number>, n: number): Promise<number[]> => {
    const values: number[] = [];
    while (values.length < n) {
      const { done, value } = await side.next();
      if (done) break;
      values.push(value);
    }
    return values;
  };
  expect(await take(a, 4)).toEqual([0, 1, 2, 3]);
  expect(pulled).toBe(4);
  expect(await take(b, 99)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await take(a, 99)).toEqual([4, 5, 6, 7, 8, 9]);
});

test("rowNorms(rows, width) and median(values) agree with hand calculations", () => {
  expect([...rowNorms(Float32Array.of(3, 4, 0, 0, 6, 8), 2)]).toEqual([5, 0, 10]);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([10, 1, 2, 4])).toBe(3);
  expect(median([])).toBeNaN();
});
