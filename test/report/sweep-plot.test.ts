import { resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sweepLayers } from "../../src/maps/score/sweep-layers.ts";
import type { SweepResult } from "../../src/maps/score/sweep-result.ts";
import { renderSweepPlot } from "../../src/report/plots/sweep-plot.ts";
import { toSweepMatrix } from "../../src/report/sweep-matrix.ts";
import { plantedCollection } from "../maps/planted-collection.ts";

let sweep: SweepResult;
beforeAll(async () => {
  sweep = await sweepLayers(plantedCollection());
});

test("toSweepMatrix(sweep, criterion) puts every cell in its place and the floor into the label", () => {
  const matrix = toSweepMatrix(sweep, "cka");
  expect(matrix.label).toBe("linear CKA; shuffled ≤ 0.00");
  expect(matrix.values.map((row) => row.length)).toEqual([4, 4, 4]);
  for (const { source, target, cka } of sweep.cells) {
    const [i, j] = [matrix.source.layers.indexOf(source), matrix.target.layers.indexOf(target)];
    expect(matrix.values[i]![j]).toBe(cka);
  }
  expect(toSweepMatrix(sweep, "beyond").label).toBe("R² beyond token identity");
});

test("toSweepMatrix(sweep, criterion) tells two quantisations of one model apart, and a missing score from 0", () => {
  const same = { ...sweep, target: { ...sweep.target, name: "small", quantisation: "Q8_0" } };
  const { source, target } = toSweepMatrix(same, "r2");
  expect([source.name, target.name]).toEqual(["small F32", "small Q8_0"]);
  const bare = { ...sweep, cells: sweep.cells.map((cell) => ({ ...cell, svcca: null })) };
  expect(toSweepMatrix(bare, "svcca").values.flat()).toEqual(Array(12).fill(null));
});

test("renderSweepPlot(sweep) draws one panel a criterion, the same for the same numbers", async () => {
  // Numbers of one digit less than they are drawn with: their last bits differ between machines.
  const round = (value: number | null): number | null => (value === null ? null : Math.round(value * 1000) / 1000);
  const rounded = {
    ...sweep,
    cells: sweep.cells.map((cell) => ({
      ...cell,
      r2: round(cell.r2)!,
      beyond: round(cell.beyond)!,
      cka: round(cell.cka),
      svcca: round(cell.svcca),
    })),
  };
  await expect(renderSweepPlot(rounded)).toMatchFileSnapshot(resolve("test/report/snapshots/sweep.svg"));
});
