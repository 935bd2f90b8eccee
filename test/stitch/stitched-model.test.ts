import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { openModel } from "../../src/engine/open.ts";
import type { GeneratedPiece, Generation } from "../../src/engine/open-model.ts";
import { openStitched } from "../../src/stitch/open-stitched.ts";
import type { StitchedModel } from "../../src/stitch/stitched-model.ts";
import { demoPath, maxDifference, openDemo } from "../engine/demo-models.ts";
import { type Architecture, syntheticModel } from "../engine/synthetic-model.ts";
import { identityMap } from "./identity-map.ts";

// The bound. On one machine the two routes give the same bits; a tail whose input is scaled may round once more.
const tolerance = 1e-4;
const text = "Once upon a time, Lily had a little dog. The dog was happy";

let folder: string;
let xs: EngineModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-stitch-"));
  xs = await openDemo("xs");
});
afterAll(async () => {
  await xs.close();
  await rm(folder, { recursive: true });
});

async function writeAll(stream: AsyncGenerator<GeneratedPiece, Generation, void>): Promise<Generation> {
  for (;;) {
    const step = await stream.next();
    if (step.done) return step.value;
  }
}

/** Greedy continuation computed anew from scratch at every token. */
async function greedyAnew(model: StitchedModel, prompt: Int32Array, count: number): Promise<number[]> {
  let tokens = prompt;
  for (let i = 0; i < count; i++) {
    const [logits] = await model.logits([tokens]);
    const next = logits!.indexOf(logits!.reduce((a, b) => Math.max(a, b)));
    tokens = Int32Array.of(...tokens, next);
  }
  return [...tokens.subarray(prompt.length)];
}

async function checkIdentity(model: EngineModel, path: string, layer: number): Promise<StitchedModel["tail"]["way"]> {
  const tokens = await model.tokenize(text);
  const [own] = await model.logits([tokens], { positions: "all" });
  const map = identityMap(model.description.width, layer);
  await using stitched = await openStitched({ source: model, target: path, map, whole: model, threads: 1 });
  const [logits] = await stitched.logits([tokens], { positions: "all" });
  expect(maxDifference(logits!, own!)).toBeLessThanOrEqual(tolerance);
  const options = { temperature: 0, maxTokens: 6 };
  const written = await writeAll(stitched.generate(tokens, options));
  expect([...written.tokens]).toEqual([...(await writeAll(model.generate(tokens, options))).tokens]);
  expect([...written.tokens]).toEqual(await greedyAnew(stitched, tokens, written.tokens.length));
  return stitched.tail.way;
}

describe("openStitched({ source, target, map }) with the identity map of a model onto itself", () => {
  test.each([0, 1, 2])("gives the model's own logits and text, cut after block %i of demo:xs", async (layer) => {
    expect(await checkIdentity(xs, demoPath("xs"), layer)).toBe("memory");
  });

  test.each<[Architecture, number]>([
    ["llama", 2],
    ["qwen2", 2],
    ["gemma2", 3],
    ["gpt2", 2],
  ])("gives a %s model's own, at every cut of %i blocks", async (kind, blocks) => {
    const path = join(folder, `${kind}.gguf`);
    await writeFile(path, await syntheticModel(kind, { width: 64, blocks }));
    await using model = await openModel(path, { threads: 1 });
    const ways = [];
    for (let layer = 0; layer < blocks; layer++) ways.push(await checkIdentity(model, path, layer));
    // Gemma's √width is exact at width 64; its last block is one of full attention, which it does not load alone.
    expect(ways).toEqual(Array(blocks).fill("memory"));
  });

  test("scores as the model does: log-probabilities of continuations, windows and perplexity", async () => {
    const map = identityMap(xs.description.width, 1);
    await using stitched = await openStitched({ source: xs, target: demoPath("xs"), map, whole: xs, threads: 1 });
    const prompt = await xs.tokenize("The dog was");
    const continuations = await Promise.all(
      [" happy", " very sad"].map((each) => xs.tokenize(each, { addSpecial: false })),
    );
    const items = [{ prompt, continuations }];
    const [own, found] = [await xs.logProbabilities(items), await stitched.logProbabilities(items)];
    found[0]!.forEach((row, c) => {
      expect(row.length).toBe(continuations[c]!.length);
      // Rows of another batch shape differ in their last bits, and float16 keys round those up.
      row.forEach((value, at) => {
        expect(value).toBeCloseTo(own[0]![c]![at]!, 2);
      });
    });
    const windows = [prompt, await xs.tokenize(text)];
    const scores = await stitched.scoreWindows(windows);
    const sum = scores.flatMap((row) => [...row]).reduce((a, b) => a + b, 0);
    const { lossNats, perplexity, tokens } = await stitched.perplexity(windows);
    expect(tokens).toBe(windows[0]!.length + windows[1]!.length - 2);
    expect(lossNats).toBeCloseTo(-sum / tokens, 12);
    expect(perplexity).toBeCloseTo(Math.exp(lossNats), 12);
  });
});

