import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { openTail } from "../../src/engine/tail/open-tail.ts";
import { readGgufHeader } from "../../src/formats/gguf.ts";
import { readGgufTensor } from "../../src/formats/gguf-tensor.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { headLoss } from "../../src/stitch/head-loss.ts";
import { type OutputHead, readHead } from "../../src/stitch/read-head.ts";
import { measureLoss, type TunedWindow, tuneMap } from "../../src/stitch/tune-map.ts";
import { demoPath, openDemo } from "../engine/demo-models.ts";
import { identityMap } from "./identity-map.ts";

let xs: EngineModel;
beforeAll(async () => {
  xs = await openDemo("xs");
});
afterAll(() => xs.close());

/** A small head of random numbers. */
function randomHead(norm: OutputHead["norm"], seed: number): OutputHead {
  const random = seededRandom(seed);
  const M = createMatrix(7, 4);
  for (let i = 0; i < M.data.length; i++) M.data[i] = random.normal();
  return {
    norm,
    M,
    b: Float64Array.from({ length: 7 }, () => random.normal()),
    error: { maxDifference: 0, largestLogit: 1 },
  };
}

describe("headLoss(head, F, next)", () => {
  test.each(["rms", "layer"] as const)(
    "is −log softmax after a norm of the kind %s, with the gradient of finite differences",
    (norm) => {
      const head = randomHead(norm, 5);
      const random = seededRandom(6);
      const F = createMatrix(3, 4);
      for (let i = 0; i < F.data.length; i++) F.data[i] = 3 * random.normal();
      const next = Int32Array.of(0, 6, 2);
      const { lossNats, gradient } = headLoss(head, F, next);
      // The formula written out once more, row by row.
      let expected = 0;
      for (let row = 0; row < 3; row++) {
        const f = [...F.data.subarray(4 * row, 4 * row + 4)];
        const mean = norm === "layer" ? f.reduce((a, b) => a + b, 0) / 4 : 0;
        const length = Math.sqrt(f.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
        const logits = Array.from({ length: 7 }, (_, v) =>
          f.reduce((sum, value, i) => sum + head.M.data[4 * v + i]! * ((value - mean) / length), head.b[v]!),
        );
        expected += (Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0)) - logits[next[row]!]!) / 3;
      }
      expect(lossNats).toBeCloseTo(expected, 12);
      const step = 1e-6;
      for (let at = 0; at < F.data.length; at++) {
        const moved = (by: number) => {
          const data = F.data.slice();
          data[at]! += by;
          return headLoss(head, { ...F, data }, next).lossNats;
        };
        // Central differences of step 1e-6 are right to about 1e-9.
        expect(gradient.data[at]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 7);
      }
    },
  );
});

describe("readHead(last, check)", () => {
  test("finds norm gain times embeddings, as they stand in the file", async () => {
    const check = await finalStates("A dog ran.");
    await using last = await openTail(demoPath("xs"), { layer: 2, whole: xs, threads: 1 });
    const head = await readHead(last, check);
    expect(head.norm).toBe("rms");
    const header = await readGgufHeader(demoPath("xs"));
    const E = await readGgufTensor(demoPath("xs"), header, "token_embd.weight");
    const gain = await readGgufTensor(demoPath("xs"), header, "output_norm.weight");
    const error = head.M.data.reduce((most, value, at) => Math.max(most, Math.abs(value - E[at]! * gain[at % 96]!)), 0);
    // The engine multiplies in float16.
    expect(error).toBeLessThan(2e-3);
    expect(head.error.maxDifference).toBeLessThan(0.02);
  });
});

describe("tuneMap(start, options)", () => {
  test("mends a map that was damaged, on documents that it was not tuned on", async () => {
    const layer = 1;
    await using tail = await openTail(demoPath("xs"), { layer, whole: xs, threads: 1 });
    await using last = await openTail(demoPath("xs"), { layer: 2, whole: xs, threads: 1 });
    const head = await readHead(last, await finalStates("A dog ran."));
    const random = seededRandom(1);
    const damaged = identityMap(96, layer, 0.5);
    const deviation = 0.15;
    damaged.A.data.forEach((value, at) => {
      damaged.A.data[at] = value + deviation * random.normal();
    });
    const windows = await Promise.all(stories.map((text) => toWindow(text, layer)));
    const [training, validation, heldOut] = [windows.slice(0, 4), windows.slice(4, 5), windows.slice(5)];
    const own = await measureLoss(tail, identityMap(96, layer), heldOut);
    const before = await measureLoss(tail, damaged, heldOut);
    const tuned = await tuneMap(damaged, { tail, head, training, validation, rounds: 2, steps: 40, batch: 128 });
    const after = await measureLoss(tail, tuned, heldOut);
    expect(before - own).toBeGreaterThan(1);
    // Most of what was lost comes back, from four short stories.
    expect((before - after) / (before - own)).toBeGreaterThan(0.3);
    expect(tuned.rounds[0]!.kept).toBeGreaterThan(0);
    expect(tuned.rounds[0]!.validationNats).toBeLessThan(tuned.startNats);
    // Nothing it keeps is worse on validation text, round after round.
    const told = [tuned.startNats, ...tuned.rounds.map(({ validationNats }) => validationNats)];
    expect(told).toEqual([...told].sort((a, b) => b - a));
    const bad = { tail, head, training, validation };
    await expect(tuneMap(damaged, { ...bad, rate: 0 })).rejects.toThrow(/rate/);
    await expect(tuneMap(damaged, { ...bad, validation: [] })).rejects.toThrow(/validation windows/);
  });
});

async function finalStates(text: string): Promise<Float32Array> {
  for await (const { states } of xs.readStates([await xs.tokenize(text)], { sites: [residPost(2)] })) return states[0]!;
  throw new Error("no window");
}

async function toWindow(text: string, layer: number): Promise<TunedWindow> {
  const tokens = await xs.tokenize(text);
  for await (const { states } of xs.readStates([tokens], { sites: [residPost(layer)] }))
    return { tokens, states: states[0]!, first: states[0]!.slice(0, 96) };
  throw new Error("no window");
}

const stories = [
  "Once upon a time, Lily had a little dog. The dog was happy. They played in the park all day. Then they went home and slept.",
  "One day, Tom saw a big cat. The cat was sad. Tom gave it some milk. The cat was happy and they became friends.",
  "Anna and her mom went to the forest. They saw a bird in a tree. The bird sang a song. Anna smiled and clapped her hands.",
  "Ben had a red ball. He lost it in the garden. He looked and looked. His dad found the ball and Ben was very happy.",
  "Once there was a small rabbit. It was cold and afraid. A kind girl took it home. She made it a warm bed.",
  "One day, Mia went to the beach with her dog. The dog ran into the water. Mia laughed. They were happy all day.",
  "Sam saw a horse near the house. The horse was tired. Sam brought it an apple. The horse was happy again.",
];
