import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CorpusDocument, toCorpus } from "../../src/activations/corpus.ts";
import { joinWindows, pairWindows } from "../../src/activations/pair-windows.ts";
import { type PairedRows, type ReadRowsOptions, readRows } from "../../src/activations/read-rows.ts";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import type { SinkLimits } from "../../src/activations/sink-limits.ts";
import { type TokenWindow, toWindows } from "../../src/activations/windows.ts";
import { residPost } from "../../src/engine/site.ts";
import { type PlantedModelOptions, plantedModel } from "./planted-model.ts";

type Model = ReturnType<typeof plantedModel>;
const sites = { sourceSites: [residPost(1)], targetSites: [residPost(2)] };

async function rowsOf(
  source: Model,
  target: Model,
  windows: AsyncIterable<TokenWindow>,
  options: Partial<ReadRowsOptions> = {},
): Promise<PairedRows[]> {
  const rows: PairedRows[] = [];
  for await (const window of readRows(source, target, windows, { ...sites, ...options })) rows.push(window);
  return rows;
}

function corpusOf(texts: readonly string[], context = 8): AsyncIterable<TokenWindow> {
  return toWindows(plantedModel(), toCorpus("c", texts).documents(), { context });
}

/** Tokens of the kept rows as text. */
const shown = (rows: readonly PairedRows[]): string[] => rows.map(({ tokens }) => String.fromCharCode(...tokens));

const texts: readonly string[] = Array.from({ length: 30 }, (_, i) => `document number ${i}`);

test("readRows pairs the states of the same tokens in two models at many sites, whatever each reads ahead", async () => {
  const source = plantedModel({ batch: 1, state: (token, position, layer) => [token, position, layer] });
  const target = plantedModel({ width: 2, batch: 7, state: (token, position, layer) => [token + layer, -position] });
  const sourceSites = [residPost(3), residPost(0)];
  const rows = await rowsOf(source, target, corpusOf(texts), { sourceSites, targetSites: [residPost(2)] });
  expect(source.read).toEqual(target.read);
  expect(rows.map(({ window }) => window)).toEqual(source.read.map((_, w) => w));
  for (const { window, tokens, states, read, leftOut, weights } of rows) {
    expect([...tokens]).toEqual(source.read[window]!.slice(1));
    expect(read).toBe(tokens.length + 1);
    expect(leftOut).toEqual({ first: 1, special: 0, sink: 0, unselected: 0 });
    expect(weights).toBeUndefined();
    expect(states.map((state) => [...state])).toEqual([
      [...tokens].flatMap((token, row) => [token, row + 1, 3]),
      [...tokens].flatMap((token, row) => [token, row + 1, 0]),
      [...tokens].flatMap((token, row) => [token + 2, -row - 1]),
    ]);
  }
});

test("readRows leaves out and counts first positions, special tokens, and sinks at any site of either model", async () => {
  // "!" is 100 times too long at the source's second site, "?" in the target; "#" is 9 times as long, which is not a sink.
  const long = (token: number, sink: string): number => (token === sink.charCodeAt(0) ? 100 : token === 35 ? 9 : 1);
  const source = plantedModel({
    width: 1,
    state: (token, position, layer) => [position === 0 ? 1000 : layer === 3 ? long(token, "!") : 1],
  });
  const target = plantedModel({ width: 1, state: (token) => [long(token, "?")] });
  const withSpecial = {
    ...source,
    tokenize: async (text: string) => Int32Array.from(Buffer.from(text), (b) => (b === 126 ? 257 : b)),
  };
  const windows = toWindows(withSpecial, toCorpus("c", ["ab!c", "a?b#~", "~"]).documents(), { context: 16 });
  const rows = await rowsOf(source, target, windows, { sourceSites: [residPost(1), residPost(3)] });
  expect(rows.map(({ leftOut }, at) => [shown(rows)[at], leftOut])).toEqual([
    ["abc", { first: 1, special: 0, sink: 1, unselected: 0 }],
    ["ab#", { first: 1, special: 1, sink: 1, unselected: 0 }],
    ["", { first: 1, special: 1, sink: 0, unselected: 0 }],
  ]);
  for (const { tokens, states } of rows)
    expect(states.map(({ length }) => length)).toEqual(Array(3).fill(tokens.length));
});

