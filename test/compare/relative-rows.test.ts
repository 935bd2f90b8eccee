import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { euclideanCloseness, graphCloseness } from "../../src/compare/closeness.ts";
import { fitKnnGraph } from "../../src/compare/knn-graph.ts";
import { matchProfiles, profileLikeness } from "../../src/compare/match-profiles.ts";
import { nullScores } from "../../src/compare/null-scores.ts";
import { relativeMeasures } from "../../src/compare/relative-measures.ts";
import { drawAnchors, relativeRows } from "../../src/compare/relative-rows.ts";
import { createMatrix, identity, type Matrix } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { createLatentWorld } from "../../src/maps/latent-world.ts";

const n = 160;
const named = (name: string) => relativeMeasures.find((measure) => measure.name === name)!;

/** Rows of two models of one world, of which the second has so much noise. */
function planted(noise: number): { readonly X: Matrix; readonly Y: Matrix } {
  const world = createLatentWorld({
    features: 64,
    universalWidth: 12,
    active: 6,
    models: [
      { width: 16, projection: "orthogonal" },
      { width: 20, projection: "orthogonal", noise },
    ],
    seed: 4,
  });
  const { states } = world.draw(n);
  return { X: states[0]!, Y: states[1]! };
}

const plainReadout = (width: number) => ({
  isCentred: false,
  epsilon: 1e-6,
  gains: new Float64Array(width).fill(1),
  products: identity(width),
});

describe("relative rows on a planted world", () => {
  const geometric = ["relative-cosine", "relative-euclidean", "relative-graph"];

  test("two orthogonal projections of one world are alike to rounding and find every row; with noise less so, unrelated rows not at all", () => {
    const [clear, noisy, blurred] = [0, 0.5, 2].map(planted);
    const random = seededRandom(9);
    const unrelated = createMatrix(
      n,
      16,
      Float64Array.from({ length: n * 16 }, () => random.normal()),
    );
    for (const name of geometric) {
      const measure = named(name);
      const scores = [clear!, noisy!, blurred!].map(({ X, Y }) => measure.run(X, Y));
      expect(scores[0], name).toBeGreaterThan(0.999);
      expect(scores[1], name).toBeLessThan(0.99);
      expect(scores[2], name).toBeLessThan(scores[1]!);
      // 128 rows of cosines of 32 columns: a mean about 0 with a spread of a few hundredths.
      expect(Math.abs(measure.run(clear!.X, unrelated)), name).toBeLessThan(0.15);
      expect(named(name.replace("relative", "find")).run(clear!.X, clear!.Y), name).toBeCloseTo(1, 9);
      expect(named(name.replace("relative", "find-first")).run(clear!.X, clear!.Y), name).toBeCloseTo(1, 9);
    }
  });

  test("the null pairs anchors at random too, and stands at chance", () => {
    const { X, Y } = planted(0.5);
    const found = nullScores(named("find-cosine"), X, Y, { shuffles: 10 });
    // Mean of 1/rank of a place among 128 drawn at random: H(128)/128.
    const chance = Array.from({ length: 128 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b) / 128;
    expect(found.mean / chance).toBeGreaterThan(0.7);
    expect(found.mean / chance).toBeLessThan(1.4);
    expect(found.z).toBeGreaterThan(10);
  });

  test("prepare scores another pairing as run does its rows", () => {
    const { X, Y } = planted(0.5);
    const order = seededRandom(3).shuffle(Int32Array.from({ length: n }, (_, i) => i));
    const moved = createMatrix(n, Y.cols);
    order.forEach((from, to) => {
      moved.data.set(Y.data.subarray(from * Y.cols, (from + 1) * Y.cols), to * Y.cols);
    });
    const readouts = { x: plainReadout(X.cols), y: plainReadout(Y.cols) };
    for (const measure of relativeMeasures)
      expect(measure.prepare!(X, Y, { readouts })(order), measure.name).toBeCloseTo(
        measure.run(X, moved, { readouts }),
        9,
      );
  });

  test("rotation, shift and scale change nothing but what looks through the logits", () => {
    const { X, Y } = planted(0.5);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.double({ min: 0.01, max: 100, noNaN: true }), (seed, scale) => {
        const turned = multiply(Y, randomSemiOrthogonal(Y.cols, Y.cols, seededRandom(seed)));
        const Z = createMatrix(
          n,
          Y.cols,
          turned.data.map((value, at) => scale * value + (at % Y.cols)),
        );
        for (const name of geometric) expect(named(name).run(X, Z)).toBeCloseTo(named(name).run(X, Y), 6);
      }),
      { numRuns: 3 },
    );
  });

  test("through the logits: not defined without a readout; told by it what to look at", () => {
    const { X, Y } = planted(0);
    const measure = named("relative-readout");
    expect(measure.run(X, Y)).toBeNaN();
    // A readout that looks at one direction hears nothing of how the others are mixed, which keeps the norm too.
    const oneDirection = createMatrix(X.cols, X.cols);
    oneDirection.data[0] = 1;
    const readouts = {
      x: { ...plainReadout(X.cols), products: oneDirection },
      y: { ...plainReadout(X.cols), products: oneDirection },
    };
    const turn = identity(X.cols);
    const inner = randomSemiOrthogonal(X.cols - 1, X.cols - 1, seededRandom(1));
    for (let i = 1; i < X.cols; i++)
      turn.data.set(inner.data.subarray((i - 1) * (X.cols - 1), i * (X.cols - 1)), i * X.cols + 1);
    const mixed = multiply(X, turn);
    expect(measure.run(X, mixed, { readouts })).toBeCloseTo(1, 9);
    expect(measure.run(X, mixed, { readouts: { x: readouts.x, y: plainReadout(X.cols) } })).toBeLessThan(0.9);
    expect(() => measure.run(X, Y, { readouts })).toThrow("readout: expected width 20, as the rows, got 16");
  });
});

