import { resolve } from "node:path";
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { renderHeatMapText } from "../../src/report/heat-map-text.ts";
import { type LayerMatrix, toLayerCells } from "../../src/report/layer-matrix.ts";
import { renderLayerHeatMap } from "../../src/report/plots/layer-heat-map.ts";
import { renderLearningCurve } from "../../src/report/plots/learning-curve.ts";
import { toStandaloneSvg } from "../../src/report/plots/standalone.ts";

/** A ridge along the diagonal, sinking below zero far from it. */
function madeUp(source: number, target: number): LayerMatrix {
  const layers = (count: number): number[] => Array.from({ length: count }, (_, layer) => layer);
  return {
    label: "held-out R²",
    source: { name: "demo:s", layers: layers(source), blocks: source },
    target: { name: "demo:m", layers: layers(target), blocks: target },
    values: layers(source).map((i) =>
      layers(target).map((j) => 0.55 * Math.exp(-8 * ((i + 1) / source - (j + 1) / target) ** 2) - (0.2 * j) / target),
    ),
  };
}

const small = madeUp(4, 6);
const large = madeUp(26, 42);
const bare = { ...small, values: small.values.map((row) => row.map(() => null)) };
const curve = [
  { rows: 500, r2: 0.28, beyond: 0.1, interval: { low: 0.25, high: 0.3 } },
  { rows: 2000, r2: 0.39, beyond: 0.18, interval: { low: 0.37, high: 0.41 } },
  { rows: 10_000, r2: 0.42, beyond: 0.21, interval: { low: 0.41, high: 0.43 } },
];
const snapshot = (name: string): string => resolve("test/report/snapshots", name);
const escapeCharacter = "\u001b";
const plain = (text: string): string => text.replaceAll(new RegExp(`${escapeCharacter}\\[[\\d;]*m`, "g"), "");
const count = (text: string, part: string): number => text.split(part).length - 1;

describe("toLayerCells(matrix)", () => {
  test("marks the best pair, the best source layer of each target layer and equal relative depth", () => {
    const cells = toLayerCells(small).flat();
    const named = (mark: "isBest" | "isBestOfTarget" | "isEqualDepth"): string[] =>
      cells.filter((cell) => cell[mark]).map(({ source, target }) => `${source}:${target}`);
    expect(named("isBest")).toEqual(["0:0"]);
    expect(named("isBestOfTarget")).toEqual(["0:0", "0:1", "1:2", "2:3", "2:4", "3:5"]);
    expect(named("isEqualDepth")).toEqual(["0:1", "1:2", "2:4", "3:4"]);
  });

  test("of chosen layers names the layers themselves; the first of equals is best; no score is never best", () => {
    const cells = toLayerCells({
      label: "R²",
      source: { name: "a", layers: [8, 12], blocks: 26 },
      target: { name: "b", layers: [10, 20], blocks: 42 },
      values: [
        [null, 0.3],
        [Number.NaN, 0.3],
      ],
    });
    expect(cells[0]![1]).toMatchObject({ source: 8, target: 20, isBest: true, isBestOfTarget: true });
    expect(cells[1]![1]).toMatchObject({ isBest: false, isBestOfTarget: false, isEqualDepth: true });
    expect(cells[1]![0]).toMatchObject({ value: null, isBest: false, isBestOfTarget: false });
    expect(cells[0]![0]!.isBest).toBe(false);
  });

  test("refuses values that are not as many as the layers", () => {
    expect(() => toLayerCells({ ...small, values: small.values.slice(1) })).toThrow(
      "layer matrix: expected 4 x 6 values, got 3 rows of 6",
    );
    expect(() => toLayerCells({ ...small, target: { ...small.target, layers: [] } })).toThrow("at least one layer");
  });
});

