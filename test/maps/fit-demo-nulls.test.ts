import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openModel } from "../../src/engine/open.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { reverseCollection } from "../../src/maps/collect/reverse-collection.ts";
import { fitCollection, fitMaps } from "../../src/maps/fit-map.ts";
import { writeUntrainedCopy } from "../../src/models/untrained-copy.ts";
import { demoPath, openDemo } from "../engine/demo-models.ts";

const options = { corpus: resolve("models/data/corpus.jsonl.gz"), maxRows: 6000, seed: 1 };
const maps = [{ sources: [0], target: 1 }] as const;
const layers = { kind: "pairs", maps } as const;
let small: OpenModel;
let large: OpenModel;
let untrained: OpenModel;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-nulls-"));
  const path = join(folder, "untrained.gguf");
  await writeUntrainedCopy(demoPath("xs"), path, { seed: 1 });
  [small, large, untrained] = await Promise.all([openDemo("xs"), openDemo("s"), openModel(path, { threads: 1 })]);
}, 120_000);
afterAll(async () => {
  await Promise.all([small.close(), large.close(), untrained.close()]);
  await rm(folder, { recursive: true });
});

test("a source that was never trained scores well below the trained one, beside which it is reported", async () => {
  const { maps: fitted, warnings } = await fitMaps(small, large, { ...options, layers, untrained });
  const { r2, nulls } = fitted[0]!.scores;
  // Even random features tell tokens apart, so the null is far above zero; the gap is what training is worth.
  expect(nulls.untrained!.r2).toBeGreaterThan(0);
  expect(nulls.untrained!.r2).toBeLessThan(r2 - 0.05);
  expect(nulls.untrained!.cosine.centred).toBeLessThan(fitted[0]!.scores.cosine.centred);
  expect(warnings.join("\n")).not.toMatch(/never trained/);
  // Fitted from the untrained model itself, the null is all there is, and a warning says so.
  const nothing = await fitMaps(untrained, large, { ...options, layers, untrained });
  expect(nothing.maps[0]!.scores.nulls.untrained!.r2).toBeCloseTo(nothing.maps[0]!.scores.r2, 12);
  expect(nothing.warnings.join("\n")).toMatch(/never trained .* that of 0:1 is not evidence of anything learned/);
}, 120_000);

test("AdamW from text learns the demo models' map, held out, but less than the exact fit of the same rows", async () => {
  const exact = (await fitMaps(small, large, { ...options, layers })).maps[0]!;
  const { maps: descended, warnings } = await fitMaps(small, large, {
    ...options,
    layers,
    method: "adamw",
    adamw: { epochs: 2, learningRate: 1e-3 },
  });
  const map = descended[0]!;
  expect(map.fit).toMatchObject({ method: "adamw", rows: exact.fit.rows, corpus: exact.fit.corpus });
  expect(map.scores.rows).toBe(exact.scores.rows);
  expect(map.scores.r2).toBeLessThan(exact.scores.r2);
  expect(warnings.join("\n")).toMatch(/not converged/);
}, 120_000);

test("collected once, the demo models' moments give maps in both directions", async () => {
  const collection = await collectMoments(small, large, { ...options, layers: { kind: "maps", maps } });
  const forward = fitCollection(collection, { layers }).maps[0]!;
  const back = fitCollection(reverseCollection(collection), {
    layers: { kind: "pairs", maps: [{ sources: [1], target: 0 }] },
  }).maps[0]!;
  expect([back.A.rows, back.A.cols]).toEqual([forward.A.cols, forward.A.rows]);
  expect(back.sources[0]!).toEqual(forward.target);
  expect(back.target).toEqual(forward.sources[0]);
  // The way back is as much a prediction as the way there: the smaller model's states are mostly in the larger's.
  expect(back.scores.r2).toBeGreaterThan(0.2);
}, 120_000);
