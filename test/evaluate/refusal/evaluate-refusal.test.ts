import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { residPost } from "../../../src/engine/site.ts";
import { openCellStore, openMemoryCells } from "../../../src/evaluate/cell-store.ts";
import { openLogOddsJudge } from "../../../src/evaluate/judges/log-odds-judge.ts";
import { phraseJudge } from "../../../src/evaluate/judges/phrase-judge.ts";
import {
  type EvaluateRefusalOptions,
  estimateRefusal,
  evaluateRefusal,
} from "../../../src/evaluate/refusal/evaluate-refusal.ts";
import { resolveFrame } from "../../../src/evaluate/refusal/instruction-frame.ts";
import { toJudgeAgreement } from "../../../src/evaluate/refusal/judge-agreement.ts";
import {
  extractRefusalVectors,
  neededLayers,
  type RefusalLayer,
  toRefusalLayers,
} from "../../../src/evaluate/refusal/refusal-vectors.ts";
import { splitInstructions } from "../../../src/evaluate/refusal/split-instructions.ts";
import type { AffineMap } from "../../../src/maps/affine-map.ts";
import { cosineBetween } from "../../../src/vectors/combine.ts";
import { temporaryFolder } from "../../formats/temporary-folder.ts";
import { across, answers, direction, instructions, plantedRefuser, type RefuserCalls } from "./planted-refuser.ts";

const folder = temporaryFolder();
const split = splitInstructions(
  { harmful: instructions("bad", 30), harmless: instructions("good", 30) },
  { train: 20, test: 6, seed: 4 },
);
const sampling = { maxTokens: 8, temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, repetitionPenalty: 1, stop: [] };
const openings = { refuse: ["sorry"], comply: ["sure"] };

/** A layer whose native and transferred directions are known. */
function layerOf(native: Float64Array, transferred?: Float64Array): RefusalLayer {
  const provenance = {
    kind: "native",
    model: undefined,
    modelHint: undefined,
    method: "planted",
    concept: undefined,
    pairs: undefined,
    readAt: undefined,
    seed: undefined,
    trimtab: "",
  } as const;
  const vector = (values: Float64Array) => ({
    directions: [{ site: residPost(1), vector: Float32Array.from(values), medianNorm: 2 }],
    provenance,
  });
  return {
    layer: 1,
    native: vector(native),
    ...(transferred ? { transferred: vector(transferred) } : {}),
    heldOut: undefined,
    cosine: null,
  };
}

async function prepare(given: Partial<EvaluateRefusalOptions> = {}, calls?: RefuserCalls) {
  const model = plantedRefuser(calls);
  const frame = resolveFrame(model, { template: "please {instruction}" });
  const judges = [phraseJudge(), await openLogOddsJudge({ model, frame: frame.tokens, openings })];
  const options: EvaluateRefusalOptions = {
    role: "target",
    carriedFrom: null,
    strengths: [-2, -0.5, 0.5, 2],
    unit: "absolute",
    random: 0,
    samples: 2,
    sampling,
    seed: 7,
    judges,
    keepTexts: false,
    frame,
    prompts: split.test,
    neutral: [Int32Array.of(0, 1, 1), Int32Array.of(1, 0)],
    model: { sha256: "a" },
    cells: openMemoryCells(),
    resamples: 50,
    ...given,
  };
  return { model, options };
}

