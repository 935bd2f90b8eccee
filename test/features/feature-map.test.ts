import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { residPost } from "../../src/engine/site.ts";
import type { FeatureMap } from "../../src/features/s2l/feature-map.ts";
import { readFeatureMap, writeFeatureMap } from "../../src/features/s2l/feature-map-file.ts";
import { featureVector } from "../../src/features/s2l/feature-vector.ts";
import { fitFeatureMap } from "../../src/features/s2l/fit-feature-map.ts";
import { fitMap } from "../../src/maps/fit-map.ts";
import { openDemo } from "../engine/demo-models.ts";
import { signSae } from "./sign-sae.ts";

let small: EngineModel;
let large: EngineModel;
let folder: string;
let map: FeatureMap;
const stories = Array.from(
  { length: 60 },
  (_, i) =>
    `Once upon a time there was a ${["dog", "cat", "bird", "girl", "boy"][i % 5]} who ${["ran", "sang", "slept", "swam"][i % 4]} near the ${["lake", "house", "hill"][i % 3]}. ` +
    `Then ${["Anna", "Tom", "Lily"][i % 3]} found ${i % 7} red balls and gave ${["one", "two", "all"][i % 3]} of them to a friend.`,
);
const corpus = toCorpus("stories", stories);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "feature-map-"));
  [small, large] = [await openDemo("xs"), await openDemo("s")];
  map = await fitFeatureMap(small, large, {
    sae: signSae(small.description.width),
    saeName: "signs",
    sourceSite: residPost(1),
    targetSite: residPost(1),
    corpus,
    seed: 3,
  });
});
afterAll(async () => {
  await Promise.all([small?.close(), large?.close(), rm(folder, { recursive: true, force: true })]);
});

describe("fitFeatureMap(source, target, { sae, sites, corpus })", () => {
  test("from codes that lose nothing explains what the map between hidden states explains, on the same rows", async () => {
    const { map: affine } = await fitMap(small, large, {
      corpus,
      sourceSite: residPost(1),
      targetSite: residPost(1),
      seed: 3,
    });
    expect(map.fit.rows.heldOut).toBe(affine.scores.rows);
    expect(map.target.medianNorm).toBeCloseTo(affine.target.medianNorm, 1);
    // Signs apart it is the same regression, with another penalty.
    expect(Math.abs(map.scores.r2 - affine.scores.r2)).toBeLessThan(0.05);
    expect(map.scores.nulls.tokenTable).toBeCloseTo(affine.scores.tokenIdentity.table, 2);
    expect(map.scores.nulls.shuffled.r2).toBeLessThan(0.05);
    expect(map.scores.nulls.mean.r2).toBeLessThanOrEqual(0);
  });

  test("of a model onto itself explains all", async () => {
    const own = await fitFeatureMap(small, small, {
      sae: signSae(small.description.width),
      saeName: "signs",
      sourceSite: residPost(1),
      targetSite: residPost(1),
      corpus,
      lambdas: [1e-6],
    });
    expect(own.scores.r2).toBeGreaterThan(0.999);
    // Feature 2j writes dimension j.
    const { vector } = featureVector(own, [{ feature: 10 }]).directions[0]!;
    expect(vector[5]).toBeCloseTo(1, 1);
  });

  test("records the text that was fitted on, and none that was only read ahead", async () => {
    const options = { sourceSite: residPost(1), targetSite: residPost(1), corpus, maxRows: 1500 };
    const short = await fitFeatureMap(small, large, { ...options, sae: signSae(96), saeName: "signs" });
    const { map: affine } = await fitMap(small, large, options);
    expect(short.fit.corpus).toEqual(affine.fit.corpus);
    expect(short.fit.corpus.documents).toBeLessThan(60);
  });

  test("featureVector adds weighted rows of B and steers the target", async () => {
    const [one, other] = [7, 12].map((feature) => featureVector(map, [{ feature }]).directions[0]!.vector);
    const both = featureVector(map, [
      { feature: 7, weight: 2 },
      { feature: 12, weight: -1 },
    ]);
    both.directions[0]!.vector.forEach((value, i) => {
      expect(value).toBeCloseTo(2 * one![i]! - other![i]!, 4);
    });
    expect(both.provenance.concept).toBe("feature 2 × 7 + -1 × 12 of signs");
    expect(both.provenance.model?.sha256).toBe(await large.sha256());
    expect(() => featureVector(map, [])).toThrow("at least one");
    expect(() => featureVector(map, [{ feature: 7 }, { feature: 7, weight: -1 }])).toThrow("do not cancel out");
  });

  test("an autoencoder of another width, penalties of nothing and too little text are refused", async () => {
    const options = { saeName: "signs", sourceSite: residPost(1), targetSite: residPost(1), corpus };
    await expect(fitFeatureMap(small, large, { ...options, sae: signSae(8) })).rejects.toThrow("width 96");
    const sae = signSae(96);
    await expect(fitFeatureMap(small, large, { ...options, sae, lambdas: [0] })).rejects.toThrow("penalties above 0");
    await expect(fitFeatureMap(small, large, { ...options, sae, maxRows: Number.NaN })).rejects.toThrow("got NaN");
    await expect(fitFeatureMap(small, large, { ...options, sae, seed: -1.5 })).rejects.toThrow("got -1.5");
    const little = toCorpus("little", ["One sentence."]);
    await expect(fitFeatureMap(small, large, { ...options, sae, corpus: little })).rejects.toThrow("to hold some out");
  });
});

describe("files of feature maps", () => {
  test("readFeatureMap(writeFeatureMap(map)) is the map, to the bit", async () => {
    const path = join(folder, "map.safetensors");
    await writeFeatureMap(path, map);
    expect(await readFeatureMap(path)).toEqual(map);
  });

  test("a damaged file is refused by name, or read as what it was", async () => {
    const path = join(folder, "damaged.safetensors");
    await writeFeatureMap(path, map);
    const bytes = await readFile(path);
    const text = bytes.toString("latin1");
    const broken = [
      text.replace('\\"features\\":192', '\\"features\\":191'),
      text.replace("resid_post.1", "resid_post.9"),
      text.replace("trimtab-feature-map", "trimtab-feature-mop"),
      text.slice(0, -9),
    ];
    for (const damaged of broken) {
      expect(damaged).not.toBe(text);
      await writeFile(path, Buffer.from(damaged, "latin1"));
      await expect(readFeatureMap(path)).rejects.toThrow(path);
    }
  });
});
