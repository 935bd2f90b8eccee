import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { residPost } from "../../src/engine/site.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { addVectors, cosineBetween, scaleVector, subtractVectors } from "../../src/vectors/combine.ts";
import { randomLike } from "../../src/vectors/null-vectors.ts";
import { checkSteeringVector, vectorNorm } from "../../src/vectors/steering-vector.ts";
import { transferVector } from "../../src/vectors/transfer.ts";
import { madeUpIdentity, madeUpVector } from "./made-up-vector.ts";
import { cosine } from "./planted-model.ts";

const map = {
  sources: [{ model: madeUpIdentity(2), site: residPost(3), medianNorm: 5 }],
  target: { model: madeUpIdentity(3, "large"), site: residPost(6), medianNorm: 40 },
  A: createMatrix(3, 2, Float64Array.of(1, 2, 0, -1, 0.5, 0)),
  p: Float64Array.of(0, 0, 8),
};

describe("transferVector(vector, map)", () => {
  test("is A v at the map's target, without the bias unless asked for", () => {
    const vector = madeUpVector({ 3: [2, 1] });
    const carried = transferVector(vector, map);
    expect(carried.vector.directions).toEqual([
      { site: residPost(6), vector: Float32Array.of(4, -1, 1), medianNorm: 40 },
    ]);
    expect(carried.sourceNorm).toBeCloseTo(Math.sqrt(5), 12);
    expect(carried.targetNorm).toBeCloseTo(Math.sqrt(18), 12);
    expect(carried.biasRatio).toBeCloseTo(8 / Math.sqrt(18), 12);
    expect(carried.warnings).toEqual([]);
    const withBias = transferVector(vector, map, { withBias: true });
    expect([...withBias.vector.directions[0]!.vector]).toEqual([4, -1, 9]);
    expect(withBias.vector.provenance.source!.withBias).toBe(true);
  });

  test("reverses and scales with the vector", () => {
    const [once, twice] = [1, -2].map((factor) =>
      transferVector(scaleVector(madeUpVector({ 3: [2, 1] }), factor), map),
    );
    expect(twice!.vector.directions[0]!.vector).toEqual(once!.vector.directions[0]!.vector.map((value) => -2 * value));
  });

  test("names the model it steers, what was carried and by which map", () => {
    const { provenance } = transferVector(madeUpVector({ 3: [2, 1] }), map).vector;
    expect(provenance).toMatchObject({
      kind: "transferred",
      model: { name: "large" },
      concept: "happy",
      source: {
        vector: { kind: "native", model: { name: "small" } },
        map: { source: { model: "small", site: "resid_post.3" }, target: { model: "large", site: "resid_post.6" } },
      },
    });
  });

  test("reports sites that the map does not start from, and another file of the same model", () => {
    const vector = madeUpVector({ 3: [2, 1], 4: [1, 1] }, { model: { ...madeUpIdentity(2), sha256: "other" } });
    const { leftOut, warnings } = transferVector(vector, map);
    expect(leftOut).toEqual([residPost(4)]);
    expect(warnings[0]).toContain("another file");
    expect(transferVector(madeUpVector({ 3: [2, 1] }, { model: undefined }), map).warnings[0]).toContain(
      "does not say",
    );
  });

  test.each([
    ["a vector of another site", madeUpVector({ 2: [1, 1] }), "resid_post.3, where the map starts, got resid_post.2"],
    [
      "another tokenizer",
      madeUpVector({ 3: [1, 1] }, { model: { ...madeUpIdentity(2), tokenizerFingerprint: "x" } }),
      "small",
    ],
    ["another depth", madeUpVector({ 3: [1, 1] }, { model: { ...madeUpIdentity(2), blocks: 9 } }), "small"],
    ["another width", madeUpVector({ 3: [1, 1, 1] }, { model: undefined }), "width 2"],
  ])("refuses %s", (_, vector, message) => {
    expect(() => transferVector(vector, map)).toThrow(message);
    expect(() => transferVector(vector, map)).toThrow(expect.objectContaining({ code: "incompatible" }));
  });

  test("refuses a vector that the map sends to nothing", () => {
    const blind = { ...map, A: createMatrix(3, 2, Float64Array.of(1, 0, 1, 0, 1, 0)) };
    expect(() => transferVector(madeUpVector({ 3: [0, 1] }), blind)).toThrow("a length above 0");
  });
});

