import { afterAll, expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { toWindows } from "../../src/activations/windows.ts";
import { openModel } from "../../src/engine/open.ts";
import { residPost } from "../../src/engine/site.ts";
import { encodeRows } from "../../src/features/encode.ts";
import { type FeatureWindow, readFeatures } from "../../src/features/read-features.ts";
import type { Sae } from "../../src/features/sae.ts";
import { seededRandom } from "../../src/linalg/random.ts";

const model = await openModel("models/demo/trimtab-stories-xs.gguf", { context: 64, threads: 1 });
afterAll(() => model.close());
const texts = ["Once upon a time there was a dog.", "Lily saw a cat. The cat was sad.", "He ran. ".repeat(20)];
const windows = () => toWindows(model, toCorpus("texts", texts).documents(), { context: 32 });

const { width } = model.description;
const random = seededRandom(3);
const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
const sae: Sae = {
  width,
  features: 40,
  activation: "topk",
  encoder: draw(40 * width),
  encoderBias: draw(40),
  decoder: draw(40 * width),
  decoderBias: draw(width),
  threshold: undefined,
  k: 4,
  gate: undefined,
  subtractsDecoderBias: true,
  inputScale: 1,
  origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: residPost(1), facts: {} },
};

async function collect(options = {}): Promise<FeatureWindow[]> {
  const found: FeatureWindow[] = [];
  for await (const one of readFeatures(model, sae, windows(), options)) found.push(one);
  return found;
}

test("readFeatures() gives every window in order, its rows without first positions, encoded as encodeRows() does", async () => {
  const found = await collect();
  const asked: Int32Array[] = [];
  for await (const { tokens } of windows()) asked.push(tokens);
  expect(found.map(({ window }) => window.tokens)).toEqual(asked);
  for (const { window, positions, tokens, states, features, leftOut } of found) {
    expect(positions[0]).toBe(1);
    expect(leftOut.first + leftOut.special + leftOut.sink + positions.length).toBe(window.tokens.length);
    expect([...tokens]).toEqual([...positions].map((at) => window.tokens[at]));
    const F = encodeRows(sae, states);
    expect(features.indices).toEqual(F.indices);
    expect([...features.offsets]).toEqual([...F.offsets]);
    // Blocks of another shape may be summed in another order: the last bits of float64, seen through float32.
    features.values.forEach((value, at) => {
      expect(Math.abs(value - F.values[at]!)).toBeLessThan(1e-5);
    });
  }
});

test("readFeatures({ rows: 'all' }) keeps every position and the states are those of readStates()", async () => {
  const found = await collect({ rows: "all" });
  let at = 0;
  for await (const { states, tokens } of model.readStates(
    found.map(({ window }) => window.tokens),
    { sites: [residPost(1)] },
  )) {
    expect(found[at]?.tokens).toEqual(tokens);
    expect(found[at]?.states).toEqual(states[0]);
    at++;
  }
  expect(at).toBe(found.length);
});

test("readFeatures({ sinkLimit }) leaves out rows that are longer", async () => {
  const all = await collect();
  const norms = all.flatMap(({ states, tokens }) =>
    Array.from(tokens, (_, row) => Math.hypot(...states.subarray(row * width, (row + 1) * width))),
  );
  const limit = [...norms].sort((a, b) => a - b)[norms.length >> 1]!;
  const some = await collect({ sinkLimit: limit });
  const kept = some.reduce((sum, { tokens }) => sum + tokens.length, 0);
  expect(kept).toBe(norms.filter((norm) => norm <= limit).length);
  expect(some.reduce((sum, { leftOut }) => sum + leftOut.sink, 0)).toBe(norms.length - kept);
});

test("readFeatures() can be left early, and refuses other widths and unknown layers", async () => {
  for await (const one of readFeatures(model, sae, windows())) {
    expect(one.window.index).toBe(0);
    break;
  }
  const narrow = { ...sae, width: 95 };
  await expect(readFeatures(model, narrow, windows()).next()).rejects.toThrow(
    "autoencoder: expected hidden states of width 96",
  );
  const options = { site: residPost(9) };
  await expect(readFeatures(model, sae, windows(), options).next()).rejects.toThrow("layer from 0 to 2, got 9");
  const lost = { ...sae, origin: { ...sae.origin, site: undefined } };
  await expect(readFeatures(model, lost, windows()).next()).rejects.toThrow("expected a layer of the residual stream");
});
