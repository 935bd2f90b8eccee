import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { geoTopology } from "../../src/compare/geo-topology.ts";
import { kernelCka } from "../../src/compare/kernel-cka.ts";
import { linearCkaOfRows } from "../../src/compare/linear-cka-of-rows.ts";
import type { Measure } from "../../src/compare/measure.ts";
import { rowMeasures } from "../../src/compare/measures.ts";
import { mutualNeighbours } from "../../src/compare/mutual-neighbours.ts";
import { type NeighbourhoodGraphs, neighbourhoodGraphs } from "../../src/compare/neighbourhood-graph.ts";
import { neighbourhoodMetrics } from "../../src/compare/neighbourhood-metrics.ts";
import { fitNnkGraph, solveNonNegative } from "../../src/compare/nnk-graph.ts";
import { nullScores } from "../../src/compare/null-scores.ts";
import { permuteRows } from "../../src/compare/permute-rows.ts";
import { procrustesLikeness } from "../../src/compare/procrustes-likeness.ts";
import { rsa } from "../../src/compare/rsa.ts";
import { svccaOfRows } from "../../src/compare/svcca-of-rows.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { createLatentWorld } from "../../src/maps/latent-world.ts";

/** The measures of this file's subject; relative rows and functional maps have tests of their own. */
const names = [
  "linear-cka",
  "linear-cka-debiased",
  "kernel-cka",
  "kernel-cka-debiased",
  "procrustes",
  "svcca",
  "rsa",
  "rsa-euclidean",
  "geo-topology",
  "mutual-neighbours",
  "nnk-edges",
  "nnk-geometry",
];
const measures = names.map((name): Measure => rowMeasures.find((measure) => measure.name === name)!);

function normal(n: number, d: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return createMatrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => random.normal()),
  );
}

function plus(A: Matrix, B: Matrix, scale = 1): Matrix {
  return createMatrix(
    A.rows,
    A.cols,
    A.data.map((value, k) => value + scale * B.data[k]!),
  );
}

/** s · X Q + the same shift for every row. */
function turned(X: Matrix, width: number, seed: number, scale: number, shift: number): Matrix {
  const Q = randomSemiOrthogonal(X.cols, width, seededRandom(seed));
  const Y = multiply(X, Q);
  for (let k = 0; k < Y.data.length; k++) Y.data[k] = scale * Y.data[k]! + shift * ((k % width) - 2);
  return Y;
}

/** Two models of a latent world of 24 dimensions. */
function worldRows(n: number, target: object = {}, seed = 1): readonly [Matrix, Matrix] {
  const world = createLatentWorld({
    features: 96,
    universalWidth: 24,
    active: 6,
    models: [
      { width: 40, projection: "orthogonal" },
      { width: 48, projection: "orthogonal", ...target },
    ],
    seed,
  });
  const [X, Y] = world.draw(n, { seed }).states;
  return [X!, Y!];
}

describe("what leaves a measure as it is", () => {
  // Correlation distance knows the axes, so RSA with it is held against what it does promise below.
  for (const measure of measures.filter(({ name }) => name !== "rsa"))
    test(`${measure.name}: rotation into a wider space, scale and shift of either side; swapping the sides`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 1e6 }),
          fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
          fc.double({ min: -50, max: 50, noNaN: true }),
          (seed, scale, shift) => {
            const [X, Y] = [normal(40, 34, seed), normal(40, 36, seed + 1)];
            const related = plus(Y, turned(X, 36, seed, 1, 0), 2);
            const before = measure.run(X, related);
            // Shifts 50 times the spread cost two digits of the squares, and ranks and neighbours must not flip on any.
            expect(measure.run(turned(X, 40, seed + 2, scale, shift), related)).toBeCloseTo(before, 7);
            expect(measure.run(X, turned(related, 36, seed + 3, scale, shift))).toBeCloseTo(before, 7);
            expect(measure.run(related, X)).toBeCloseTo(before, 7);
          },
        ),
        { numRuns: 3 },
      );
    });

  for (const measure of measures)
    test(`${measure.name}: 1 for the same rows, and for one order of both sides whatever it is`, () => {
      const X = normal(60, 33, 3);
      expect(measure.run(X, X)).toBeCloseTo(1, 9);
      const Y = plus(X, normal(60, 33, 4));
      const order = seededRandom(5).shuffle(Array.from({ length: 60 }, (_, i) => i));
      expect(measure.run(permuteRows(X, order), permuteRows(Y, order))).toBeCloseTo(measure.run(X, Y), 9);
    });

  test("svcca: any invertible linear map, where all directions are kept", () => {
    const [X, M] = [normal(200, 6, 1), normal(6, 6, 2)];
    const Y = plus(X, normal(200, 6, 3));
    const before = svccaOfRows(X, Y, { keep: 1 }).value!;
    expect(svccaOfRows(multiply(X, M), Y, { keep: 1 }).value).toBeCloseTo(before, 8);
    expect(Math.abs(linearCkaOfRows(multiply(X, M), Y).value! - linearCkaOfRows(X, Y).value!)).toBeGreaterThan(0.01);
  });

  test("rsa: scale of a row and a constant added to its dimensions, but not rotation", () => {
    const [X, Y] = [normal(40, 8, 1), normal(40, 8, 2)];
    const rowwise = createMatrix(
      40,
      8,
      X.data.map((value, k) => (1 + Math.floor(k / 8)) * value + Math.floor(k / 8)),
    );
    expect(rsa(rowwise, Y).value).toBeCloseTo(rsa(X, Y).value, 9);
    expect(Math.abs(rsa(turned(X, 8, 3, 1, 0), Y).value - rsa(X, Y).value)).toBeGreaterThan(1e-3);
  });
});

