import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Corpus, resolveCorpus, toCorpus } from "../../src/activations/corpus.ts";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { residPost } from "../../src/engine/site.ts";
import type { Sae } from "../../src/features/sae.ts";
import type { SaeArm, SaeScores } from "../../src/features/score/sae-scores.ts";
import { scoreSae } from "../../src/features/score/score-sae.ts";
import { readScoredText } from "../../src/features/score/scored-text.ts";
import { splicedLoss } from "../../src/features/score/spliced-loss.ts";
import { openModelRows } from "../../src/features/train/model-rows.ts";
import type { RowChunk } from "../../src/features/train/row-source.ts";
import { trainModelSae } from "../../src/features/train/train-model-sae.ts";
import { logSumExp } from "../../src/linalg/softmax.ts";
import { setLinalgThreads } from "../../src/linalg/threads.ts";
import { openDemo } from "../engine/demo-models.ts";

const site = residPost(1);
let model: EngineModel;
let corpus: Corpus;

beforeAll(async () => {
  setLinalgThreads(1);
  model = await openDemo("xs");
  const all: string[] = [];
  for await (const { text } of (await resolveCorpus("models/data/corpus.jsonl.gz")).documents()) {
    if (all.length === 64) break;
    all.push(text);
  }
  corpus = toCorpus("stories", all);
});
afterAll(() => model.close());

/** Reads and writes every dimension by a feature of either sign: it reconstructs all rows exactly, and is not sparse. */
function wholeSae(width: number): Sae {
  const encoder = new Float32Array(2 * width * width);
  for (let j = 0; j < 2 * width; j++) encoder[j * width + (j >> 1)] = j % 2 === 0 ? 1 : -1;
  return {
    ...{ width, features: 2 * width, activation: "relu", encoder, decoder: encoder },
    ...{ encoderBias: new Float32Array(2 * width), decoderBias: new Float32Array(width) },
    ...{ threshold: undefined, k: undefined, gate: undefined, subtractsDecoderBias: false, inputScale: 1 },
    origin: { format: "trimtab", model: model.description.name, modelSha256: undefined, site, facts: {} },
  };
}

const armOf = ({ arms }: SaeScores, name: SaeArm["name"]): SaeArm => arms.find((arm) => arm.name === name) as SaeArm;

describe("scoreSae(model, sae)", () => {
  test("of an autoencoder that reconstructs every row: all variance explained, all loss recovered; its nulls where they must be", async () => {
    const scores = await scoreSae(model, wholeSae(model.description.width), { corpus, part: "all", maxTokens: 1500 });
    const own = armOf(scores, "autoencoder");
    expect(own.explained.value).toBeCloseTo(1, 10);
    expect(own.cosine).toBeCloseTo(1, 6);
    expect(own.use?.l0).toBe(model.description.width);
    expect(own.use?.dead).toBe(0);
    // Rows go out and in as float32, batched as before: nothing is lost.
    expect(own.loss?.value).toBeCloseTo(scores.clean?.value as number, 5);
    expect(own.recoveredFromMean?.value).toBeCloseTo(1, 5);
    expect(armOf(scores, "mean row").explained.value).toBeCloseTo(0, 6);
    expect(armOf(scores, "mean row").recoveredFromMean?.value).toBe(0);
    expect(armOf(scores, "zero row").recoveredFromZero?.value).toBe(0);
    expect(armOf(scores, "zero row").explained.value).toBeLessThan(0);
    expect(armOf(scores, "shuffled features").explained.value).toBeLessThan(0);
    // The language model is worse without its states, whatever stands there instead.
    expect(armOf(scores, "mean row").loss?.value).toBeGreaterThan(3 * (scores.clean?.value as number));
    expect(scores.corpus.tokens).toBeGreaterThan(1300);
    const { low, high } = own.explained.interval as { low: number; high: number };
    expect(low).toBeLessThanOrEqual(own.explained.value);
    expect(high).toBeGreaterThanOrEqual(own.explained.value);
  });

  test("of one trained here: above its nulls on held-out text, and the same scores twice", async () => {
    const sae = await trainModelSae(model, { site, corpus, features: 128, k: 12, batch: 256, steps: 80 });
    const scores = await scoreSae(model, sae, { corpus });
    expect(scores.corpus.part).toBe("held-out");
    expect(scores.corpus.documents).toBe(7);
    expect(scores.warnings).toEqual(["7 documents: intervals over them are too narrow"]);
    const [own, untrained] = [armOf(scores, "autoencoder"), armOf(scores, "untrained")];
    expect(own.use?.l0).toBeLessThanOrEqual(12);
    expect(own.explained.interval?.low).toBeGreaterThan(untrained.explained.interval?.high as number);
    expect(own.recoveredFromMean?.value).toBeGreaterThan(untrained.recoveredFromMean?.value as number);
    expect(own.recoveredFromMean?.value).toBeGreaterThan(0.5);
    expect(armOf(scores, "shuffled features").recoveredFromMean?.value).toBeLessThan(0.2);
    expect(await scoreSae(model, sae, { corpus })).toEqual(scores);
    expect(sae.origin.facts["training"]).toMatchObject({ steps: 80, rows: 20_480, source: { corpus: "stories" } });
  });

  test("without loss no token is predicted", async () => {
    const sae = wholeSae(model.description.width);
    const scores = await scoreSae(model, sae, { corpus, part: "all", maxTokens: 600, hasLoss: false });
    expect(scores.clean).toBeUndefined();
    expect(armOf(scores, "autoencoder").loss).toBeUndefined();
    expect(armOf(scores, "autoencoder").explained.value).toBeCloseTo(1, 10);
  });

  test("refuses a model of another width and text without held-out documents", async () => {
    await expect(scoreSae(model, wholeSae(64), { corpus })).rejects.toMatchObject({ code: "incompatible" });
    const one = toCorpus("one", ["A story."]);
    await expect(scoreSae(model, wholeSae(96), { corpus: one, seed: 3 })).rejects.toThrow("text to score on");
  });
});