describe("addVectors, subtractVectors, scaleVector", () => {
  const a = madeUpVector({ 1: [1, 2], 3: [0, 1] });
  const b = madeUpVector({ 3: [4, 4], 2: [1, 0] }, { concept: "polite" });

  test("work site by site and take over what only one has", () => {
    const numbers = (vector: ReturnType<typeof addVectors>) =>
      vector.directions.map(({ site, vector: values }) => [site.layer, ...values]);
    expect(numbers(addVectors(a, b))).toEqual([
      [1, 1, 2],
      [2, 1, 0],
      [3, 4, 5],
    ]);
    expect(numbers(subtractVectors(a, b))).toEqual([
      [1, 1, 2],
      [2, -1, -0],
      [3, -4, -3],
    ]);
    expect(numbers(scaleVector(a, -2))).toEqual([
      [1, -2, -4],
      [3, -0, -2],
    ]);
    expect(addVectors(a, b).provenance).toMatchObject({ kind: "combined", concept: "(happy) + (polite)" });
    expect(a).toEqual(madeUpVector({ 1: [1, 2], 3: [0, 1] }));
  });

  test("refuse vectors of different models and factors that are not finite", () => {
    expect(() => addVectors(a, madeUpVector({ 1: [1, 2, 3] }))).toThrow("one width");
    const foreign = madeUpVector({ 1: [1, 2] }, { model: { ...madeUpIdentity(2), tokenizerFingerprint: "x" } });
    expect(() => subtractVectors(a, foreign)).toThrow("two of one model");
    expect(() => scaleVector(a, Number.NaN)).toThrow("finite");
  });
});

describe("cosineBetween(a, b)", () => {
  test("is 1 with itself, −1 with its reverse, 0 at right angles, site by site", () => {
    const a = madeUpVector({ 1: [3, 4], 2: [1, 0] });
    expect(cosineBetween(a, a).map(({ cosine }) => cosine)).toEqual([1, 1]);
    expect(cosineBetween(a, scaleVector(a, -5))[0]!.cosine).toBeCloseTo(-1, 12);
    expect(cosineBetween(a, madeUpVector({ 2: [0, 7], 5: [1, 1] }))).toEqual([{ site: residPost(2), cosine: 0 }]);
  });
});

describe("randomLike(vector, seed)", () => {
  test("has the same lengths and sites, depends on the seed alone, and points anywhere", () => {
    const vector = madeUpVector({ 1: Array(400).fill(1), 2: Array(400).fill(3) });
    const random = randomLike(vector, 5);
    expect(randomLike(vector, 5)).toEqual(random);
    for (const [i, { site, vector: values }] of random.directions.entries()) {
      const original = vector.directions[i]!;
      expect(site).toEqual(original.site);
      expect(vectorNorm(values) / vectorNorm(original.vector)).toBeCloseTo(1, 5); // float32
      // Cosines of random directions in 400 dimensions have standard deviation 0.05.
      expect(Math.abs(cosine(values, original.vector))).toBeLessThan(0.2);
      expect(Math.abs(cosine(values, randomLike(vector, 6).directions[i]!.vector))).toBeLessThan(0.2);
    }
    expect(Math.abs(cosine(random.directions[0]!.vector, random.directions[1]!.vector))).toBeLessThan(0.2);
    expect(random.provenance).toMatchObject({ kind: "random", seed: 5, pairs: undefined });
  });

  test("is uniform on the sphere: no axis is preferred", () => {
    const vector = madeUpVector({ 1: [1, 0, 0] });
    const squares = [0, 0, 0];
    for (let seed = 0; seed < 900; seed++)
      randomLike(vector, seed).directions[0]!.vector.forEach((value, j) => {
        squares[j] = squares[j]! + value ** 2 / 900;
      });
    // Each mean square is 1/3 with a standard error of 0.01.
    for (const square of squares) expect(Math.abs(square - 1 / 3)).toBeLessThan(0.05);
  });
});

test("checkSteeringVector refuses no directions, a site twice, two widths, and numbers that are not finite", () => {
  const vector = madeUpVector({ 1: [1, 2] });
  const [direction] = vector.directions;
  const bad = (directions: typeof vector.directions) => () => checkSteeringVector({ ...vector, directions });
  expect(bad([])).toThrow("at least one direction");
  expect(bad([direction!, direction!])).toThrow("resid_post.1 again");
  expect(bad([direction!, { ...direction!, site: residPost(2), vector: new Float32Array(3) }])).toThrow("width 2");
  fc.assert(
    fc.property(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), (value) => {
      expect(bad([{ ...direction!, vector: Float32Array.of(1, value) }])).toThrow("finite numbers");
    }),
  );
});
