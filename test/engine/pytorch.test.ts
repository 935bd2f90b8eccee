import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { openModel } from "../../src/engine/open.ts";
import { demoPath, maxDifference } from "./demo-models.ts";

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly top?: readonly number[];
  readonly lastLogits?: readonly number[];
}

// models/train/fixture.py wrote these with PyTorch in float32 on the XS model.
const { cases } = JSON.parse(readFileSync(resolve("test/fixtures/demo-logits.json"), "utf8")) as { cases: Case[] };
const logitCases = cases.filter(({ lastLogits }) => lastLogits !== undefined);

describe("the demo models, against PyTorch", () => {
  test("token ids are equal on every text", async () => {
    await using model = await openModel(demoPath("xs"), { threads: 1 });
    for (const { text, ids } of cases)
      expect([...(await model.tokenize(text, { parseSpecial: true }))], JSON.stringify(text)).toEqual(ids);
  });

  test.each([
    ["F32", resolve("test/fixtures/trimtab-stories-xs-f32.gguf"), "f32", 1e-3],
    ["F16", demoPath("xs"), "f16", 0.05],
  ] as const)("logits of the %s export are those of PyTorch", async (_name, path, cache, tolerance) => {
    await using model = await openModel(path, { threads: 1, cache });
    expect(logitCases.length).toBeGreaterThan(5);
    for (const { ids, lastLogits } of logitCases) {
      const [logits] = await model.logits([Int32Array.from(ids)]);
      expect(maxDifference(logits!, Float32Array.from(lastLogits!))).toBeLessThan(tolerance);
    }
  });

  // test/fixtures/llama-cpp/make.sh made the Q8_0 file from the F32 one with llama-quantize.
  test.each([
    ["F16", demoPath("xs"), 0.99],
    ["Q8_0", resolve("test/fixtures/trimtab-stories-xs-q8_0.gguf"), 0.95],
  ] as const)("the likeliest next token of the %s export is nearly always PyTorch's", async (_name, path, least) => {
    await using model = await openModel(path, { threads: 1 });
    let same = 0;
    let positions = 0;
    for (const { ids, top } of cases) {
      if (!top) continue;
      const [rows] = await model.logits([Int32Array.from(ids)], { positions: "all" });
      const size = model.description.vocabulary;
      top.forEach((token, at) => {
        const row = rows!.subarray(at * size, (at + 1) * size);
        if (row.indexOf(Math.max(...row)) === token) same++;
        positions++;
      });
    }
    expect(positions).toBeGreaterThan(500);
    expect(same / positions).toBeGreaterThan(least);
  });
});