test("readRows fixes the sink bounds from the first rows, tells them, and keeps the order of windows when it does", async () => {
  const model = plantedModel({ width: 1, state: (token) => [token === 33 ? 50 : 2] });
  const many = Array.from({ length: 600 }, () => "abcdefg"); // 4200 rows: more than calibration takes
  const told: SinkLimits[] = [];
  const rows = await rowsOf(model, plantedModel({ width: 1, state: () => [3] }), corpusOf([...many, "!ab"]), {
    onLimits: (limits) => told.push(limits),
  });
  expect(told).toEqual([[20, 30]]);
  expect(rows.map(({ window }) => window)).toEqual(rows.map((_, w) => w));
  expect(rows.at(-1)!.leftOut.sink).toBe(1);
  expect(rows.reduce((sum, { tokens }) => sum + tokens.length, 0)).toBe(4202);
});

describe("readRows(…, { units, limits })", () => {
  // 4 documents of 95 windows of 64 tokens and a rest: several units, of which the first one sets the bounds.
  const long = Array.from({ length: 4 }, (_, i) => "abcdefghij".repeat(600 + i));
  const stateOf: PlantedModelOptions = {
    width: 1,
    state: (token, position) => [position === 0 ? 900 : 1 + (token % 7)],
  };
  const all = () => rowsOf(plantedModel(stateOf), plantedModel(), corpusOf(long, 64));

  test("gives, for units of any two shards together, the very rows of an unbroken reading, and the same limits", async () => {
    const whole = await all();
    const units = new Set(whole.map(({ unit }) => unit));
    expect(units.size).toBeGreaterThan(2);
    const told: SinkLimits[] = [];
    const options = { onLimits: (limits: SinkLimits) => told.push(limits) };
    const parts: PairedRows[] = [];
    for (const shard of [0, 1]) {
      const [source, target] = [plantedModel(stateOf), plantedModel()];
      const part = await rowsOf(source, target, corpusOf(long, 64), { ...options, units: (u) => u % 2 === shard });
      // The other shard's first unit is read for its norms and no more.
      const read = whole.filter(({ unit }) => unit % 2 === shard || unit === 0);
      expect(source.read.length).toBe(read.length);
      expect(target.read).toEqual(source.read);
      parts.push(...part);
    }
    expect(told[1]).toEqual(told[0]);
    expect(parts.sort((a, b) => a.window - b.window)).toEqual(whole);
  });

  test("goes on with limits found before, and decodes nothing else", async () => {
    const whole = await all();
    let found: SinkLimits | undefined;
    await rowsOf(plantedModel(stateOf), plantedModel(), corpusOf(long, 64), { onLimits: (limits) => (found = limits) });
    const source = plantedModel(stateOf);
    const limits = JSON.parse(JSON.stringify(found)) as SinkLimits;
    const rest = await rowsOf(source, plantedModel(), corpusOf(long, 64), { units: (u) => u > 1, limits });
    expect(rest).toEqual(whole.filter(({ unit }) => unit > 1));
    expect(source.read.length).toBe(rest.length);
  });

  test("refuses limits of other sites, and finds finite ones where there is no row of text", async () => {
    for (const limits of [[1], [1, 2, 3], [1, Number.NaN]])
      await expect(rowsOf(plantedModel(), plantedModel(), corpusOf(["ab"]), { limits })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(/^limits: expected a norm for each of 2 sites, got \[/),
      });
    let found: SinkLimits = [];
    const special = { ...plantedModel(), specialTokens: async () => new Set([97, 256]) };
    const rows = await rowsOf(special, plantedModel(), corpusOf(["aa"]), { onLimits: (limits) => (found = limits) });
    expect(rows.map(({ leftOut }) => leftOut.special)).toEqual([2]);
    expect(JSON.parse(JSON.stringify(found))).toEqual([Number.MAX_VALUE, Number.MAX_VALUE]);
  });
});

