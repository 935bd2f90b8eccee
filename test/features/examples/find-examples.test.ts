import { afterAll, expect, test } from "vitest";
import { toCorpus } from "../../../src/activations/corpus.ts";
import { toWindows } from "../../../src/activations/windows.ts";
import { openModel } from "../../../src/engine/open.ts";
import { residPost } from "../../../src/engine/site.ts";
import { directionTokens } from "../../../src/features/examples/direction-tokens.ts";
import { findExamples } from "../../../src/features/examples/find-examples.ts";
import { readPairFeatures } from "../../../src/features/examples/read-pair-features.ts";
import { textAround } from "../../../src/features/examples/text-around.ts";
import type { Sae } from "../../../src/features/sae.ts";

const model = await openModel("models/demo/trimtab-stories-xs.gguf", { context: 64, threads: 1 });
afterAll(() => model.close());
const { width } = model.description;
const texts = ["Lily saw a dog. The dog was sad.", "Tom ran home.", "Ben had a dog and a cat.", "A cat slept."];

const pairs = [
  { prompt: "Lily saw a", positive: " dog.", negative: " cat." },
  { prompt: "Ben had a", positive: " dog and a dog.", negative: " cat and a cat." },
];
const read = [...texts, ...pairs.flatMap(({ prompt, positive, negative }) => [prompt + positive, prompt + negative])];

/** States after the first block of all tokens of the texts, by the token. */
const states = new Map<number, Float32Array[]>();
for await (const { tokens, states: of } of model.readStates(
  await Promise.all(read.map((text) => model.tokenize(text))),
  {
    sites: [residPost(0)],
  },
))
  for (let i = 1; i < tokens.length; i++) {
    const rows = states.get(tokens[i]!) ?? [];
    states.set(tokens[i]!, [...rows, of[0]!.slice(i * width, (i + 1) * width)]);
  }

async function statesOf(word: string): Promise<readonly Float32Array[]> {
  const [id] = await model.tokenize(word, { addSpecial: false });
  return states.get(id!)!;
}

const dogs = new Set(await statesOf(" dog"));
// A planted autoencoder: feature 0 fires on the state of " dog" and no other token here, found by a perceptron (fewer rows than dimensions, so
// it exists); feature 1 is its reverse, 2 is never active.
const dog = new Float32Array(width);
const score = (row: Float32Array): number => dog.reduce((sum, value, j) => sum + value * row[j]!, 0);
for (let wrong = 1; wrong > 0; ) {
  wrong = 0;
  for (const row of [...states.values()].flat()) {
    const sign = dogs.has(row) ? 1 : -1;
    if (sign * score(row) > 1) continue;
    wrong++;
    const norm = Math.hypot(...row);
    for (let j = 0; j < width; j++) dog[j] = dog[j]! + (sign * row[j]!) / norm;
  }
}
const encoder = Float32Array.of(...dog, ...dog.map((value) => -value), ...new Float32Array(width));
const sae: Sae = {
  width,
  features: 3,
  activation: "jumprelu",
  encoder,
  encoderBias: new Float32Array(3),
  decoder: encoder,
  decoderBias: new Float32Array(width),
  threshold: new Float32Array(3),
  k: undefined,
  gate: undefined,
  subtractsDecoderBias: false,
  inputScale: 1,
  origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: residPost(0), facts: {} },
};
const windows = () => toWindows(model, toCorpus("texts", texts).documents(), { context: 64 });

test("findExamples() shows the planted feature's word, where it stands and how often", async () => {
  const found = await findExamples(model, sae, windows(), [0, 2]);
  expect(found).toMatchObject({ documents: 4, windows: 4, warnings: [], site: residPost(0) });
  const [of, silent] = found.features;
  expect(of).toMatchObject({ feature: 0, active: 3, documents: 2 });
  expect(of?.firingRate).toBe(3 / found.rows);
  expect(of?.tokens.map(({ text, rows, share }) => [text, rows, share])).toEqual([[" dog", 3, 1]]);
  // One place of each window, though the first has two.
  expect(of?.examples.map(({ token, document }) => [token, document]).sort()).toEqual([
    [" dog", 0],
    [" dog", 2],
  ]);
  const first = of?.examples.find(({ document }) => document === 0);
  expect(`${first?.before}${first?.token}${first?.after}`.trim()).toBe(texts[0]);
  expect(first?.value).toBeLessThanOrEqual(of?.values?.max ?? 0);
  expect(of!.examples[0]!.value).toBe(of!.values!.max);
  expect(of!.values!.p50).toBeLessThanOrEqual(of!.values!.p90);
  expect(silent).toMatchObject({ active: 0, firingRate: 0, values: null, tokens: [], examples: [] });
});

