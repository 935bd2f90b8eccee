import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContrastSet } from "../../src/activations/contrast-set.ts";
import { toCorpus } from "../../src/activations/corpus.ts";
import { openModel } from "../../src/engine/open.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { TrimtabError } from "../../src/errors.ts";
import { openCellStore } from "../../src/evaluate/cell-store.ts";
import { readItems } from "../../src/evaluate/items.ts";
import { readLines } from "../../src/formats/read-lines.ts";
import { toScaleReport } from "../../src/report/studies/scale-report.ts";
import { createModelShelf } from "../../src/study/scale/model-shelf.ts";
import { layerAtDepth } from "../../src/study/scale/scale-bench.ts";
import type { ScaleModel } from "../../src/study/scale/scale-model.ts";
import type { ScalePair } from "../../src/study/scale/scale-result.ts";
import { correlateWithSize } from "../../src/study/scale/size-trend.ts";
import { type StudyScaleOptions, studyScale } from "../../src/study/scale/study-scale.ts";
import { demoPath } from "../engine/demo-models.ts";
import { formatModel, readWeights, toImage, xs32 } from "./image-model.ts";

let folder: string;
let image: string;
const opened: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-scale-"));
  image = join(folder, "image.gguf");
  await writeFile(image, await formatModel(toImage(await readWeights()), { isImage: true }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const toModel = (name: string, path: string): ScaleModel => ({
  name,
  files: () => Promise.resolve([path]),
  open: () => {
    opened.push(name);
    return openModel(path, { threads: 1 });
  },
});

async function run(models: readonly ScaleModel[], cells: string, options: Partial<StudyScaleOptions> = {}) {
  const texts: string[] = [];
  for await (const { text } of readLines("models/data/corpus.jsonl.gz")) {
    // Short pieces: many windows, so that some are held out.
    texts.push((JSON.parse(text) as { text: string }).text.slice(0, 160));
    if (texts.length === 90) break;
  }
  const french = {
    name: "french",
    pairs: (await readContrastSet("models/data/pairs/french.jsonl")).slice(0, 16),
    items: (await readItems("models/data/items/french.jsonl")).slice(0, 8),
  };
  await using store = await openCellStore(join(folder, cells));
  return await studyScale(models, [french], {
    corpus: toCorpus("stories", texts),
    maxRows: 3000,
    seeds: [0],
    strengths: [-0.5, 0.5],
    reference: 0.5,
    random: 4,
    resamples: 50,
    self: false,
    cells: store,
    roomBytes: 2 ** 40,
    ...options,
  });
}

describe("studyScale(models, concepts)", () => {
  test("finds a linear image at both ends of a perfect map, other tokenizers and missing files with their reason, and goes on without opening anything", async () => {
    const models = [
      toModel("xs", xs32),
      toModel("image", image),
      toModel("other words", demoPath("xs1k")),
      {
        ...toModel("gone", "gone.gguf"),
        files: () => Promise.reject(new TrimtabError("not-found", "gone.gguf: no such file")),
      },
    ];
    const first = await run(models, "cells.jsonl", { align: { kind: "ids" } });
    expect(first.pairs.map(({ source, target }) => `${source} ${target}`)).toHaveLength(12);
    const of = (source: string, target: string) =>
      first.pairs.find((pair) => pair.source === source && pair.target === target)!;
    for (const pair of [of("xs", "image"), of("image", "xs")]) {
      expect(pair.problem).toBeNull();
      expect(pair.map!.layers).toEqual({ source: 1, target: 1 });
      // Not 1: the ridge penalty takes a little, and keys and values are kept in F16.
      expect(pair.map!.r2.value!).toBeGreaterThan(0.999);
      expect(pair.map!.beyond.value!).toBeGreaterThan(0.99);
      expect(pair.map!.nulls.shuffled.value!).toBeLessThan(0.1);
      const [french] = pair.concepts;
      expect(french!.cosine.value!).toBeGreaterThan(0.999);
      expect(french!.slopeRatio.value!).toBeCloseTo(1, 1);
      expect(french!.deltaR.value!).toBeGreaterThan(0.99);
      expect(french!.deltaR.interval!.low).toBeLessThanOrEqual(french!.deltaR.value!);
      expect(french!.otherCosine.value).toBeNull();
    }
    expect(of("xs", "other words").problem).toMatch(/tokenizers/);
    expect(of("xs", "gone").problem).toMatch(/gone\.gguf/);
    expect(of("xs", "gone").ratio).toBeNull();
    expect(first.models.find(({ name }) => name === "gone")).toMatchObject({
      model: null,
      problem: expect.stringMatching(/gone/),
    });
    // Every model once: there is room for all.
    expect([...opened].sort()).toEqual(["image", "other words", "xs"]);

    opened.length = 0;
    const { warnings: _, ...again } = await run(models.slice(0, 2), "cells.jsonl", { align: { kind: "ids" } });
    expect(opened).toEqual([]);
    expect(again.pairs).toEqual([of("xs", "image"), of("image", "xs")]);

    const report = toScaleReport({ ...first, run: { title: "t", seed: 0, software: [], models: [], warnings: [] } });
    expect(report.answer[0]).toMatch(/10 of 12 pairs could not be measured/);
    expect(report.sections[0]!.figures[0]!.table.rows).toHaveLength(12);
  });

  test("refuses one model, names given twice, and a depth that is none", async () => {
    const xs = toModel("xs", xs32);
    await expect(run([xs], "a.jsonl")).rejects.toThrow(/at least 2/);
    await expect(run([xs, xs], "b.jsonl")).rejects.toThrow(/xs again/);
    await expect(run([xs, toModel("image", image)], "c.jsonl", { depth: 0 })).rejects.toThrow(/share above 0/);
  });
});

describe("correlateWithSize(pairs, sizes)", () => {
  const sizes = new Map([
    ["a", 1],
    ["b", 2],
    ["c", 8],
  ]);
  const summary = (r2: number): ScalePair["summary"] => ({
    r2,
    beyond: null,
    cosine: null,
    r: null,
    deltaR: null,
    slopeRatio: null,
    z: null,
  });
  const names = [...sizes.keys()];
  const pairs = (value: (from: number, to: number) => number) =>
    names.flatMap((source) =>
      names
        .filter((target) => target !== source)
        .map((target) => ({ source, target, summary: summary(value(sizes.get(source)!, sizes.get(target)!)) })),
    );

  test("finds a planted dependence, with the p that three models allow", () => {
    const [r2, beyond] = correlateWithSize(
      pairs((from, to) => 0.5 - 0.1 * Math.log2(to / from)),
      sizes,
      { seed: 0 },
    );
    expect(r2).toMatchObject({ measure: "r2", pairs: 6, models: 3, permutations: 6 });
    expect(r2!.ratio).toBeCloseTo(-1, 12);
    expect(r2!.ratioRank).toBeCloseTo(-1, 12);
    // Of the six deals of 0, 1 and 3 (log₂ of the sizes) no other gives the same ratios, up to their sign.
    expect(r2!.p).toBeCloseTo(1 / 6, 12);
    expect(beyond).toMatchObject({ pairs: 0, ratio: null, p: null });
  });

  test("splits what depends on the source alone, and leaves a model with itself out", () => {
    const of = pairs((from) => Math.log2(from));
    const own = { source: "a", target: "a", summary: summary(99) };
    const [r2] = correlateWithSize([...of, own], sizes, { seed: 0 });
    expect(r2!.pairs).toBe(6);
    expect(r2!.source).toBeCloseTo(1, 12);
    expect(r2!.target!).toBeLessThan(0);
  });
});

describe("createModelShelf(models, roomBytes)", () => {
  test("closes what was not used for longest, never what is used beside", async () => {
    const closed: string[] = [];
    const model = (name: string) => ({
      bytes: 10,
      open: () => Promise.resolve({ close: () => Promise.resolve(void closed.push(name)) } as unknown as OpenModel),
    });
    const shelf = createModelShelf(new Map(["a", "b", "c"].map((name) => [name, model(name)])), 20);
    const a = await shelf.borrow("a");
    await shelf.borrow("b");
    expect(await shelf.borrow("a")).toBe(a);
    await shelf.borrow("c");
    expect(closed).toEqual(["b"]);
    await shelf.borrow("b", ["a"]);
    expect(closed).toEqual(["b", "c"]);
    expect([...shelf.openings]).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 1],
    ]);
    await shelf[Symbol.asyncDispose]();
    expect(closed.sort()).toEqual(["a", "b", "b", "c"]);
  });
});

test("layerAtDepth(depth, blocks) is the layer after that share of the blocks, never the last", () => {
  expect([3, 4, 6, 42].map((blocks) => layerAtDepth(0.5, blocks))).toEqual([1, 1, 2, 20]);
  expect([layerAtDepth(1, 6), layerAtDepth(0.01, 6), layerAtDepth(0.5, 1)]).toEqual([4, 0, 0]);
});
