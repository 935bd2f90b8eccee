import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { type ModelIdentity, toIdentity } from "../../src/engine/description.ts";
import { openModel } from "../../src/engine/open.ts";
import { residPost, type Site } from "../../src/engine/site.ts";
import { type PropensityItem, readItems } from "../../src/evaluate/items.ts";
import { mean, pearson } from "../../src/evaluate/statistics.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import type { MapScores } from "../../src/maps/score/map-scores.ts";
import { type ModelChange, type PredictChangeOptions, predictChange } from "../../src/study/predict/predict-change.ts";
import { scorePredictions } from "../../src/study/predict/score-predictions.ts";
import { formatModel, imageMatrix, readWeights, toImage, xs32 } from "./image-model.ts";

let folder: string;
let items: readonly PropensityItem[];
const identities = {} as Record<"small" | "large", ModelIdentity>;
const paths = { small: xs32, smallAfter: "", large: "", largeAfter: "" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-predict-"));
  // Answers of several tokens, and of one.
  items = [
    ...(await readItems("models/data/items/past.jsonl")).slice(0, 3),
    ...(await readItems("models/data/items/happy.jsonl")).slice(0, 3),
  ];
  // The change: the values of the first block's attention. Nothing behind the second block is changed.
  const random = seededRandom(9);
  const after = await readWeights((weight) =>
    weight.name === "blk.0.attn_v.weight"
      ? { ...weight, data: weight.data.map((value) => value + 0.15 * random.normal()) }
      : weight,
  );
  const save = async (name: string, bytes: Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  };
  paths.smallAfter = await save("small-after.gguf", await formatModel(after));
  paths.large = await save("large.gguf", await formatModel(toImage(await readWeights()), { isImage: true }));
  for (const side of ["small", "large"] as const) {
    await using model = await open(paths[side]);
    identities[side] = toIdentity(model.description, await model.sha256());
  }
  paths.largeAfter = await save("large-after.gguf", await formatModel(toImage(after), { isImage: true }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

// Exact keys and values, so that what differs is what is tested.
const open = (path: string) => openModel(path, { threads: 1, cache: "f32" });

function toMap(A: Matrix, site: Site, target: ModelIdentity = identities.small): AffineMap {
  const end = (model: ModelIdentity) => ({ model, site, medianNorm: 10 });
  const scores = { r2: 1 } as MapScores;
  const fit = {} as AffineMap["fit"];
  return { sources: [end(identities.small)], target: end(target), A, p: new Float64Array(A.rows), fit, scores };
}

function identity(): Matrix {
  const A = createMatrix(96, 96);
  for (let i = 0; i < 96; i++) A.data[i * 97] = 1;
  return A;
}

const vectorOf = (norm: number): Float32Array => {
  const random = seededRandom(4);
  const drawn = Float32Array.from({ length: 96 }, () => random.normal());
  return drawn.map((value) => (norm * value) / Math.hypot(...drawn));
};

function predict(options: Pick<PredictChangeOptions, "map" | "change"> & Partial<PredictChangeOptions>) {
  const own = { openSmall: () => open(xs32), openLarge: () => open(xs32) };
  return predictChange({ ...own, items, draws: 2, resamples: 30, ...options });
}

const changesOf = ({ predictions }: Awaited<ReturnType<typeof predictChange>>, name: string) =>
  predictions.find((prediction) => prediction.name === name)!.changes;

const furthest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

// Sums of float32 in other batches and graphs; changes are of the order of 1 nat.
const rounding = 2e-3;

describe("predictChange({ map, change, truth })", () => {
  test("predicts a steering vector to rounding where the large model is the small one and the map is the identity, in all three ways", async () => {
    const change: ModelChange = {
      description: "vector",
      steering: () => Promise.resolve([{ layer: 1, vector: vectorOf(4) }]),
    };
    const found = await predict({
      map: toMap(identity(), residPost(1)),
      change,
      truth: change,
    });
    const truth = found.truth!.changes;
    expect(Math.max(...truth.map(Math.abs))).toBeGreaterThan(0.3);
    for (const name of ["mean change", "each item's own change", "position by position"]) {
      expect(furthest(changesOf(found, name), truth), name).toBeLessThan(rounding);
      const { agreement, divergence } = found.predictions.find((prediction) => prediction.name === name)!;
      expect(agreement!.pearson.value).toBeCloseTo(1, 4);
      expect(agreement!.slope.value).toBeCloseTo(1, 2);
      expect(agreement!.skill.value).toBeCloseTo(1, 4);
      expect(agreement!.sign.value).toBe(1);
      expect(divergence!).toBeLessThan(1e-5);
    }
    expect(found.truth!.divergence!).toBeGreaterThan(1e-3);
    expect(found.small.coherence).toBeCloseTo(1, 4);
    expect(found.small.length).toBeCloseTo(4, 3);
    // The baseline is as good here: the two models are one.
    expect(furthest(changesOf(found, "the small model's own change"), truth)).toBeLessThan(rounding);
    for (const { skill } of found.nulls) expect(Math.max(...skill!.map(Number))).toBeLessThan(0.9);
  });

  test("predicts changed weights position by position where the large model is a known linear image, and less by the mean", async () => {
    const found = await predict({
      openSmall: () => open(paths.small),
      openLarge: () => open(paths.large),
      map: toMap(imageMatrix(), residPost(1), identities.large),
      change: { description: "small after", open: () => open(paths.smallAfter) },
      truth: { description: "large after", open: () => open(paths.largeAfter) },
    });
    const truth = found.truth!.changes;
    expect(Math.max(...truth.map(Math.abs))).toBeGreaterThan(0.3);
    expect(furthest(changesOf(found, "position by position"), truth)).toBeLessThan(rounding);
    const skill = (name: string) =>
      found.predictions.find((prediction) => prediction.name === name)!.agreement!.skill.value!;
    expect(skill("mean change")).toBeLessThan(0.95);
    expect(found.models.source.sha256).not.toBe(found.models.target.sha256);
    expect(found.small.carriedLength / found.small.length).toBeGreaterThan(0);
  });

  test("predicts a prefix position by position at the last site, where a position's state is all that its answer depends on", async () => {
    const change: ModelChange = { description: "prefix", tell: { prefix: "IT WAS A LOUD DAY. " } };
    const found = await predict({
      map: toMap(identity(), residPost(2)),
      change,
      truth: change,
    });
    expect(Math.max(...found.truth!.changes.map(Math.abs))).toBeGreaterThan(0.3);
    expect(furthest(changesOf(found, "position by position"), found.truth!.changes)).toBeLessThan(rounding);
    expect(found.small.alignedShare).toBeGreaterThan(0.7);
  });

  test("without truth predicts and scores nothing", async () => {
    const change: ModelChange = { description: "prefix", tell: { prefix: "He was sad. " } };
    const map = toMap(identity(), residPost(1));
    const found = await predict({ map, change, positions: false });
    expect(found.truth).toBeNull();
    expect(found.predictions.map(({ name, agreement, divergence }) => [name, agreement, divergence])).toEqual([
      ["mean change", null, null],
      ["each item's own change", null, null],
      ["the small model's own change", null, null],
    ]);
    expect(found.nulls.every(({ pearson: r, meanChanges }) => r === null && meanChanges.length === 2)).toBe(true);
  });

  test("takes the mean change over a corpus, and tells an unrelated change and a map of shuffled pairs from it", async () => {
    const steer = (layer: number, norm: number): ModelChange => ({
      description: `vector at ${layer}`,
      steering: () => Promise.resolve([{ layer, vector: vectorOf(norm) }]),
    });
    const texts = Array.from(
      { length: 40 },
      (_, i) => `Once upon a time there was a girl. She had ${i} dogs and was very happy.`,
    );
    const found = await predict({
      map: toMap(identity(), residPost(1)),
      change: steer(1, 4),
      truth: steer(1, 4),
      unrelated: { ...steer(1, -4), description: "the reverse" },
      rows: "corpus",
      corpus: toCorpus("stories", texts),
      maxRows: 600,
    });
    const of = (name: string) => found.predictions.find((prediction) => prediction.name === name)!;
    expect(furthest(of("mean change").changes, found.truth!.changes)).toBeLessThan(rounding);
    expect(of("the reverse, unrelated").agreement!.skill.value!).toBeLessThan(0.3);
    expect(of("map of shuffled pairs").agreement!.skill.value!).toBeLessThan(0.5);
  });

  test("refuses a change behind the map's source, models that are not the map's, and rows that there are not", async () => {
    const map = toMap(identity(), residPost(0));
    const change: ModelChange = {
      description: "vector",
      steering: () => Promise.resolve([{ layer: 1, vector: vectorOf(4) }]),
    };
    await expect(predict({ map, change })).rejects.toMatchObject({
      code: "bad-input",
      hint: expect.stringMatching(/later one/),
    });
    await expect(predict({ map, change, items: items.slice(0, 1) })).rejects.toThrow(/at least two/);
    await expect(predict({ map, change, rows: "corpus" })).rejects.toThrow(/a corpus/);
    const blank = { description: "blank", tell: { prefix: "  " } };
    await expect(predict({ map, change: blank })).rejects.toThrow(/prefix: expected some text/);
    const other = { ...map, target: { ...map.target, model: { ...map.target.model, width: 128 } } };
    await expect(
      predict({
        map: other,
        change: { ...change, steering: () => Promise.resolve([{ layer: 0, vector: vectorOf(4) }]) },
      }),
    ).rejects.toMatchObject({ code: "incompatible" });
  });
});

describe("scorePredictions(predictions, truth, small)", () => {
  test("gives the numbers of their definitions, and intervals that hold them", () => {
    const random = seededRandom(1);
    const truth = Array.from({ length: 80 }, () => random.normal() + 0.5);
    const predicted = truth.map((value) => 0.5 * value + 0.3 * random.normal());
    const small = truth.map((value) => value + random.normal());
    const [score] = scorePredictions([predicted], truth, small, { seed: 2, resamples: 400 });
    const mse = mean(predicted.map((value, i) => (value - truth[i]!) ** 2));
    const own = mean(small.map((value, i) => (value - truth[i]!) ** 2));
    // Cov(x, y) / Var(x).
    const [x, y] = [mean(predicted), mean(truth)];
    const slope =
      mean(predicted.map((value, i) => (value - x) * (truth[i]! - y))) /
      mean(predicted.map((value) => (value - x) ** 2));
    expect(score!.pearson.value).toBeCloseTo(pearson(predicted, truth), 12);
    expect(score!.mse.value).toBeCloseTo(mse, 12);
    expect(score!.skill.value).toBeCloseTo(1 - mse / mean(truth.map((value) => value ** 2)), 12);
    expect(score!.slope.value).toBeCloseTo(slope, 12);
    expect(score!.gainOverSmall.value).toBeCloseTo(own - mse, 12);
    const right = truth.filter((value, i) => Math.sign(value) === Math.sign(predicted[i]!)).length;
    expect(score!.sign.value).toBeCloseTo(right / 80, 12);
    for (const { value, interval } of Object.values(score!)) {
      expect(interval!.low).toBeLessThan(value!);
      expect(interval!.high).toBeGreaterThan(value!);
    }
  });

  test("gives skill 0 to no change and 1 to the truth, and a gain of 0 to the small model's own change", () => {
    const truth = [1, -2, 3, 0.5];
    const small = [0.5, -1, 2, 1];
    const [none, all, own] = scorePredictions([[0, 0, 0, 0], truth, small], truth, small, { seed: 1, resamples: 20 });
    expect([none!.skill.value, none!.pearson.value]).toEqual([0, null]);
    expect([all!.skill.value, all!.slope.value, all!.sign.value]).toEqual([1, 1, 1]);
    expect(own!.gainOverSmall.value).toBe(0);
  });
});