describe("readRows(…, { select })", () => {
  const read = (text: string, windows: AsyncIterable<TokenWindow>, source = plantedModel()) =>
    rowsOf(source, plantedModel(), windows, { select: parseRowSelection(text) });

  test("last takes the last token of each document, and its other windows are not decoded once the bounds are set", async () => {
    const rows = await read("last", corpusOf(["abcdefghi", "xy"], 5));
    expect(shown(rows)).toEqual(["", "", "i", "y"]);
    expect(rows.map(({ leftOut }) => leftOut.unselected)).toEqual([4, 4, 0, 1]);
    const source = plantedModel();
    const long = Array.from({ length: 4 }, () => "abcdefg".repeat(800));
    const ends = await read("last", corpusOf(long, 8), source);
    expect(shown(ends).join("")).toBe("gggg");
    // 5600 tokens a document in windows of 8: the first unit holds 1024 windows and sets the bounds; after it only ends are read.
    expect(ends.length).toBe(3200);
    expect(source.read.length).toBe(1024 + 3);
  });

  test("pattern takes the tokens whose text matches, special ones too", async () => {
    const special = {
      ...plantedModel(),
      specialTokens: async () => new Set([".".charCodeAt(0), "!".charCodeAt(0), 256]),
    };
    const rows = await read("pattern:/[.b]/", corpusOf(["a.b!"]), special);
    expect(shown(rows)).toEqual([".b"]);
    expect(rows[0]!.leftOut).toEqual({ first: 1, special: 1, sink: 0, unselected: 1 });
  });

  test("a row weighs what the rules that it meets weigh together; weights are absent where all weigh 1", async () => {
    const rows = await read("all,last*0.5,pattern:/[ac]/*2", corpusOf(["abc"]));
    expect([...rows[0]!.weights!]).toEqual([3, 1, 3.5]);
    const ones = await read("last,pattern:/a/", corpusOf(["abc"]));
    expect([shown(ones), ones[0]!.weights]).toEqual([["ac"], undefined]);
  });

  test("pairs takes a contrast set's read positions in windows after those of the corpus, in groups of their own", async () => {
    const pairs = [
      { prompt: "ab", positive: "cd", negative: "ef" },
      { prompt: "x", positive: "y", negative: "zz" },
    ];
    const model = { ...plantedModel(), tokenize: async (text: string) => Int32Array.from([256, ...Buffer.from(text)]) };
    const windows = joinWindows(corpusOf(["one"]), pairWindows(model, pairs, "difference-mean"));
    const rows = await read("all,pairs*4", windows);
    expect(shown(rows)).toEqual(["one", "cd", "ef", "y", "zz"]);
    expect(rows.map(({ window, unit, group }) => [window, unit, group])).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 2],
      [4, 1, 2],
    ]);
    expect(rows.map(({ weights }) => weights && [...weights])).toEqual([undefined, [4, 4], [4, 4], [4], [4, 4]]);
    expect(rows.map(({ document }) => [document.index, document.text])).toEqual([
      [0, "one"],
      [1, "abcd"],
      [2, "abef"],
      [3, "xy"],
      [4, "xzz"],
    ]);
    await expect(read("all", pairWindows(model, pairs, "last"))).rejects.toMatchObject({ code: "bad-input" });
  });

  test("every token of every window is a row or counted once as left out", async () => {
    const rules = fc.subarray(["all*2", "last", "pattern:/[a-f]/"], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
        rules,
        async (documents, select) => {
          const source = plantedModel({ width: 1, state: (token) => [token % 5 === 0 ? 99 : 1] });
          const special = { ...source, specialTokens: async () => new Set([99, 101, 256]) };
          for (const { tokens, states, weights, leftOut, read: total } of await read(
            select.join(","),
            corpusOf(documents),
            special,
          )) {
            const { first, special: specials, sink, unselected } = leftOut;
            expect(tokens.length + first + specials + sink + unselected).toBe(total);
            expect(states.map(({ length }) => length)).toEqual([tokens.length, 3 * tokens.length]);
            if (weights) expect(weights.every((weight) => weight > 0)).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("readRows works both models ahead of its caller", () => {
  /** Lets everything that waits on the event loop happen. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const endless = async function* (): AsyncGenerator<CorpusDocument> {
    for (let index = 0; ; index++) yield { index, text: "abcdefg".repeat(9), source: "endless", fraction: 0 };
  };

  test("while the caller holds a window both sides read on, up to about two units and no further", async () => {
    const [source, target] = [plantedModel(), plantedModel()];
    const rows = readRows(source, target, toWindows(source, endless(), { context: 64 }), sites);
    await rows.next();
    await settle();
    const [first, same] = [source.read.length, target.read.length];
    await settle();
    expect([source.read.length, target.read.length]).toEqual([first, same]);
    for (const count of [first, same]) {
      expect(count * 64).toBeGreaterThan(8192); // a unit waits on each side
      expect(count * 64).toBeLessThan(3 * 8192); // and the windows that set the bounds were read before
    }
    for (let taken = 0; taken < 200; taken++) await rows.next();
    await settle();
    expect(source.read.length).toBeGreaterThan(first + 100);
    await rows.return();
  });

  test.each(["source", "target"] as const)("the other model reads on while the %s is stuck", async (slow) => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const models = { source: plantedModel(), target: plantedModel() };
    const blocked: Model = {
      ...models[slow],
      async *readStates(windows, options) {
        await stuck;
        yield* models[slow].readStates(windows, options);
      },
    };
    const [source, target] = slow === "source" ? [blocked, models.target] : [models.source, blocked];
    const rows = readRows(source, target, toWindows(source, endless(), { context: 64 }), sites);
    const first = rows.next();
    await settle();
    const other = slow === "source" ? models.target : models.source;
    expect(models[slow].read).toEqual([]);
    expect(other.read.length * 64).toBeGreaterThanOrEqual(8192);
    expect(other.read.length * 64).toBeLessThan(2 * 8192);
    release();
    expect((await first).value).toMatchObject({ window: 0 });
    await rows.return();
  });
});

test("readRows stops at states that are not finite and says where", async () => {
  const broken = plantedModel({ name: "broken", width: 1, state: (token) => [token === 99 ? Number.NaN : 1] });
  await expect(rowsOf(plantedModel(), broken, corpusOf(["ab", "abc"]))).rejects.toMatchObject({
    code: "engine",
    message: "broken at resid_post.2: expected finite hidden states, got NaN at token 3 of window 1 (c:2)",
  });
});

test("readRows refuses different tokenizers, sites out of range, none or twice, before reading", async () => {
  const source = plantedModel();
  const refuse = (target: Model, options: Partial<ReadRowsOptions>) =>
    expect(rowsOf(source, target, corpusOf(texts), options)).rejects;
  await refuse(plantedModel({ fingerprint: "other" }), {}).toMatchObject({ code: "incompatible" });
  await refuse(plantedModel(), { sourceSites: [residPost(4)] }).toThrow(
    "source layer: expected a layer from 0 to 3, got 4",
  );
  await refuse(plantedModel(), { targetSites: [] }).toThrow("target sites: expected at least one, got none");
  await refuse(plantedModel(), { targetSites: [residPost(1), residPost(1)] }).toThrow(
    "target sites: expected each once, got resid_post.1 twice",
  );
  expect(source.read).toEqual([]);
});

test("readRows passes on a failure of either model or of the corpus, and is interrupted by a signal", async () => {
  const failing = plantedModel({
    state: (token) => {
      if (token === 99) throw new Error("engine broke");
      return [1, 1, 1];
    },
  });
  const two = () => corpusOf(["ab", "abc"]);
  await expect(rowsOf(plantedModel(), failing, two())).rejects.toThrow("engine broke");
  await expect(rowsOf(failing, plantedModel(), two())).rejects.toThrow("engine broke");
  async function* broken(): AsyncGenerator<CorpusDocument> {
    yield { index: 0, text: "ab", source: "broken", fraction: 0 };
    throw new Error("disk broke");
  }
  const windows = toWindows(plantedModel(), broken(), { context: 8 });
  await expect(rowsOf(plantedModel(), plantedModel(), windows)).rejects.toThrow("disk broke");
  const signal = AbortSignal.abort();
  await expect(rowsOf(plantedModel(), plantedModel(), two(), { signal })).rejects.toMatchObject({ code: "aborted" });
});

test.each([1, 5000])("readRows closes the corpus when the caller stops after %d rows", async (most) => {
  const [source, target] = [plantedModel(), plantedModel()];
  let ended = false;
  async function* endless(): AsyncGenerator<CorpusDocument> {
    try {
      for (let index = 0; ; index++) yield { index, text: "abcdefg", source: "endless", fraction: 0 };
    } finally {
      ended = true;
    }
  }
  let rows = 0;
  for await (const { tokens } of readRows(source, target, toWindows(source, endless(), { context: 8 }), sites)) {
    rows += tokens.length;
    if (rows >= most) break;
  }
  expect(ended).toBe(true);
  const before = target.read.length;
  await new Promise((resolve) => setImmediate(resolve));
  expect(target.read.length).toBe(before); // nothing goes on behind the caller's back
});
