import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMatrix, identity, type Matrix } from "../../src/linalg/matrix.ts";
import { multiply, multiplyTransposed } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { createMomentsSum } from "../../src/maps/moments.ts";
import { linearCka, type PairProducts } from "../../src/maps/score/linear-cka.ts";
import { svcca, svccaOfSides, toPrincipalSide } from "../../src/maps/score/svcca.ts";
import { mapRows, normalRows, plantedMatrix } from "./planted.ts";

interface Case {
  readonly name: string;
  readonly dSource: number;
  readonly dTarget: number;
  readonly X: readonly number[];
  readonly Y: readonly number[];
  readonly cka: number;
  readonly debiased: number;
  readonly svcca: readonly { keep: number; kept: [number, number]; correlations: number[] }[];
}

/** What numpy said of rows: test/fixtures/maps/make_similarity.py. */
const cases = JSON.parse(readFileSync(resolve("test/fixtures/maps/similarity.json"), "utf8")) as Case[];

function productsOf(X: ArrayLike<number>, Y: ArrayLike<number>, dSource: number, dTarget: number): PairProducts {
  const sum = createMomentsSum(dSource, dTarget);
  sum.add(Float32Array.from(X), Float32Array.from(Y));
  return sum.moments();
}

/** The products after x ↦ R x and y ↦ S y. */
function transform({ n, Cxx, Cyx, Cyy }: PairProducts, R: Matrix, S: Matrix): PairProducts {
  const both = (left: Matrix, C: Matrix, right: Matrix): Matrix => multiplyTransposed(multiply(left, C), right);
  return { n, Cxx: both(R, Cxx, R), Cyx: both(S, Cyx, R), Cyy: both(S, Cyy, S) };
}

const scaled = (C: Matrix, by: number): Matrix =>
  createMatrix(
    C.rows,
    C.cols,
    C.data.map((value) => by * value),
  );

function planted(n: number, dSource: number, dTarget: number, noise: number, seed: number): PairProducts {
  const random = seededRandom(seed);
  const X = normalRows(n, dSource, random, 1, 3);
  const Y = mapRows(X, plantedMatrix(dTarget, dSource, random), new Float64Array(dTarget).fill(5), noise, random);
  return productsOf(X, Y, dSource, dTarget);
}

describe("agreement with numpy, from rows and not from moments", () => {
  for (const entry of cases) {
    const products = productsOf(entry.X, entry.Y, entry.dSource, entry.dTarget);

    // 1e-10: about 100 roundings of products that are exact to 1e-14, and for the debiased value a difference that keeps 1/7 of them.
    test(`linearCka(moments): ${entry.name}`, () => {
      const { value, debiased } = linearCka(products);
      expect(value).toBeCloseTo(entry.cka, 10);
      expect(debiased).toBeCloseTo(entry.debiased, 10);
    });

    for (const { keep, kept, correlations } of entry.svcca)
      test(`svcca(moments, { keep: ${keep} }): ${entry.name}`, () => {
        const result = svcca(products, { keep });
        expect(result.kept).toEqual({ source: kept[0], target: kept[1] });
        expect(result.correlations).toHaveLength(correlations.length);
        // Moments square the condition number of the kept directions (at most 1e3 here): 1e-9 leaves room for that.
        correlations.forEach((rho, i) => {
          expect(Math.abs(result.correlations[i]! - rho)).toBeLessThan(1e-9);
        });
        expect(result.value).toBeCloseTo(correlations.reduce((a, b) => a + b, 0) / correlations.length, 9);
      });
  }
});