describe("graphCloseness(X)", () => {
  /** Points of half a circle of radius 1, ends included. */
  const half = (count: number): Matrix =>
    createMatrix(
      count,
      2,
      Float64Array.from({ length: 2 * count }, (_, at) => {
        const angle = (Math.PI * Math.floor(at / 2)) / (count - 1);
        return at % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
      }),
    );

  test("follows a bent line: its ends are π apart, not 2", () => {
    const X = half(200);
    // Chords fall short of arcs by a part in 24 n² here; paths over two neighbours a side take longer chords.
    expect(graphCloseness(X, { neighbours: 2 })(0)[199]).toBeCloseTo(Math.PI, 3);
    expect(euclideanCloseness(X)(0)[199]).toBeCloseTo(2, 9);
  });

  test("joins parts that have no edge between them, by the shortest way", () => {
    const X = createMatrix(9, 1, Float64Array.of(0, 1, 2, 10, 11, 12, 30, 31, 32));
    const graph = fitKnnGraph(X, { neighbours: 2 });
    expect(graph.bridges).toBe(2);
    expect(graphCloseness(X, { neighbours: 2 })(0)[8]).toBeCloseTo(32, 9);
  });
});

describe("matchProfiles(R, S)", () => {
  test("of equal rows the place in the middle counts, and no column that says nothing", () => {
    const R = createMatrix(4, 2, Float64Array.of(1, 5, 1, 5, -1, 5, -1, 5));
    // Two rows are the first, two the second: the own counterpart shares its place with one other.
    expect(matchProfiles(R, R)).toEqual({ likeness: 1, reciprocalRank: 1 / 1.5, topOne: 0 });
    expect(profileLikeness(R, R)).toBe(1);
  });

  test("is not defined where a side does not vary or no row is left", () => {
    const R = createMatrix(3, 1, Float64Array.of(1, 2, 3));
    expect(matchProfiles(R, createMatrix(3, 1)).likeness).toBeNaN();
    expect(profileLikeness(R, R, [0, 1])).toBeNaN();
  });

  test("anchors: as many as asked for, drawn by the seed; relative rows say what was wrong with them", () => {
    expect(drawAnchors(50, 7, 1)).toEqual(drawAnchors(50, 7, 1));
    expect(new Set(drawAnchors(50, 50, 2)).size).toBe(50);
    expect(() => drawAnchors(5, 6, 0)).toThrow("anchors: expected a count from 2 to 5, the rows, got 6");
    const closeness = euclideanCloseness(createMatrix(3, 1, Float64Array.of(0, 1, 3)));
    expect(() => relativeRows(closeness, [])).toThrow("anchors: expected at least one, got none");
    expect([...relativeRows(closeness, [0]).data]).toEqual([0, 1, 3]);
  });

  test("a graph needs more rows than neighbours", () => {
    expect(() => fitKnnGraph(createMatrix(5, 1), { neighbours: 5 })).toThrow(
      "rows of a neighbourhood graph: expected more than 5, the neighbours of each, got 5",
    );
    expect(() => fitKnnGraph(createMatrix(5, 1), { neighbours: 0 })).toThrow(
      "neighbours: expected a count of at least 1",
    );
  });
});
