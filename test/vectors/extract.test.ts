import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatReadPosition,
  parseReadPosition,
  type ReadPosition,
  toReadPositions,
} from "../../src/activations/read-position.ts";
import { residPost } from "../../src/engine/site.ts";
import { extractVector } from "../../src/vectors/extract.ts";
import { shuffledLabels } from "../../src/vectors/null-vectors.ts";
import { readPairRows } from "../../src/vectors/read-pair-rows.ts";
import { vectorNorm } from "../../src/vectors/steering-vector.ts";
import { cosine, plantedModel } from "./planted-model.ts";

const planted = Float64Array.from({ length: 16 }, (_, j) => (j % 3) - 1 + j / 10);
const model = plantedModel(planted);
const pairs = Array.from({ length: 200 }, (_, i) => ({
  prompt: `story ${i} says that`,
  positive: "good good good",
  negative: "bad bad bad",
}));

describe("extractVector(model, pairs, options)", () => {
  test.each(["mean-difference", "pca", "probe"] as const)(
    "recovers a planted direction at every site by %s",
    async (method) => {
      const { vector, sites } = await extractVector(model, pairs, { sites: [residPost(0), residPost(2)], method });
      expect(vector.directions.map(({ site }) => site.layer)).toEqual([0, 2]);
      for (const [i, scale] of [1, 3].entries()) {
        const direction = vector.directions[i]!.vector;
        expect(cosine(direction, planted)).toBeGreaterThan(0.99);
        // Positive and negative lie 2 · scale · ‖planted‖ apart; the noise of words is common to all pairs and small beside it.
        expect(vectorNorm(direction) / (2 * scale * Math.hypot(...planted))).toBeCloseTo(1, 0);
        expect(sites[i]!.heldOut).toMatchObject({ positiveShare: 1, auc: 1 });
      }
    },
  );

  test("reads the median norm without the first position, whose rows are a hundred times as long", async () => {
    const { vector } = await extractVector(model, pairs, { sites: [residPost(0)] });
    const median = vector.directions[0]!.medianNorm!;
    // Rows are 16 standard normals (norm about 4); those of good and bad words have the planted direction added.
    expect(median).toBeGreaterThan(3);
    expect(median).toBeLessThan(2 * Math.hypot(...planted));
  });

  test("with shuffledSeeds gives what shuffledLabels of the pairs give, from one reading", async () => {
    const some = pairs.slice(0, 31);
    const sites = [residPost(0), residPost(2)];
    const { vector, shuffled } = await extractVector(model, some, { sites, shuffledSeeds: [3, 4] });
    expect(vector).toEqual((await extractVector(model, some, { sites })).vector);
    for (const [i, seed] of [3, 4].entries()) {
      const again = await extractVector(model, shuffledLabels(some, seed), { sites });
      // The same rows in the same order, so the same sums to the last bit.
      expect(shuffled[i]!.directions).toEqual(again.vector.directions);
      expect(shuffled[i]!.provenance.seed).toBe(seed);
    }
    await expect(extractVector(model, pairs.slice(0, 1), { sites, shuffledSeeds: [1] })).rejects.toThrow(
      "contrast pairs: expected at least two, got 1",
    );
  });

  test("says where it comes from", async () => {
    const { vector } = await extractVector(model, pairs, {
      sites: [residPost(1)],
      concept: "goodness",
      readAt: "last",
    });
    expect(vector.provenance).toMatchObject({
      kind: "native",
      model: { name: "planted", width: 16, sha256: "a".repeat(64) },
      modelHint: "planted",
      method: "mean-difference",
      concept: "goodness",
      pairs: 200,
      readAt: "last",
    });
    expect(vector.provenance.trimtab).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("finds next to nothing when half of the labels are swapped, and says so on held-out pairs", async () => {
    const sites = [residPost(1)];
    const real = await extractVector(model, pairs, { sites });
    const shuffled = await extractVector(model, shuffledLabels(pairs, 1), { sites });
    expect(shuffled.sites[0]!.norm).toBeLessThan(0.15 * real.sites[0]!.norm);
    expect(Math.abs(shuffled.sites[0]!.heldOut!.positiveShare - 0.5)).toBeLessThan(0.2);
  });

  test("refuses what cannot be read, naming the pair", async () => {
    const sites = [residPost(0)];
    const long = { prompt: "", positive: "word ".repeat(70), negative: "x", where: "set.jsonl:3" };
    await expect(extractVector(model, [long], { sites })).rejects.toThrow("set.jsonl:3: expected at most 64 tokens");
    await expect(extractVector(model, [], { sites })).rejects.toThrow("contrast pairs");
    await expect(extractVector(model, pairs, { sites: [] })).rejects.toThrow("sites");
    await expect(extractVector(model, pairs, { sites: [residPost(3)] })).rejects.toThrow("a layer from 0 to 2");
    const spaced = { prompt: "", positive: "same  words", negative: "same words" };
    await expect(extractVector(model, [pairs[0]!, spaced], { sites })).rejects.toThrow(
      "pair 2: expected two texts that differ",
    );
    const controller = new AbortController();
    controller.abort("enough");
    await expect(extractVector(model, pairs, { sites, signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
  });

  test("reports progress up to the last text", async () => {
    const seen: number[] = [];
    await extractVector(model, pairs.slice(0, 5), {
      sites: [residPost(0)],
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    expect(seen).toHaveLength(10);
    expect(seen.at(-1)).toBe(1);
  });
});

describe("readPairRows(model, pairs, {readAt})", () => {
  const pair = { prompt: "one two", positive: "good .", negative: "bad thing ." };

  /** Rows that readStates gives, to average by hand. */
  async function stateRows(text: string): Promise<Float32Array[]> {
    const tokens = await model.tokenize(text);
    for await (const { states } of model.readStates([tokens], { sites: [residPost(1)] }))
      return Array.from(tokens, (_, i) => states[0]!.slice(16 * i, 16 * (i + 1)));
    return [];
  }

  // Tokens: <bos> one two good .      and      <bos> one two bad thing .
  test.each<[ReadPosition, number[], number[]]>([
    ["last", [4], [5]],
    ["last-content", [3], [4]],
    ["difference-mean", [3, 4], [3, 4, 5]],
    ["all-mean", [1, 2, 3, 4], [1, 2, 3, 4, 5]],
    [{ fromEnd: 2 }, [3], [4]],
  ])("averages the rows of %j", async (readAt, positive, negative) => {
    const joined = { ...pair, prompt: "one two " };
    const [site] = await readPairRows(model, [joined], { sites: [residPost(1)], readAt });
    for (const [side, positions] of [
      ["positive", positive],
      ["negative", negative],
    ] as const) {
      const rows = await stateRows(joined.prompt + joined[side]);
      const mean = Array.from(
        { length: 16 },
        (_, j) => positions.reduce((sum, i) => sum + rows[i]![j]!, 0) / positions.length,
      );
      site!.rows[side].forEach((value, j) => {
        expect(value).toBeCloseTo(mean[j]!, 5); // float32
      });
    }
  });
});

describe("toReadPositions(text, position, common)", () => {
  const text = { tokens: Int32Array.of(9, 1, 2), isSpecial: (t: number) => t === 9, isContent: (t: number) => t === 1 };

  test("reads the last token of a text that is the other's start, and never position 0", () => {
    expect(toReadPositions(text, "difference-mean", 3, "x")).toEqual([2]);
    expect(toReadPositions(text, "difference-mean", 0, "x")).toEqual([1, 2]);
    expect(toReadPositions(text, "last-content", 0, "x")).toEqual([1]);
    expect(() => toReadPositions(text, { fromEnd: 3 }, 0, "pair 4")).toThrow("pair 4: expected a token to read");
    const one = { ...text, tokens: Int32Array.of(1) };
    for (const position of ["last", "last-content", "difference-mean", "all-mean"] as const)
      expect(() => toReadPositions(one, position, 0, "x"), position).toThrow("after the first position");
  });

  test("parseReadPosition reads what formatReadPosition writes, and nothing else", () => {
    const positions: ReadPosition[] = ["last", "last-content", "difference-mean", "all-mean", { fromEnd: 2 }];
    for (const position of positions) expect(parseReadPosition(formatReadPosition(position))).toEqual(position);
    for (const bad of ["end-0", "end-", "first", "", "end-1.5"])
      expect(() => parseReadPosition(bad)).toThrow("read position");
  });
});

test("shuffledLabels(pairs, seed) swaps exactly half of the pairs, the same ones for the same seed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), fc.nat(), (n, seed) => {
      const before = Array.from({ length: n }, (_, i) => ({ prompt: "", positive: `p${i}`, negative: `n${i}` }));
      const after = shuffledLabels(before, seed);
      expect(after.filter(({ positive }) => positive.startsWith("n"))).toHaveLength(n >> 1);
      expect(shuffledLabels(before, seed)).toEqual(after);
    }),
  );
  expect(() => shuffledLabels([{ prompt: "", positive: "a", negative: "b" }], 1)).toThrow("at least two");
});