describe("linearCka(moments)", () => {
  test("is 1 for a side beside a rotated and scaled copy of itself, also in a wider space", () => {
    const random = seededRandom(1);
    const X = normalRows(200, 5, random, 1, 40);
    const { Cxx } = productsOf(X, X, 5, 5);
    const Q = randomSemiOrthogonal(9, 5, random);
    const same = transform({ n: 200, Cxx, Cyx: Cxx, Cyy: Cxx }, scaled(identity(5), 3), scaled(Q, 0.2));
    expect(linearCka(same).value).toBeCloseTo(1, 12);
    expect(linearCka(same).debiased).toBeCloseTo(1, 12);
  });

  test("does not change under rotations and scales of either side, and lies between 0 and 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 3, noNaN: true }), (seed, noise) => {
        const random = seededRandom(seed);
        const before = planted(60, 4, 6, noise, seed);
        const R = scaled(randomSemiOrthogonal(4, 4, random), 1e-3);
        const after = transform(before, R, scaled(randomSemiOrthogonal(6, 6, random), 1e4));
        const { value, debiased } = linearCka(before);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(linearCka(after).value).toBeCloseTo(value!, 10);
        expect(linearCka(after).debiased).toBeCloseTo(debiased!, 10);
      }),
      { numRuns: 30 },
    );
  });

  test("debiased is near 0 for unrelated normal rows where the usual estimate is not, and near the truth for related ones", () => {
    // y = [x, noise] of two equal halves: CKA of the distributions is ‖Σyx‖²/(‖Σxx‖ ‖Σyy‖) = d/(√d √2d) = 1/√2.
    const d = 20;
    const mean = (read: (seed: number) => number): number => {
      let sum = 0;
      for (let seed = 1; seed <= 40; seed++) sum += read(seed) / 40;
      return sum;
    };
    const unrelated = (seed: number): PairProducts => {
      const random = seededRandom(seed);
      return productsOf(normalRows(30, d, random), normalRows(30, d, random), d, d);
    };
    const halves = (seed: number): PairProducts => {
      const random = seededRandom(seed);
      const X = normalRows(30, d, random);
      const Y = normalRows(30, 2 * d, random);
      for (let row = 0; row < 30; row++) Y.set(X.subarray(row * d, (row + 1) * d), row * 2 * d);
      return productsOf(X, Y, d, 2 * d);
    };
    // One draw scatters by about 0.03; the mean of 40 by 0.005, and 0.03 is six of those.
    expect(mean((seed) => linearCka(unrelated(seed)).value!)).toBeGreaterThan(0.35);
    expect(Math.abs(mean((seed) => linearCka(unrelated(seed)).debiased!))).toBeLessThan(0.03);
    expect(mean((seed) => linearCka(halves(seed)).value!)).toBeGreaterThan(Math.SQRT1_2 + 0.05);
    expect(Math.abs(mean((seed) => linearCka(halves(seed)).debiased!) - Math.SQRT1_2)).toBeLessThan(0.03);
  });

  test("says which side does not vary instead of dividing by zero, and where rows are too few to debias", () => {
    const { n, Cxx, Cyx, Cyy } = planted(40, 3, 4, 1, 2);
    const none = { Cxx: createMatrix(3, 3), Cyy: createMatrix(4, 4), Cyx: createMatrix(4, 3) };
    expect(linearCka({ n, Cyy, Cxx: none.Cxx, Cyx: none.Cyx })).toEqual({
      value: null,
      debiased: null,
      diagnosis: "the source does not vary over these rows: all its hidden states are equal",
    });
    expect(linearCka({ n, Cxx, Cyy: none.Cyy, Cyx: none.Cyx }).diagnosis).toContain("the target does not vary");
    expect(linearCka({ n, ...none }).diagnosis).toContain("neither side varies");
    const two = linearCka(planted(2, 3, 4, 1, 3));
    expect(two.value).toBeCloseTo(1, 12); // one difference a side: any two single directions are alike
    expect(two).toMatchObject({ debiased: null, diagnosis: "2 rows are too few to tell likeness from chance" });
    expect(linearCka({ n, Cxx, Cyx, Cyy }).diagnosis).toBeUndefined();
  });

  test("refuses products that do not belong together", () => {
    const { n, Cxx, Cyx, Cyy } = planted(40, 3, 4, 1, 4);
    expect(() => linearCka({ n, Cxx: Cyy, Cyx, Cyy })).toThrow("Cxx: expected a matrix of 3 x 3, got 4 x 4");
    expect(() => linearCka({ n, Cxx, Cyx, Cyy: Cxx })).toThrow("Cyy: expected a matrix of 4 x 4, got 3 x 3");
    expect(() => linearCka({ n: Number.NaN, Cxx, Cyx, Cyy })).toThrow("paired rows: expected a count, got NaN");
    const bad = scaled(Cyx, Number.POSITIVE_INFINITY);
    expect(() => svcca({ n, Cxx, Cyx: bad, Cyy })).toThrow("Cyx: expected finite values");
  });
});