test("findExamples({ top, around }) keeps the strongest and cuts the text", async () => {
  const around = { before: 1, after: 0 };
  const { features } = await findExamples(model, sae, windows(), [0], { top: 1, around });
  expect(features[0]?.examples).toHaveLength(1);
  expect(features[0]?.examples[0]?.after).toBe("");
  expect(features[0]?.examples[0]?.before.trim()).toMatch(/^(a|The)$/);
});

test("findExamples() refuses features that are not there, twice, or none", async () => {
  const ask = (features: number[]) => findExamples(model, sae, windows(), features);
  await expect(ask([3])).rejects.toThrow("feature: expected a number from 0 to 2, got 3");
  await expect(ask([1, 1])).rejects.toThrow("expected each once, got 1 twice");
  await expect(ask([])).rejects.toThrow("expected 1 to 1024 numbers, got 0");
});

test("readPairFeatures() gives the mean activation of each text, sides in turn", async () => {
  const F = await readPairFeatures(model, sae, pairs, { readAt: "difference-mean" });
  const dense = Array.from({ length: 4 }, (_, i) => {
    const row = [0, 0, 0];
    for (let k = F.offsets[i]!; k < F.offsets[i + 1]!; k++) row[F.indices[k]!] = F.values[k]!;
    return row;
  });
  expect(dense.map(([a]) => a! > 0)).toEqual([true, false, true, false]);
  // The second way: the states of the tokens that differ, scored and averaged here.
  const tokens = await model.tokenize("Ben had a dog and a dog.");
  for await (const { states: of } of model.readStates([tokens], { sites: [residPost(0)] })) {
    const rows = Array.from(tokens, (_, i) => Math.max(0, score(of[0]!.slice(i * width, (i + 1) * width))));
    const start = tokens.length - 5;
    // Sums of 96 products of about 1 in float32 states that were computed in batches of another shape: 1e-4.
    expect(dense[2]![0]).toBeCloseTo(rows.slice(start).reduce((sum, value) => sum + value, 0) / 5, 4);
  }
});

test("directionTokens() is the last block's logits of the direction: reversed for its reverse, whatever its length", async () => {
  const there = await directionTokens(model, dog, { top: 5 });
  const back = await directionTokens(
    model,
    dog.map((value) => -3 * value),
    { top: 5 },
  );
  expect(there.promoted.map(({ token }) => token)).toEqual(back.suppressed.map(({ token }) => token));
  for (const [at, { logit }] of there.promoted.entries()) expect(logit).toBeCloseTo(-back.suppressed[at]!.logit, 4);
  expect(there.promoted[0]!.logit).toBeGreaterThan(there.promoted[4]!.logit);
  // Two routes: the same direction added to nothing at the same place.
  const edits = [
    { kind: "replace", site: residPost(2), vector: dog.map((value) => value * Math.sqrt(width)) },
  ] as const;
  const [logits] = await model.logits([Int32Array.of(5)], { edits });
  expect(logits!.indexOf(Math.max(...logits!))).toBe(there.promoted[0]!.token);
  await expect(directionTokens(model, new Float32Array(width))).rejects.toThrow("expected a length above 0");
  await expect(directionTokens(model, dog.slice(1))).rejects.toThrow("expected 96 values");
});

test("textAround() shows a character that is spread over tokens whole, behind the mark until its last token", async () => {
  const text = "a 👩 b";
  const tokens = await model.tokenize(text, { addSpecial: false });
  const marks = await Promise.all(Array.from(tokens, (_, at) => textAround(model, tokens, at)));
  expect(marks.some(({ token }) => token === "")).toBe(true);
  expect(marks.some(({ token }) => token.includes("👩"))).toBe(true);
  for (const { before, token, after } of marks) {
    expect(before + token + after).toBe(text);
    for (const part of [before, token, after]) expect(() => encodeURIComponent(part)).not.toThrow(); // it throws at half a pair
  }
});

test("textAround() divides what the tokens spell together at the token", async () => {
  const tokens = await model.tokenize("Lily saw a dog.", { addSpecial: false });
  for (let at = 0; at < tokens.length; at++) {
    const { before, token, after } = await textAround(model, tokens, at);
    expect(before + token + after).toBe("Lily saw a dog.");
    expect(token.length).toBeGreaterThan(0);
  }
});
