import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { anchorFunctions, toFunctionalSide } from "../../src/compare/functional-basis.ts";
import { fitFunctionalMap } from "../../src/compare/functional-map.ts";
import { graphDistances } from "../../src/compare/graph-distances.ts";
import { fitKnnGraph } from "../../src/compare/knn-graph.ts";
import { readoutDistances } from "../../src/compare/readout-distances.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";

// Made by test/fixtures/compare/make_graphs.py with numpy and scipy.
const fixture = JSON.parse(readFileSync("test/fixtures/compare/graphs.json", "utf8")) as {
  readonly n: number;
  readonly neighbours: number;
  readonly size: number;
  readonly X: number[];
  readonly Y: number[];
  readonly edges: number;
  readonly geodesics: readonly [number[], number[]];
  readonly valuesX: number[];
  readonly valuesY: number[];
  readonly anchors: number[];
  readonly maps: readonly { readonly alpha: number; readonly C: number[] }[];
  readonly readout: {
    readonly gains: number[];
    readonly products: number[];
    readonly epsilon: number;
    readonly row: number;
    readonly rms: number[];
    readonly layer: number[];
  };
};
const { n, neighbours, size, anchors } = fixture;
const matrix = (values: number[]): Matrix => createMatrix(n, values.length / n, Float64Array.from(values));
const [X, Y] = [matrix(fixture.X), matrix(fixture.Y)];

function expectClose(found: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(found[i]! - value), `entry ${i}: ${found[i]} for ${value}`).toBeLessThan(tolerance);
  });
}

describe("against numpy and scipy", () => {
  test("fitKnnGraph has scipy's edges, and graphDistances its shortest paths", () => {
    const graph = fitKnnGraph(X, { neighbours });
    expect(graph.neighbours.length).toBe(fixture.edges);
    expect(graph.bridges).toBe(0);
    // Lengths come from inner products here and from differences there.
    expectClose(graphDistances(graph, 0), fixture.geodesics[0], 1e-9);
    expectClose(graphDistances(graph, 17), fixture.geodesics[1], 1e-9);
  });

  test("laplacianBasis has numpy's eigenvalues, and fitFunctionalMap the solution of the stacked least-squares problem", () => {
    const [x, y] = [X, Y].map((rows) => toFunctionalSide(rows, { neighbours, size }));
    expectClose(x!.basis.values, fixture.valuesX, 1e-9);
    expectClose(y!.basis.values, fixture.valuesY, 1e-9);
    const told = { F: anchorFunctions(x!, anchors), G: anchorFunctions(y!, anchors) };
    // The eigenfunctions are good to 1e-8 over the gaps between eigenvalues, some of them 0.01.
    for (const { alpha, C } of fixture.maps)
      expectClose(fitFunctionalMap(x!.basis, y!.basis, told, { alpha }).data, C, 1e-5);
  });

  test("readoutDistances are the lengths of the curves of logits, with either norm", () => {
    const { gains, products, epsilon, row, rms, layer } = fixture.readout;
    const readout = {
      gains: Float64Array.from(gains),
      products: createMatrix(4, 4, Float64Array.from(products)),
      epsilon,
    };
    // A step's square is a difference of products a hundred times as large.
    expectClose(readoutDistances(X, { ...readout, isCentred: false })(row), rms, 1e-6);
    expectClose(readoutDistances(X, { ...readout, isCentred: true })(row), layer, 1e-6);
  });
});