describe("svcca(moments, { keep })", () => {
  test("is 1 for an exact affine image and finds a planted number of shared directions among independent ones", () => {
    expect(svcca(planted(200, 5, 8, 0, 1), { keep: 1 }).value).toBeCloseTo(1, 6);
    const random = seededRandom(3);
    const [n, shared] = [4000, 3];
    const X = normalRows(n, 6, random);
    const Y = normalRows(n, 7, random);
    for (let row = 0; row < n; row++) Y.set(X.subarray(row * 6, row * 6 + shared), row * 7);
    const { correlations, kept } = svcca(productsOf(X, Y, 6, 7), { keep: 1 });
    expect(kept).toEqual({ source: 6, target: 7 });
    for (const rho of correlations.subarray(0, shared)) expect(rho).toBeCloseTo(1, 10);
    // Independent normals: √(7/4000) = 0.04 on average; 0.1 is beyond what the largest of them reaches.
    for (const rho of correlations.subarray(shared)) expect(rho).toBeLessThan(0.1);
  });

  test("does not change under rotations and scales; with keep 1, under any invertible map of either side", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0.1, max: 3, noNaN: true }), (seed, noise) => {
        const random = seededRandom(seed);
        const before = planted(80, 4, 6, noise, seed);
        const turned = transform(
          before,
          scaled(randomSemiOrthogonal(4, 4, random), 50),
          scaled(randomSemiOrthogonal(6, 6, random), 0.01),
        );
        const { value, kept } = svcca(before);
        expect(svcca(turned).kept).toEqual(kept);
        expect(svcca(turned).value).toBeCloseTo(value!, 9);
        // A lower triangle with a strong diagonal is well conditioned whatever is drawn below it.
        const mix = (d: number): Matrix => {
          const L = identity(d);
          for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) L.data[i * d + j] = random.uniform() - 0.5;
          return L;
        };
        const bent = transform(before, mix(4), mix(6));
        expect(svcca(bent, { keep: 1 }).value).toBeCloseTo(svcca(before, { keep: 1 }).value!, 8);
      }),
      { numRuns: 30 },
    );
  });

  test("keeps the fewest directions that hold the share, and leaves directions that are not there out even at keep 1", () => {
    const C = createMatrix(4, 4, Float64Array.of(90, 0, 0, 0, 0, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0));
    expect([0.5, 0.9, 0.95, 0.99, 0.995, 1].map((keep) => toPrincipalSide(C, { keep }).kept)).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
    expect(toPrincipalSide(C).explained).toBeCloseTo(0.99, 12);
    const whiten = toPrincipalSide(C, { keep: 1 }).whiten;
    const back = multiplyTransposed(multiply(whiten, C), whiten);
    back.data.forEach((value, at) => {
      expect(value).toBeCloseTo(identity(3).data[at]!, 12);
    });
  });

  test("svccaOfSides(n, Cyx, sides), each site decomposed once, is the same to the bit", () => {
    const products = planted(100, 5, 4, 1, 8);
    const sides = [toPrincipalSide(products.Cxx), toPrincipalSide(products.Cyy)] as const;
    expect(svccaOfSides(products.n, products.Cyx, ...sides)).toEqual(svcca(products));
    expect(() => svccaOfSides(100, products.Cyx, sides[1], sides[0])).toThrow(
      "Cyx: expected a matrix of 5 x 4, got 4 x 5",
    );
  });

  test("names chance: unrelated rows score below it and near it", () => {
    const random = seededRandom(11);
    const unrelated = productsOf(normalRows(400, 20, random), normalRows(400, 10, random), 20, 10);
    const { value, chance } = svcca(unrelated, { keep: 1 });
    expect(chance).toBeCloseTo(Math.sqrt(20 / 399), 12);
    expect(value).toBeLessThan(chance * 1.05);
    expect(value).toBeGreaterThan(chance * 0.8);
  });

  test("says where rows are too few for the directions, and which side does not vary", () => {
    const few = svcca(planted(8, 5, 6, 1, 5), { keep: 1 });
    expect(few.correlations[0]).toBeCloseTo(1, 8);
    expect(few.diagnosis).toBe(
      "8 rows for 5 + 6 directions: some correlations are 1 whatever the rows; use more rows or keep less",
    );
    const { n, Cxx } = planted(40, 3, 3, 1, 6);
    const none = createMatrix(3, 3);
    expect(svcca({ n, Cxx, Cyx: none, Cyy: none })).toMatchObject({
      value: null,
      kept: { target: 0 },
      diagnosis: "the target does not vary over these rows: all its hidden states are equal",
    });
    for (const keep of [0, -1, 1.01, Number.NaN])
      expect(() => svcca({ n, Cxx, Cyx: Cxx, Cyy: Cxx }, { keep })).toThrow("keep: expected a share above 0");
  });
});
