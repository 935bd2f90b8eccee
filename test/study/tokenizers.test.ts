import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAlignment } from "../../src/activations/align/alignment.ts";
import { readContrastSet } from "../../src/activations/contrast-set.ts";
import { toCorpus } from "../../src/activations/corpus.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { openMemoryCells } from "../../src/evaluate/cell-store.ts";
import { readItems } from "../../src/evaluate/items.ts";
import { resolveCorpus, toTokenizerReport } from "../../src/index.ts";
import { studyTokenizers } from "../../src/study/tokenizers/study-tokenizers.ts";
import type { TokenizerResult } from "../../src/study/tokenizers/tokenizer-result.ts";
import { openDemo } from "../engine/demo-models.ts";

let xs: OpenModel;
let xs1k: OpenModel;
beforeAll(async () => {
  [xs, xs1k] = await Promise.all([openDemo("xs"), openDemo("xs1k")]);
}, 60_000);
afterAll(() => Promise.all([xs.close(), xs1k.close()]));

/** The beginnings of 70 stories. */
async function stories(): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of (await resolveCorpus("models/data/corpus.jsonl.gz")).documents()) {
    texts.push(text.slice(0, 200));
    if (texts.length === 70) return texts;
  }
  return texts;
}

test("studyTokenizers(target, arms, concepts) gives one map by ids and by spans of one tokenizer, and its report says so", async () => {
  const arm = (source: OpenModel, sourceName: string, align: string) => ({
    source,
    sourceName,
    align: parseAlignment(align),
    layers: { source: 1, target: 1 },
  });
  // A model is its own source: the map is next to the identity, so a carried vector is the native one.
  const arms = [arm(xs, "own", "ids"), arm(xs, "own", "spans"), arm(xs1k, "other", "spans")];
  const concept = {
    name: "french",
    pairs: (await readContrastSet("models/data/pairs/french.jsonl")).slice(0, 12),
    items: (await readItems("models/data/items/french.jsonl")).slice(0, 8),
  };
  const options = {
    corpus: toCorpus("stories", await stories()),
    maxRows: 1e5,
    seed: 1,
    strengths: [-0.5, 0.5],
    reference: 0.5,
    random: 4,
    resamples: 20,
    cells: openMemoryCells(),
    identity: { sha256: await xs.sha256(), engine: "test" },
  };
  const { arms: found } = await studyTokenizers(xs, arms, [concept], options);
  const [ids, spans, other] = found as [(typeof found)[0], (typeof found)[0], (typeof found)[0]];
  const { name: _, align: __, alignment, ...same } = spans;
  expect(same).toEqual(Object.fromEntries(Object.entries(ids).filter(([key]) => key in same)));
  expect([ids.alignment, alignment?.by]).toEqual([null, "spans"]);
  // Of a model onto itself what is left is the penalty's.
  expect(ids.r2).toBeGreaterThan(0.999);
  expect(ids.concepts[0]!.cosine).toBeGreaterThan(0.999);
  expect(ids.concepts[0]!.deltaR.value).toBeGreaterThan(0.999);
  expect(other.r2).toBeLessThan(ids.r2);
  expect(other.r2).toBeGreaterThan(other.nulls.shuffled + 0.1);

  const settings = { ...options, corpus: "stories", concepts: ["french"] };
  const run = { title: "t", createdAt: "", elapsedMs: 0, seed: 1, software: [], models: [], warnings: [] };
  const result: TokenizerResult = { format: "trimtab-tokenizers", version: 1, run, settings, models: [], arms: found };
  const report = toTokenizerReport(result);
  expect(report.answer[0]).toBe(
    `Of two models with one tokenizer, spans give the map that token ids give, to the last digit (R² ${ids.r2.toFixed(3)}).`,
  );
  expect(report.answer[1]).toMatch(
    /^From a source with another tokenizer \d+\.\d % of the target's tokens have a row; R² is 0\.\d+/,
  );
  expect(report.answer[2]).toBe("No rows that are pieces of text were measured.");
  expect(report.sections[0]!.figures[0]!.svg).toContain("other");
  const apart = { ...result, arms: [ids, { ...spans, r2: 0.5 }] };
  expect(toTokenizerReport(apart).answer[0]).toMatch(/^Of two models with one tokenizer, spans give another map/);

  await expect(studyTokenizers(xs, [], [concept], options)).rejects.toThrow(
    "at least one way of pairing rows, got none",
  );
  await expect(studyTokenizers(xs, arms, [], options)).rejects.toThrow("at least one concept, got none");
}, 60_000);
