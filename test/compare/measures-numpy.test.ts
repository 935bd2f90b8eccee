import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { geoTopology } from "../../src/compare/geo-topology.ts";
import { kernelCka } from "../../src/compare/kernel-cka.ts";
import { linearCkaOfRows } from "../../src/compare/linear-cka-of-rows.ts";
import { mutualNeighbours } from "../../src/compare/mutual-neighbours.ts";
import { neighbourhoodGraphs } from "../../src/compare/neighbourhood-graph.ts";
import { neighbourhoodMetrics } from "../../src/compare/neighbourhood-metrics.ts";
import { fitNnkGraph } from "../../src/compare/nnk-graph.ts";
import { procrustesLikeness } from "../../src/compare/procrustes-likeness.ts";
import { rsa } from "../../src/compare/rsa.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";

interface Metrics {
  readonly count: number[];
  readonly diameter: number[];
  readonly affinity: number[];
}

interface Case {
  readonly name: string;
  readonly n: number;
  readonly X: number[];
  readonly Y: number[];
  readonly linear: number;
  readonly linearDebiased: number;
  readonly rbf: readonly { bandwidth: number; value: number; debiased: number }[];
  readonly procrustes: number;
  readonly rsa: number;
  readonly rsaPearson: number;
  readonly rsaEuclidean: number;
  readonly geoTopology: readonly { lower: number; upper: number; value: number }[];
  readonly mutual: readonly { neighbours: number; value: number }[];
  readonly graphs: readonly [number[][], number[][]];
  readonly metrics: readonly [Metrics, Metrics];
  readonly edges: number;
  readonly geometry: { readonly count: number; readonly diameter: number; readonly affinity: number };
}

/** What numpy and scipy said of rows: test/fixtures/compare/make_measures.py. */
const cases = JSON.parse(readFileSync(resolve("test/fixtures/compare/measures.json"), "utf8")) as Case[];

// 10 digits: sums of some thousands of products of values about 20, centred, lose five of the sixteen.
for (const given of cases)
  describe(`agreement with numpy and scipy: ${given.name}`, () => {
    const { n } = given;
    const X = createMatrix(n, given.X.length / n, Float64Array.from(given.X));
    const Y = createMatrix(n, given.Y.length / n, Float64Array.from(given.Y));

    test("linearCkaOfRows(X, Y) and kernelCka(X, Y, { kernel: linear }): two routes, one answer", () => {
      expect(linearCkaOfRows(X, Y).value).toBeCloseTo(given.linear, 10);
      expect(kernelCka(X, Y, { kernel: "linear" }).value).toBeCloseTo(given.linear, 10);
      expect(kernelCka(X, Y, { kernel: "linear", debiased: true }).value).toBeCloseTo(given.linearDebiased, 10);
    });

    test("kernelCka(X, Y, { bandwidth, debiased })", () => {
      for (const { bandwidth, value, debiased } of given.rbf) {
        expect(kernelCka(X, Y, { bandwidth }).value).toBeCloseTo(value, 10);
        expect(kernelCka(X, Y, { bandwidth, debiased: true }).value).toBeCloseTo(debiased, 10);
      }
    });

    test("procrustesLikeness(X, Y)", () => {
      expect(procrustesLikeness(X, Y).value).toBeCloseTo(given.procrustes, 10);
      expect(procrustesLikeness(X, Y).angle).toBeCloseTo(Math.acos(given.procrustes), 10);
    });

    test("rsa(X, Y, { distance, correlation })", () => {
      expect(rsa(X, Y).value).toBeCloseTo(given.rsa, 10);
      expect(rsa(X, Y, { correlation: "pearson" }).value).toBeCloseTo(given.rsaPearson, 10);
      expect(rsa(X, Y, { distance: "euclidean" }).value).toBeCloseTo(given.rsaEuclidean, 10);
    });

    test("geoTopology(X, Y, { lower, upper }), and with 0 and 1 it is RSA by ranks", () => {
      for (const { lower, upper, value } of given.geoTopology)
        expect(geoTopology(X, Y, { lower, upper }).value).toBeCloseTo(value, 10);
      expect(geoTopology(X, Y, { lower: 0, upper: 1 }).value).toBeCloseTo(given.rsaEuclidean, 10);
    });

    test("mutualNeighbours(X, Y, { neighbours })", () => {
      for (const { neighbours, value } of given.mutual)
        expect(mutualNeighbours(X, Y, { neighbours }).value).toBeCloseTo(value, 12);
    });

    test("fitNnkGraph(X) and neighbourhoodMetrics(graph)", () => {
      for (const [side, rows] of [X, Y].entries()) {
        const graph = fitNnkGraph(rows, { candidates: 9 });
        const edges = Array.from({ length: n }, (_, i) => [
          ...graph.neighbours.subarray(graph.starts[i], graph.starts[i + 1]),
        ]);
        expect(edges).toEqual(given.graphs[side]);
        const metrics = neighbourhoodMetrics(graph);
        expect([...metrics.count]).toEqual(given.metrics[side]!.count);
        for (const name of ["diameter", "affinity"] as const)
          given.metrics[side]![name].forEach((value, i) => {
            expect(metrics[name][i]).toBeCloseTo(value, 9);
          });
      }
    });

    test("neighbourhoodGraphs(X, Y)", () => {
      const found = neighbourhoodGraphs(X, Y, { neighbours: 3 });
      expect(found.value).toBeCloseTo(given.edges, 12);
      for (const name of ["count", "diameter", "affinity"] as const)
        expect(found.metrics[name]).toBeCloseTo(given.geometry[name], 9);
      const { count, diameter, affinity } = given.geometry;
      expect(found.geometry).toBeCloseTo((count + diameter + affinity) / 3, 9);
    });
  });
