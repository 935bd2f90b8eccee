import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { residPost } from "../../src/engine/site.ts";
import { addVectors, cosineBetween, scaleVector, subtractVectors } from "../../src/vectors/combine.ts";
import { randomLike } from "../../src/vectors/null-vectors.ts";
import { checkSteeringVector, vectorNorm } from "../../src/vectors/steering-vector.ts";
import { madeUpIdentity, madeUpVector } from "./made-up-vector.ts";
import { cosine } from "./planted-model.ts";

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
