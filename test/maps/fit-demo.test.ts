import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rowNorms } from "../../src/activations/row-norms.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { applyMap } from "../../src/maps/affine-map.ts";
import { type FitMapResult, fitMap } from "../../src/maps/fit-map.ts";
import { defaultLayerPair } from "../../src/maps/layer-pairs.ts";
import { readMap, writeMap } from "../../src/maps/map-file.ts";
import { openDemo } from "../engine/demo-models.ts";

const corpus = resolve("models/data/corpus.jsonl.gz");
const options = { corpus, sourceSite: residPost(1), targetSite: residPost(2), maxRows: 8000, seed: 1 };
let small: OpenModel;
let large: OpenModel;
let fitted: FitMapResult;
beforeAll(async () => {
  [small, large] = await Promise.all([openDemo("s"), openDemo("m")]);
  fitted = await fitMap(small, large, options);
}, 120_000);
afterAll(() => Promise.all([small.close(), large.close()]));

test("fitMap on the demo family explains held-out states, beyond token identity too, and nulls explain nothing", () => {
  const { scores, fit, sources, target } = fitted.map;
  // 20k rows of two trained models reach 0.43 ± 0.05; 8k rows and the interval of 5 windows leave that much room.
  expect(scores.r2).toBeGreaterThan(0.3);
  expect(scores.r2).toBeLessThan(0.8);
  expect(scores.cosine.raw).toBeGreaterThan(0.5);
  expect(scores.tokenIdentity.table).toBeGreaterThan(0.3);
  expect(scores.tokenIdentity.beyond).toBeGreaterThan(0.05);
  // The shuffled null loses about width/rows = 128/6400.
  for (const { r2 } of [scores.nulls.mean, scores.nulls.shuffled, scores.nulls.randomOrthogonal])
    expect(Math.abs(r2)).toBeLessThan(0.05);
  expect(fit.rows.leftOut.first).toBe(fit.corpus.windows);
  expect(sources[0]!.site).toEqual(residPost(1));
  expect(sources[0]!.medianNorm).toBeGreaterThan(1);
  expect(target.medianNorm).toBeGreaterThan(1);
});

test("fitMap on the demo family gives the same map again", async () => {
  expect(await fitMap(small, large, options)).toEqual(fitted);
}, 60_000);

test("a map that was written and read predicts the large model's states on text it has not seen", async () => {
  const folder = await mkdtemp(join(tmpdir(), "trimtab-fit-"));
  try {
    await writeMap(join(folder, "map.safetensors"), fitted.map);
    const map = await readMap(join(folder, "map.safetensors"));
    const tokens = await small.tokenize("One day, a little dog named Max went to the park. He was very happy.");
    const state = async (model: OpenModel, layer: number): Promise<Float32Array> => {
      for await (const { states } of model.readStates([tokens], { sites: [residPost(layer)] })) return states[0]!;
      throw new Error("no window");
    };
    const [X, Y] = [await state(small, 1), await state(large, 2)];
    const predicted = applyMap(map, X);
    const d = large.description.width;
    let [closer, all] = [0, 0];
    for (let row = 1; row < tokens.length; row++) {
      const at = (rows: Float32Array): Float32Array => rows.subarray(row * d, (row + 1) * d);
      const gap = (a: Float32Array, b: Float32Array): number =>
        rowNorms(
          a.map((v, i) => v - b[i]!),
          d,
        )[0]!;
      const mean = Float32Array.from(applyMap({ A: map.A, p: map.p }, new Float32Array(map.A.cols)));
      all++;
      if (gap(at(predicted), at(Y)) < gap(mean, at(Y))) closer++;
    }
    expect(closer / all).toBeGreaterThan(0.9);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("defaultLayerPair(…) names layers that both demo models have", () => {
  const pair = defaultLayerPair(small.description.blocks, large.description.blocks);
  expect(pair.source).toBeLessThan(small.description.blocks - 1);
  expect(pair.target).toBeLessThan(large.description.blocks - 1);
});
