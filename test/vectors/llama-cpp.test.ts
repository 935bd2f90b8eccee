import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { toAdditions } from "../../src/steer/to-additions.ts";
import { readVector } from "../../src/vectors/vector-file.ts";
import { maxDifference, openDemo } from "../engine/demo-models.ts";

// test/fixtures/llama-cpp/make.sh made these with llama.cpp's own llama-debug and llama-cvector-generator.
const fixture = (name: string): string => resolve("test/fixtures/llama-cpp", name);
const bytes = (name: string): ArrayBuffer => new Uint8Array(readFileSync(fixture(name))).buffer;

let model: EngineModel;
let tokens: Int32Array;
beforeAll(async () => {
  model = await openDemo("s");
  tokens = await model.tokenize("Once upon a time, there was a little girl");
});
afterAll(() => model.close());

// The same libraries on another processor sum float16 products in another order; a vector at work moves logits by more than 1.
const tolerance = 0.05;

describe("llama.cpp's own tools", () => {
  test("tokenize(text) gives the ids that llama-debug saw", () => {
    expect([...tokens]).toEqual([...new Int32Array(bytes("tokens.bin"))]);
  });

  test.each([
    ["plain", undefined, 0],
    ["with-trimtab", "trimtab.gguf", 1.5],
    ["with-generator", "generator.gguf", 6],
  ] as const)("the next-token logits of llama-debug %s are those here", async (name, file, strength) => {
    const reference = new Float32Array(bytes(`${name}.bin`));
    const steering = file ? toAdditions(await readVector(fixture(file)), { strength, unit: "raw" }) : [];
    const [logits] = await model.logits([tokens], { steering });
    expect(reference).toHaveLength(model.description.vocabulary);
    expect(maxDifference(logits!, reference)).toBeLessThan(tolerance);
    if (!file) return;
    const [plain] = await model.logits([tokens]);
    expect(maxDifference(logits!, plain!)).toBeGreaterThan(20 * tolerance);
  });
});
