import { describe, expect, test } from "vitest";
import { fitAffineByFolds, fitFromAnchors } from "../../src/compare/fit-from-anchors.ts";
import { anchorFunctions, toFunctionalSide } from "../../src/compare/functional-basis.ts";
import { functionalLikeness, functionalOverlap } from "../../src/compare/functional-likeness.ts";
import { fitFunctionalMap } from "../../src/compare/functional-map.ts";
import { functionalMeasures } from "../../src/compare/functional-measures.ts";
import { predictRows, toTransferSides } from "../../src/compare/functional-transfer.ts";
import { fitKnnGraph } from "../../src/compare/knn-graph.ts";
import { laplacianBasis } from "../../src/compare/laplacian-basis.ts";
import { drawAnchors } from "../../src/compare/relative-rows.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";

function fill(rows: number, cols: number, value: (i: number, j: number) => number): Matrix {
  return createMatrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, (_, at) => value(Math.floor(at / cols), at % cols)),
  );
}

/**
 * Rows on a surface of two dimensions that lies bent in six, seen by two models of 24 and 30 dimensions with a little noise: the world in which
 * neighbours tell what a few anchors do not.
 */
function surface(n: number, seed: number): { readonly X: Matrix; readonly Y: Matrix } {
  const random = seededRandom(seed);
  const [u, v] = [0, 1].map(() => Float64Array.from({ length: n }, () => 2 * random.uniform() - 1));
  const bent = fill(n, 6, (i, j) => {
    const [a, b] = [u![i]!, v![i]!];
    return [2 * a, 2 * b, a * b, a * a - 0.3, b * b - 0.3, Math.sin(2 * a)][j]!;
  });
  const seen = (width: number, stream: number): Matrix => {
    const noise = seededRandom(seed + stream);
    const rows = multiply(bent, randomSemiOrthogonal(6, width, seededRandom(stream)));
    return fill(n, width, (i, j) => rows.data[i * width + j]! + 1 + 0.05 * noise.normal());
  };
  return { X: seen(24, 101), Y: seen(30, 202) };
}

const n = 400;
const { X, Y } = surface(n, 1);
const [x, y] = [toFunctionalSide(X), toFunctionalSide(Y)];
const heldOut = surface(200, 7);

function r2({ A, p }: { A: Matrix; p: Float64Array }): number {
  const P = predictRows(heldOut.X, { A, p });
  const d = P.cols;
  const mean = Array.from({ length: d }, (_, j) =>
    heldOut.Y.data.reduce((sum, value, at) => sum + (at % d === j ? value / 200 : 0), 0),
  );
  let [sse, sst] = [0, 0];
  heldOut.Y.data.forEach((value, at) => {
    sse += (value - P.data[at]!) ** 2;
    sst += (value - mean[at % d]!) ** 2;
  });
  return 1 - sse / sst;
}

describe("laplacianBasis(graph)", () => {
  test("of a ring has the eigenvalues that are known in closed form", () => {
    const count = 48;
    const ring = fill(count, 2, (i, j) => [Math.cos, Math.sin][j]!((2 * Math.PI * i) / count));
    const { values, functions } = laplacianBasis(fitKnnGraph(ring, { neighbours: 2 }), { size: 7 });
    // 1 − cos(2πj/n), each but the first twice. Lanczos is left with 1e-8 in the residual, 1e-16 in a value.
    [0, 1, 1, 2, 2, 3, 3].forEach((j, at) => {
      expect(values[at]).toBeCloseTo(1 - Math.cos((2 * Math.PI * j) / count), 12);
    });
    const first = Float64Array.from({ length: count }, (_, i) => functions.data[i * 7]!);
    first.forEach((value) => {
      expect(value).toBeCloseTo(1 / Math.sqrt(count), 8);
    });
  });

  test("says what sizes there are", () => {
    const graph = fitKnnGraph(
      fill(20, 1, (i) => i),
      { neighbours: 2 },
    );
    expect(() => laplacianBasis(graph, { size: 21 })).toThrow(
      "Laplacian basis: expected a size from 1 to 20, the rows, got 21",
    );
  });
});

describe("fitFunctionalMap(from, to, told)", () => {
  const turned = toFunctionalSide(multiply(X, randomSemiOrthogonal(24, 40, seededRandom(5))));
  const anchors = drawAnchors(n, 60, 0);

  test("between rows and the same rows turned is the identity, told at fewer anchors than it has columns", () => {
    const few = drawAnchors(n, 30, 0);
    const told = { F: anchorFunctions(x, few), G: anchorFunctions(turned, few) };
    const C = fitFunctionalMap(x.basis, turned.basis, told, { alpha: 10 });
    // Where the regulariser alone decides, next to the diagonal, a part of what the anchors tell of neighbours leaks in.
    const k = C.cols;
    for (let i = 0; i < 15; i++) expect(C.data[i * k + i], `function ${i}`).toBeGreaterThan(0.9);
    expect(functionalLikeness(C)).toBeGreaterThan(0.95);
  });

  test("commutes with the Laplacians the better the larger alpha is", () => {
    const told = { F: anchorFunctions(x, anchors), G: anchorFunctions(y, anchors) };
    const gaps = [0.01, 1, 100].map((alpha) => {
      const C = fitFunctionalMap(x.basis, y.basis, told, { alpha });
      return C.data.reduce((sum, value, at) => {
        const gap = x.basis.values[at % C.cols]! - y.basis.values[Math.floor(at / C.cols)]!;
        return sum + (gap * value) ** 2;
      }, 0);
    });
    expect(gaps[0]).toBeGreaterThan(gaps[1]!);
    expect(gaps[1]).toBeGreaterThan(gaps[2]!);
  });

  test("refuses descriptors that are not as many, of other rows, or all nothing", () => {
    const [F, G] = [anchorFunctions(x, anchors), anchorFunctions(y, anchors)];
    const fewer = anchorFunctions(y, anchors.subarray(0, 3));
    expect(() => fitFunctionalMap(x.basis, y.basis, { F, G: fewer })).toThrow(
      "descriptors: expected as many on both sides, at least one, got 60 and 3",
    );
    expect(() => fitFunctionalMap(x.basis, y.basis, { F: createMatrix(3, 60), G })).toThrow(
      "descriptors: expected 400 rows, as the graph, got 3",
    );
    expect(() => fitFunctionalMap(x.basis, y.basis, { F: createMatrix(n, 2), G: createMatrix(n, 2) })).toThrow(
      "descriptors that vary",
    );
    expect(() => fitFunctionalMap(x.basis, y.basis, { F, G }, { alpha: -1 })).toThrow(
      "alpha: expected a number of at least 0, got -1",
    );
  });
});