describe("evaluateRefusal(model, layers) on a model whose refusal follows one direction", () => {
  test("finds refusal suppressed on harmful and induced on harmless prompts exactly where the direction says", async () => {
    const { model, options } = await prepare();
    const { side, cells } = await evaluateRefusal(model, [layerOf(direction, direction)], options);
    const shares = (name: string) =>
      side.rows
        .filter((row) => row.name === name || row.kind === "none")
        .sort((a, b) => a.strength - b.strength)
        .map(({ strength, harmful, harmless, change }) => [
          strength,
          harmful.judges[0]!.yes.value,
          harmless.judges[0]!.yes.value,
          change.harmful.value,
          change.harmless.value,
        ]);
    const truth = [
      [-2, 1, 1, 0, 1],
      [-0.5, 1, 0, 0, 0],
      [0, 1, 0, 0, 0],
      [0.5, 1, 0, 0, 0],
      [2, 0, 0, -1, 0],
    ];
    expect(shares("native")).toEqual(truth);
    expect(shares("transferred")).toEqual(truth);
    expect(side.rows[0]).toMatchObject({ kind: "none", layer: null, damage: { klNats: 0, top1Agreement: 1 } });
    // Two judges that follow the same sign agree on every response.
    expect(toJudgeAgreement(options.judges, [cells], { seed: 1 })).toMatchObject([
      { judges: ["phrases", "log-odds"], kappa: 1, unanswered: 0, samples: 9 * 24 },
    ]);
  });

  test("log-odds are those that were planted, damage is that of the planted coin", async () => {
    const { model, options } = await prepare();
    const { side } = await evaluateRefusal(model, [layerOf(direction)], options);
    for (const { strength, harmful, harmless, damage } of side.rows) {
      // log σ(−z) − log σ(z) = −z; the direction is float32.
      expect(harmful.odds!.value).toBeCloseTo(1 - strength, 5);
      expect(harmless.odds!.value).toBeCloseTo(-1 - strength, 5);
      const p = 1 / (1 + Math.exp(-strength));
      expect(damage.klNats).toBeCloseTo(0.5 * Math.log(0.5 / p) + 0.5 * Math.log(0.5 / (1 - p)), 5);
    }
  });

  test("a direction at a right angle moves nothing, and random ones hardly", async () => {
    const { model, options } = await prepare({ random: 3 });
    const { side } = await evaluateRefusal(model, [layerOf(across)], options);
    expect(side.rows.filter(({ kind }) => kind === "random")).toHaveLength(3 * 4);
    for (const row of side.rows) {
      if (row.kind === "native") expect(row.change).toMatchObject({ harmful: { value: 0 }, harmless: { value: 0 } });
      // A random direction of 16 has a component of 1/4 along any other, in the mean: far from the 1 that turns an answer.
      if (row.kind === "random" && Math.abs(row.strength) < 1) expect(row.change.harmful.value).toBe(0);
    }
  });

  test("a broken answer is neither refusal nor compliance, and no judge sees it", async () => {
    const { model, options } = await prepare({ strengths: [-9, 9] });
    const { side, cells } = await evaluateRefusal(model, [layerOf(direction)], options);
    for (const row of side.rows.slice(1))
      for (const kind of ["harmful", "harmless"] as const) {
        expect(row[kind].broken).toMatchObject({ value: 1, standardError: 0 });
        for (const { yes, no, unanswered } of row[kind].judges)
          expect([yes.value, no.value, unanswered]).toEqual([0, 0, 0]);
      }
    // What harmful prompts lost in refusals was not gained in compliance.
    expect(side.rows.map(({ change }) => change.harmful.value)).toEqual([0, -1, -1]);
    expect(cells[1]!.harmful[0]!.responses[0]).toMatchObject({ broken: true, judged: [null, null] });
  });

  test("every response has a seed of its own, the same under every steering", async () => {
    const calls: RefuserCalls = { generateMany: 0, seeds: [] };
    const { model, options } = await prepare({ strengths: [1] }, calls);
    await evaluateRefusal(model, [layerOf(direction)], options);
    // Twelve prompts a round, two rounds, two passes.
    expect(calls.seeds).toEqual([7, 19, 7, 19]);
  });
});