describe("renderHeatMapText(matrix)", () => {
  for (const [size, matrix] of [
    ["4x6", small],
    ["26x42", large],
  ] as const)
    for (const shade of ["none", "blocks", "colour"] as const)
      test(`${size}, shade ${shade}: looks as it did, within 100 columns, all columns aligned`, async () => {
        const text = renderHeatMapText(matrix, { shade });
        await expect(text).toMatchFileSnapshot(snapshot(`heat-map-${size}-${shade}.txt`));
        const lines = plain(text).split("\n");
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
        // One mark for the best pair and one for each source layer at equal depth, where the layer is not the best itself.
        const body = lines.slice(3, 3 + matrix.source.layers.length).join("\n");
        expect(body.match(/[[*]/g)).toHaveLength(1);
        expect(body.match(/[(.·]/g)).toHaveLength(matrix.source.layers.length);
        if (shade !== "colour") expect(text).not.toContain(escapeCharacter);
      });

  test("is plain ASCII without shade but for the label that it was given", () => {
    for (const matrix of [small, large, bare])
      expect(renderHeatMapText({ ...matrix, label: "R2" })).toMatch(/^[\x20-\x7e\n]*$/);
  });

  test("writes a colour reset after every coloured cell", () => {
    const text = renderHeatMapText(large, { shade: "colour" });
    expect(count(text, `${escapeCharacter}[48;5;`)).toBeGreaterThan(400);
    expect(count(text, `${escapeCharacter}[0m`)).toBe(count(text, `${escapeCharacter}[48;5;`));
  });

  test("goes on in a second panel where the width is too small, and loses no cell", () => {
    const lines = renderHeatMapText(large, { width: 40 }).split("\n");
    expect(lines.filter((line) => /^ 0 /.test(line))).toHaveLength(3);
    const cells = lines
      .filter((line) => /^[ \d]\d [\d-]/.test(line))
      .map((line) => Math.ceil((line.length - 3) / 2))
      .reduce((sum, count) => sum + count, 0);
    expect(cells).toBe(26 * 42);
    for (const line of lines.slice(1, -1)) expect(line.length).toBeLessThanOrEqual(40);
  });

  test("shows the ends of the scale as what they are: nothing, no score, below zero, exactly one", () => {
    const row = (values: (number | null)[]): string =>
      renderHeatMapText({
        label: "R2",
        source: { name: "a", layers: [0], blocks: 2 },
        target: { name: "b", layers: values.map((_, j) => j + 1), blocks: 9 },
        values: [values],
      }).split("\n")[3]!;
    expect(row([0.994, 1, 0, -0.004, -0.03, -0.5, null])).toBe("0  99 [1.]  0 ( 0) -3  --  ??");
    expect(renderHeatMapText(bare)).toContain("no score");
  });
});

describe("plots", () => {
  for (const [name, render] of [
    ["heat-map-4x6.svg", () => renderLayerHeatMap(small)],
    ["heat-map-26x42.svg", () => renderLayerHeatMap(large)],
    ["learning-curve.svg", () => renderLearningCurve(curve, { statement: "more rows would add less than 0.01" })],
    ["standalone.svg", () => toStandaloneSvg(renderLearningCurve(curve.slice(0, 1)))],
  ] as const) {
    test(`${name} looks as it did`, async () => {
      await expect(render()).toMatchFileSnapshot(snapshot(name));
    });

    test(`${name} has a name for those who cannot see it and nothing undefined`, () => {
      const svg = render();
      const { document } = parseHTML(svg);
      expect(document.querySelector("svg")?.getAttribute("role")).toBe("img");
      expect(document.querySelector("svg")?.getAttribute("aria-label")?.length).toBeGreaterThan(20);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    });
  }

  test("renderLayerHeatMap(matrix) draws colour for a share of the best score, none at zero, another one below", () => {
    const svg = renderLayerHeatMap({ ...small, values: small.values.map((row) => row.map((_, j) => j / 10 - 0.1)) });
    const { document } = parseHTML(svg);
    const cells = [...document.querySelectorAll('[aria-label="cell"]')[0]!.querySelectorAll("rect")].slice(0, 6);
    expect(cells.map((cell) => Number(cell.getAttribute("fill-opacity")).toFixed(2))).toEqual(
      [0.15, 0, 0.15, 0.3, 0.45, 0.6].map((value) => value.toFixed(2)),
    );
    expect(cells[0]!.getAttribute("fill")).toContain("--transferred");
    expect(cells[2]!.getAttribute("fill")).toContain("--native");
  });

  test("matrices and curves of one value, of equal values and of none still draw, and names are escaped", () => {
    const one = madeUp(1, 1);
    const evil = `"><script>$&</script>`;
    for (const svg of [
      renderLayerHeatMap(bare),
      renderLayerHeatMap(one),
      renderLayerHeatMap({ ...one, values: [[0]] }),
      renderLayerHeatMap({ ...one, label: evil, source: { ...one.source, name: evil } }),
      renderLearningCurve([]),
      renderLearningCurve([{ rows: 10, r2: -0.3 }]),
      renderLearningCurve(
        [
          { rows: 10, r2: 0 },
          { rows: 10, r2: 0 },
        ],
        { statement: evil },
      ),
    ]) {
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg).not.toContain("<script");
    }
  });
});