describe("what a measure says", () => {
  for (const measure of measures)
    test(`${measure.name}: falls as noise grows, from 1 to its null; unrelated rows lie inside it`, () => {
      const n = 150;
      const [X, Y] = worldRows(n);
      // Orthogonal projections of one universal space are rotations of each other: the same rows to every measure but RSA's correlation distance.
      const noise = normal(n, Y.cols, 7);
      // How wide and flat neighbourhoods are is gone at noise that leaves most neighbours where they were.
      const scales = measure.name === "nnk-geometry" ? [0, 0.01, 0.03, 0.1] : [0, 0.1, 0.3, 1];
      const scores = scales.map((scale) => measure.run(X, plus(Y, noise, scale)));
      if (measure.name !== "rsa") expect(scores[0]).toBeCloseTo(1, 6);
      for (let k = 1; k < scores.length; k++) expect(scores[k]).toBeLessThan(scores[k - 1]! - 0.01);
      const related = nullScores(measure, X, plus(Y, noise, scales[1]), { shuffles: 30, seed: 1 });
      expect(related.z).toBeGreaterThan(8);
      expect(related.p).toBeCloseTo(1 / 31, 12);
      const unrelated = nullScores(measure, X, noise, { shuffles: 60, seed: 2 });
      // One draw of a null, against 60 others: |z| above 4 has a chance of some 1e-4 a measure.
      expect(Math.abs(unrelated.z)).toBeLessThan(4);
    });

  test("mutual neighbours and geo-topology stay where CKA falls: clusters that were moved about", () => {
    // Tight clusters keep who is whose neighbour, wherever each of them is put: locally a translation, globally no linear map.
    const random = seededRandom(2);
    const [clusters, each, d] = [12, 12, 20];
    const from = normal(clusters, d, 3);
    const to = normal(clusters, d, 4);
    const X = createMatrix(clusters * each, d);
    const Y = createMatrix(clusters * each, d);
    for (let k = 0; k < X.data.length; k++) {
      const [row, j] = [Math.floor(k / d), k % d];
      const own = 0.15 * random.normal();
      X.data[k] = from.data[Math.floor(row / each) * d + j]! + own;
      Y.data[k] = to.data[Math.floor(row / each) * d + j]! + own;
    }
    expect(mutualNeighbours(X, Y).value).toBeGreaterThan(0.85);
    expect(kernelCka(X, Y, { kernel: "linear", debiased: true }).value).toBeLessThan(0.6);
    // Near pairs are those of a cluster in both: topology without geometry sees the same graph.
    const nearShare = (each - 1) / (clusters * each - 1);
    expect(geoTopology(X, Y, { lower: nearShare, upper: nearShare }).value).toBeGreaterThan(0.9);
    expect(rsa(X, Y, { distance: "euclidean" }).value).toBeLessThan(0.5);
  });

  test("SVCCA stays where CKA, RSA and neighbours fall: two loud dimensions", () => {
    const [X, Y] = worldRows(300);
    const [, loud] = worldRows(300, { loud: { dimensions: 2, factor: 50 } });
    expect(svccaOfRows(X, loud, { keep: 1 - 1e-9 }).value).toBeCloseTo(1, 4);
    expect(linearCkaOfRows(X, Y).value).toBeGreaterThan(0.99);
    expect(linearCkaOfRows(X, loud).value).toBeLessThan(0.5);
    expect(mutualNeighbours(X, loud).value).toBeLessThan(0.3);
    expect(rsa(X, loud, { distance: "euclidean" }).value).toBeLessThan(0.5);
  });

  test("linear CKA and Procrustes are bought by a few sinks; ranks and neighbours are not", () => {
    const [a, b] = [normal(200, 30, 1), normal(200, 30, 2)];
    for (const side of [a, b]) for (let row = 0; row < 4; row++) side.data.fill(500, row * 30, (row + 1) * 30);
    expect(linearCkaOfRows(a, b).value).toBeGreaterThan(0.999);
    expect(procrustesLikeness(a, b).value).toBeGreaterThan(0.99);
    expect(mutualNeighbours(a, b).value).toBeLessThan(0.2);
    expect(geoTopology(a, b).value).toBeLessThan(0.2);
  });

  test("Gaussian kernels hear a bend less than linear ones of a curve that is rolled up", () => {
    // A line and the same line rolled into a circle and a half: near stays near.
    const n = 200;
    const random = seededRandom(9);
    const t = Array.from({ length: n }, () => random.uniform());
    const X = createMatrix(n, 2, Float64Array.from(t.flatMap((u) => [u, 0.02 * random.normal()])));
    const Y = createMatrix(n, 2, Float64Array.from(t.flatMap((u) => [Math.cos(9 * u), Math.sin(9 * u)])));
    const [linear, near] = [kernelCka(X, Y, { kernel: "linear" }), kernelCka(X, Y, { bandwidth: 0.1 })];
    expect(near.value).toBeGreaterThan(linear.value + 0.2);
  });

  test("neighbourhood geometry is kept where no edge is: rows dealt out anew among copies of one cloud", () => {
    // Row i has the neighbourhood of row i + 1 of the other side: the same shapes elsewhere, so shifted metrics agree and edges do not.
    const X = normal(120, 32, 1);
    const order = Array.from({ length: 120 }, (_, i) => (i + 1) % 120);
    const { count } = neighbourhoodMetrics(fitNnkGraph(X, { candidates: 30 }));
    const moved = neighbourhoodMetrics(fitNnkGraph(permuteRows(X, order), { candidates: 30 })).count;
    expect([...moved]).toEqual(order.map((row) => count[row]));
    expect(neighbourhoodGraphs(X, permuteRows(X, order)).value).toBeLessThan(0.1);
  });

  test("NNK counts more neighbours where the cloud has more dimensions, and flat clouds have affinity near 1", () => {
    const flat = (d: number): Matrix => turned(normal(200, d, 4), 40, 5, 1, 0);
    const meansOf = (d: number): NeighbourhoodGraphs["means"]["X"] => neighbourhoodGraphs(flat(d), flat(d)).means.X;
    const [low, high] = [meansOf(2), meansOf(8)];
    expect(high.count).toBeGreaterThan(low.count + 1);
    expect(low.affinity).toBeGreaterThan(high.affinity);
  });

  test("solveNonNegative(K, k) meets the conditions of the minimum", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 20 }), (seed, m) => {
        const B = normal(m, m + 4, seed);
        const K = new Float64Array(m * m);
        for (let i = 0; i < m; i++)
          for (let j = 0; j < m; j++)
            for (let t = 0; t < m + 4; t++) K[i * m + j]! += (B.data[i * (m + 4) + t]! * B.data[j * (m + 4) + t]!) / m;
        const k = normal(1, m, seed + 1).data;
        const theta = solveNonNegative(K, k);
        for (let i = 0; i < m; i++) {
          let slope = -k[i]!;
          for (let j = 0; j < m; j++) slope += K[i * m + j]! * theta[j]!;
          expect(theta[i]).toBeGreaterThanOrEqual(0);
          // No way down at a bound, none either way off it; 1e-9 is the condition number (some 1e3) times rounding, with room.
          if (theta[i]! > 0) expect(Math.abs(slope)).toBeLessThan(1e-9);
          else expect(slope).toBeGreaterThan(-1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("nullScores(measure, X, Y, { shuffles, seed, groups })", () => {
  test("scores with prepare(order) what run() gives of permuted rows, for every measure: two routes, one answer", () => {
    const [X, Y] = worldRows(70, { noise: 0.5 });
    const order = Int32Array.from(seededRandom(4).shuffle(Array.from({ length: 70 }, (_, i) => i)));
    for (const measure of measures) {
      const score = measure.prepare!(X, Y);
      expect(score()).toBeCloseTo(measure.run(X, Y), 12);
      expect(score(order)).toBeCloseTo(measure.run(X, permuteRows(Y, order)), 9);
    }
  });

  test("gives p uniform under the null: 200 unrelated pairs, one of twenty below 0.05", () => {
    const toy: Measure = {
      ...measures[0]!,
      run: (X, Y) => X.data.reduce((sum, value, k) => sum + value * Y.data[k]!, 0),
    };
    const { prepare: _, ...plain } = toy;
    let below = 0;
    for (let seed = 1; seed <= 200; seed++)
      if (nullScores(plain, normal(12, 1, seed), normal(12, 1, seed + 1000), { shuffles: 19, seed }).p <= 0.05) below++;
    // 10 expected, standard deviation 3.
    expect(below).toBeGreaterThan(1);
    expect(below).toBeLessThan(22);
  });

  test("with groups, moves whole groups: likeness within groups stays in the null", () => {
    // Two sides with nothing in common but which group a row is of, and in which order groups drift: rows of one group are alike.
    const random = seededRandom(8);
    const n = 120;
    const groups = Array.from({ length: n }, (_, i) => Math.floor(i / 10));
    const drift = (seed: number): Matrix => {
      const [centres, noise] = [normal(12, 10, seed), normal(n, 10, seed + 50)];
      return createMatrix(
        n,
        10,
        noise.data.map((value, k) => 0.3 * value + centres.data[groups[Math.floor(k / 10)]! * 10 + (k % 10)]!),
      );
    };
    const [X, Y] = [drift(1), drift(2)];
    const near = measures.find(({ name }) => name === "mutual-neighbours")!;
    const rowwise = nullScores(near, X, Y, { shuffles: 30, seed: random.integer(100) });
    const grouped = nullScores(near, X, Y, { shuffles: 30, groups });
    expect(rowwise.z).toBeGreaterThan(20);
    expect(grouped.mean).toBeGreaterThan(3 * rowwise.mean);
    expect(Math.abs(grouped.value - grouped.mean)).toBeLessThan(0.1);
  });

  test("is the same for the same seed, orders its scores, and refuses what is not paired", () => {
    const [X, Y] = [normal(30, 4, 1), normal(30, 5, 2)];
    const once = nullScores(measures[0]!, X, Y, { seed: 3 });
    expect(nullScores(measures[0]!, X, Y, { seed: 3 })).toEqual(once);
    expect([...once.scores]).toEqual([...once.scores].sort((a, b) => a - b));
    expect(() => nullScores(measures[0]!, X, normal(29, 5, 2))).toThrow(
      "linear-cka: rows: expected as many of X as of Y, got 30 and 29",
    );
    expect(() => nullScores(measures[0]!, X, Y, { shuffles: 0 })).toThrow("shuffles: expected a count of at least 1");
    expect(() => nullScores(measures[0]!, X, Y, { groups: [1, 2] })).toThrow("groups: expected 30, one a row, got 2");
    expect(() => nullScores(measures[0]!, X, Y, { groups: new Array(30).fill(1) })).toThrow("at least 2 to shuffle");
  });
});

describe("input that a measure cannot answer", () => {
  const X = normal(40, 6, 1);
  const still = createMatrix(40, 6, new Float64Array(240).fill(1e6 / 3));

  for (const measure of measures)
    test(`${measure.name}: not finite, not paired, too few rows; a side that does not vary is NaN, or chance`, () => {
      const bad = createMatrix(40, 6, X.data.slice());
      bad.data[13] = Number.NaN;
      expect(() => measure.run(X, bad)).toThrow("expected finite values, got NaN at row 2, column 1");
      expect(() => measure.run(X, normal(39, 6, 2))).toThrow("expected as many of X as of Y");
      expect(() => measure.run(normal(1, 3, 1), normal(1, 3, 2))).toThrow("at least 2");
      const value = measure.run(X, still);
      // All rows equal: every row is everybody's neighbour, so neighbours taken in order are chance.
      if (measure.name === "mutual-neighbours") expect(value).toBeLessThan(0.6);
      else if (measure.name === "nnk-edges") expect(value).toBeLessThan(0.2);
      else expect(value).toBeNaN();
    });

  test("neighbours beyond the rows, bandwidths and thresholds out of range are refused by name", () => {
    expect(() => mutualNeighbours(X, X, { neighbours: 40 })).toThrow(
      "rows: expected more than 40, the neighbours of each, got 40",
    );
    expect(() => mutualNeighbours(X, X, { neighbours: 0 })).toThrow(
      "neighbours: expected a count of at least 1, got 0",
    );
    expect(() => kernelCka(X, X, { bandwidth: 0 })).toThrow("bandwidth: expected a number above 0, got 0");
    expect(() => kernelCka(normal(3, 2, 1), normal(3, 2, 2), { debiased: true })).toThrow("at least 4 rows, got 3");
    expect(() => geoTopology(X, X, { lower: 0.6, upper: 0.4 })).toThrow("expected 0 ≤ lower ≤ upper ≤ 1");
  });
});