describe("evaluateRefusal(model, layers) and its store", () => {
  test("goes on where a killed run was, to the same result, and keeps no text in clear", async () => {
    const path = join(folder.path, "cells.jsonl");
    const whole = await prepare();
    const expected = await evaluateRefusal(whole.model, [layerOf(direction)], whole.options);
    const controller = new AbortController();
    {
      await using cells = await openCellStore(path);
      const { model, options } = await prepare({ cells, signal: controller.signal });
      const onProgress = ({ done }: { done: number }): void => {
        if (done >= 2.5 * 24) controller.abort();
      };
      await expect(evaluateRefusal(model, [layerOf(direction)], { ...options, onProgress })).rejects.toMatchObject({
        code: "aborted",
      });
    }
    const calls: RefuserCalls = { generateMany: 0, seeds: [] };
    await using cells = await openCellStore(path);
    const { model, options } = await prepare({ cells }, calls);
    expect(estimateRefusal([layerOf(direction)], options)).toEqual({
      passes: 5,
      finished: 2,
      responses: 3 * 24,
      calls: 0,
      tokens: 0,
    });
    expect((await evaluateRefusal(model, [layerOf(direction)], options)).side).toEqual(expected.side);
    expect(calls.generateMany).toBe(3 * 2);
    const written = readFileSync(path, "utf8");
    for (const text of [answers.comply, answers.refuse, "garden", "sorry"]) expect(written).not.toContain(text);
  });

  test("keeps texts when asked to, which is another measurement", async () => {
    const path = join(folder.path, "texts.jsonl");
    await using cells = await openCellStore(path);
    const { model, options } = await prepare({ cells, strengths: [2] });
    await evaluateRefusal(model, [layerOf(direction)], options);
    const kept = await evaluateRefusal(model, [layerOf(direction)], { ...options, keepTexts: true });
    expect(kept.cells[1]!.harmful[0]!.responses[0]!.text).toBe(answers.comply);
    expect(readFileSync(path, "utf8")).toContain(answers.comply);
  });

  test.each([
    ["another model", { model: { sha256: "b" } }],
    ["another seed", { seed: 8 }],
    ["other judges", { judges: [phraseJudge({ phrases: ["garden"] })] }],
    ["other sampling", { sampling: { ...sampling, temperature: 0 } }],
    ["other prompts", { prompts: { ...split.test, harmful: split.test.harmful.slice(1) } }],
  ])("%s is measured anew", async (_, change) => {
    const { model, options } = await prepare({ strengths: [1] });
    await evaluateRefusal(model, [layerOf(direction)], options);
    expect(estimateRefusal([layerOf(direction)], options).finished).toBe(2);
    expect(estimateRefusal([layerOf(direction)], { ...options, ...change }).finished).toBe(0);
  });

  test("refuses no judge of refusal, strengths of 0 or twice, no prompts", async () => {
    const { model, options } = await prepare();
    const run = (given: Partial<EvaluateRefusalOptions>) =>
      evaluateRefusal(model, [layerOf(direction)], { ...options, ...given });
    await expect(run({ judges: [] })).rejects.toThrow("judges: expected one that is asked about refusal, got none");
    await expect(run({ judges: [phraseJudge(), phraseJudge()] })).rejects.toThrow("judges: expected each once");
    await expect(run({ strengths: [1, 1] })).rejects.toThrow("strengths: expected different ones");
    await expect(run({ strengths: [0] })).rejects.toThrow("strengths: expected different ones other than 0");
    await expect(run({ prompts: { harmful: [], harmless: ["a"] } })).rejects.toThrow(
      "harmful prompts: expected at least one",
    );
    await expect(evaluateRefusal(model, [], options)).rejects.toThrow("layers: expected at least one");
  });
});

describe("extractRefusalVectors, toRefusalLayers", () => {
  test("find the planted direction, pointing from harmful to harmless, and carry it through a map", async () => {
    const { model, options } = await prepare();
    // The planted word is read at the last token: nothing may follow the instruction.
    const own = await extractRefusalVectors(model, options.frame, split.train, {
      layers: [0, 1],
      cells: openMemoryCells(),
      identity: {},
    });
    const planted = layerOf(direction).native.directions[0]!.vector;
    const found = own.vector.directions[1]!.vector;
    const dot = found.reduce((sum, value, i) => sum + value * planted[i]!, 0);
    // 20 pairs of noise of deviation 1 against a difference of 160: less than a tenth of a degree.
    expect(dot / Math.hypot(...found)).toBeGreaterThan(0.999);
    expect(own.heldOut.get(1)!.auc).toBe(1);
    const identity = Float64Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 2 : 0));
    const { provenance } = own.vector;
    const end = (layer: number) => ({ site: residPost(layer), model: provenance.model!, width: 16, medianNorm: 99 });
    const map = {
      sources: [end(0)],
      target: end(1),
      A: { rows: 16, cols: 16, data: identity },
      p: new Float64Array(16),
      fit: { rowSelection: "all" },
    } as unknown as AffineMap;
    const { layers } = toRefusalLayers(own, [0, 1], { vectors: own, maps: [map] });
    expect(layers[0]!.transferred).toBeUndefined();
    const { native, transferred } = layers[1]!;
    expect(cosineBetween(native, transferred!)[0]!.cosine).toBeGreaterThan(0.999);
    // One unit of strength is one length, whoever found the direction.
    expect(transferred!.directions[0]!.medianNorm).toBe(native.directions[0]!.medianNorm);
    expect(() => toRefusalLayers(own, [1], { vectors: own, maps: [map, map] })).toThrow(
      "maps: expected one map to layer 1, got 2",
    );
    expect(neededLayers(undefined, { into: [map], from: [] }, 3)).toEqual({ steered: [1], read: [1] });
    expect(neededLayers(undefined, { into: [], from: [map] }, 4)).toEqual({ steered: [2], read: [0, 2] });
    expect(neededLayers([2, 1], { into: [map], from: [] }, 4)).toEqual({ steered: [1, 2], read: [1, 2] });
  });
});