describe("functionalLikeness(C), functionalOverlap(C)", () => {
  test("are 1 for a rotation; the likeness of independent normals is 1/2, of nothing 0", () => {
    const Q = randomSemiOrthogonal(30, 30, seededRandom(1));
    expect(functionalLikeness(Q)).toBeCloseTo(1, 12);
    expect(functionalOverlap(Q)).toBeCloseTo(1, 12);
    const random = seededRandom(2);
    // Expected k³/(k³ + k²(k − 1)) and a spread of about 1/k.
    expect(functionalLikeness(fill(60, 60, () => random.normal()))).toBeCloseTo(0.5, 1);
    expect(functionalLikeness(createMatrix(4, 4))).toBe(0);
  });

  test("as measures: near 1 for one surface in two models, near k/n and 1/rank by chance for unrelated rows", () => {
    const other = surface(n, 33).Y;
    const score = (name: string, to: Matrix): number =>
      functionalMeasures.find((measure) => measure.name === name)!.run(X, to);
    expect(score("functional-overlap", Y)).toBeGreaterThan(0.8);
    expect(score("functional-overlap", other)).toBeLessThan(2 * (40 / n));
    expect(score("functional-map", Y)).toBeGreaterThan(score("functional-map", other));
    expect(score("find-functional", Y)).toBeGreaterThan(0.3);
    expect(score("find-functional", other)).toBeLessThan(0.05);
    expect(score("functional-overlap", createMatrix(n, 5))).toBeNaN();
  });
});

describe("fitFromAnchors(sides, anchors)", () => {
  const sides = toTransferSides(X, Y, x, y);
  const drawn = drawAnchors(n, 12, 3);
  const found = fitFromAnchors(sides, { x: drawn, y: drawn }, { seed: 0 });

  test("with fewer anchors than dimensions the functional map goes beyond the ridge; shuffled anchors go nowhere", () => {
    expect(r2(found.functional)).toBeGreaterThan(r2(found.affine) + 0.05);
    expect(r2(found.corrected)).toBeGreaterThan(r2(found.affine));
    const wrong = fitFromAnchors(sides, { x: drawn, y: seededRandom(4).shuffle(drawn) }, { seed: 0 });
    for (const way of ["affine", "functional", "corrected"] as const) expect(r2(wrong[way]), way).toBeLessThan(0.3);
    expect(r2(wrong.functional)).toBeLessThan(r2(found.functional) / 2);
  });

  test("does not see which other row is which: the target's rows in any order give the same maps", () => {
    const order = seededRandom(8).shuffle(Int32Array.from({ length: n }, (_, i) => i));
    const moved = fill(n, Y.cols, (i, j) => Y.data[order[i]! * Y.cols + j]!);
    const places = drawn.map((row) => order.indexOf(row));
    const again = fitFromAnchors(
      toTransferSides(X, moved, x, toFunctionalSide(moved)),
      { x: drawn, y: places },
      { seed: 0 },
    );
    for (const way of ["affine", "functional", "corrected"] as const) {
      expect(again[way].alpha).toBe(found[way].alpha);
      expect(again[way].lambda).toBe(found[way].lambda);
      // Eigenfunctions to 1e-8 over gaps of about 0.01.
      const away = again[way].A.data.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - found[way].A.data[at]!)),
        0,
      );
      expect(away, way).toBeLessThan(1e-4);
    }
  });

  test("with all rows paired the ridge is the one to use, and the correction takes nothing from it", () => {
    const all = fitAffineByFolds(X, Y, { seed: 0 });
    const every = Int32Array.from({ length: n }, (_, i) => i);
    const fits = fitFromAnchors(sides, { x: every, y: every }, { seed: 0 });
    expect(all.lambda).toBe(fits.affine.lambda);
    expect(r2(fits.affine)).toBe(r2(all));
    expect(r2(all)).toBeGreaterThan(0.95);
    expect(r2(fits.corrected)).toBeGreaterThan(r2(all) - 0.01);
  });

  test("needs five anchors, as many of both sides", () => {
    const four = { x: drawn.subarray(0, 4), y: drawn.subarray(0, 4) };
    expect(() => fitFromAnchors(sides, four, { seed: 0 })).toThrow(
      "anchors: expected as many of both sides, at least 5, got 4 and 4",
    );
    expect(() => fitFromAnchors(sides, { x: drawn, y: drawn.subarray(0, 9) }, { seed: 0 })).toThrow("got 12 and 9");
    const stray = drawn.map((row, i) => (i === 2 ? n : row));
    expect(() => fitFromAnchors(sides, { x: drawn, y: stray }, { seed: 0 })).toThrow(
      "anchor: expected a row from 0 to 399, got 400",
    );
  });
});