describe("openStitched({ source, target, map }) between two models", () => {
  test("gives the first position the target's own state, and carries the others", async () => {
    await using m = await openDemo("s");
    const map = {
      ...identityMap(96, 1),
      A: { rows: 128, cols: 96, data: new Float64Array(128 * 96) },
      p: new Float64Array(128).fill(0.5),
    };
    await using stitched = await openStitched({ source: xs, target: demoPath("s"), map, whole: m, threads: 1 });
    const tokens = await xs.tokenize("A dog");
    const [input] = await stitched.carry([tokens]);
    const states = [];
    for await (const window of m.readStates([tokens], { sites: [map.target.site] })) states.push(window.states[0]!);
    expect(maxDifference(input!.rows.subarray(0, 128), states[0]!.subarray(0, 128))).toBeLessThan(1e-3);
    expect([...input!.rows.subarray(128)]).toEqual(Array(128 * (tokens.length - 1)).fill(0.5));
  });

  test("refuses other tokenizers, widths, layers and models, and numbers that are none", async () => {
    await using other = await openDemo("xs1k");
    const map = identityMap(96, 1);
    const open = (change: object, source = xs) =>
      openStitched({ source, target: demoPath("xs"), map: { ...map, ...change }, whole: xs, threads: 1 });
    await expect(open({}, other)).rejects.toMatchObject({ code: "incompatible", message: /tokenizer/ });
    await expect(open({ A: { rows: 96, cols: 95, data: new Float64Array(96 * 95) } })).rejects.toThrow(/from width 96/);
    await expect(open({ sources: [{ site: { layer: 9, point: "resid_post" } }] })).rejects.toThrow(
      /layer of .* from 0 to 2/,
    );
    const model = { name: "Llama", width: 4096, blocks: 32, architecture: "llama" };
    await expect(open({ target: { ...map.target, model } })).rejects.toThrow(/one to .* got one to Llama/);
    await expect(open({ p: new Float64Array(96).fill(Number.NaN) })).rejects.toMatchObject({ code: "bad-input" });
    await expect(open({ target: { site: { layer: 3, point: "resid_post" } } })).rejects.toMatchObject({
      code: "incompatible",
    });
  });

  test("ends a text that is broken off, and lets the next one begin from nothing", async () => {
    const map = identityMap(96, 0);
    await using stitched = await openStitched({ source: xs, target: demoPath("xs"), map, whole: xs, threads: 1 });
    const tokens = await xs.tokenize(text);
    const options = { temperature: 0, maxTokens: 5 };
    const whole = await writeAll(stitched.generate(tokens, options));
    for await (const { token } of stitched.generate(tokens, options)) if (token >= 0) break;
    expect([...(await writeAll(stitched.generate(tokens, options))).tokens]).toEqual([...whole.tokens]);
    const abort = new AbortController();
    abort.abort();
    await expect(writeAll(stitched.generate(tokens, { signal: abort.signal }))).rejects.toMatchObject({
      code: "aborted",
    });
    await expect(stitched.scoreWindows([tokens.slice(0, 1)])).rejects.toThrow(/at least two tokens/);
  });
});