test("splicedLoss of written rows is the loss by the model's own logits with the same edit", async () => {
  const text = await readScoredText(model, { site, corpus, part: "all", maxTokens: 300 }, undefined);
  const { width } = model.description;
  const made = text.units.map(({ rows }) => rows.map((value, at) => value + 0.3 * Math.sin(at)));
  const { sums, tokens } = await splicedLoss(model, text, made, undefined);
  let at = 0;
  let expected = 0;
  let count = 0;
  for (const { window, states, kept } of text.units[0]?.windows ?? []) {
    const vector = states.slice(width);
    for (const position of kept) {
      const from = at++ * width;
      vector.set((made[0] as Float32Array).subarray(from, from + width), (position - 1) * width);
    }
    const range = { start: 1, end: window.tokens.length };
    const [logits] = await model.logits([window.tokens], {
      positions: "all",
      edits: [{ kind: "replace-rows", site, vector, range }],
    });
    const vocabulary = (logits as Float32Array).length / window.tokens.length;
    for (let t = 2; t < window.tokens.length; t++) {
      const row = (logits as Float32Array).subarray((t - 1) * vocabulary, t * vocabulary);
      expected += logSumExp(row) - (row[window.tokens[t] as number] as number);
      count++;
    }
  }
  expect(tokens.reduce((sum, n) => sum + n, 0)).toBe(count);
  // Batches of another shape change the last bits of float32 logits of about 10.
  expect(sums.reduce((sum, value) => sum + value, 0) / count).toBeCloseTo(expected / count, 4);
});

describe("openModelRows(model)", () => {
  /** Chunks as number, count of rows and bytes: arrays of a million values are compared slowly. */
  async function read(of: AsyncIterable<RowChunk>) {
    const chunks: { readonly index: number; readonly count: number; readonly sha256: string }[] = [];
    for await (const { index, rows } of of)
      chunks.push({ index, count: rows.length / 96, sha256: createHash("sha256").update(rows).digest("hex") });
    return chunks;
  }

  test("gives the same bits each time and from any chunk on, training and held-out apart", async () => {
    const source = await openModelRows(model, { site, corpus });
    const all = await read(source.chunks());
    expect(all.length).toBeGreaterThan(1);
    expect(await read(source.chunks())).toEqual(all);
    // A fresh source does not know the bound for sinks yet.
    const fresh = await openModelRows(model, { site, corpus });
    expect(await read(fresh.chunks({ from: 1 }))).toEqual(all.slice(1));
    const held = await read((await openModelRows(model, { site, corpus, part: "held-out" })).chunks());
    const [rows, others] = [all, held].map((chunks) => chunks.reduce((sum, chunk) => sum + chunk.count, 0));
    expect((others as number) / (rows as number)).toBeGreaterThan(0.05);
    expect((others as number) / (rows as number)).toBeLessThan(0.2);
  });
});
