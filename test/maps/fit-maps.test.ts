import { expect, test } from "vitest";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import { residPost } from "../../src/engine/site.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import { collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { type FitMapsOptions, fitCollection, fitMap, fitMaps } from "../../src/maps/fit-map.ts";
import { parseLayerPlan, type ResolvedLayerPlan, resolveLayerPlan } from "../../src/maps/layer-plan.ts";
import { plantedModel } from "../activations/planted-model.ts";
import { distance } from "../linalg/fixture.ts";
import { dSource, dTarget, letters, noise, plantedPair, recipe } from "./planted-layers.ts";

const plan = (text: string): ResolvedLayerPlan => resolveLayerPlan(parseLayerPlan(text), 4, 4);
const { source, target } = plantedPair();
const options = { corpus: letters(200), seed: 3 };

async function fit(text: string, more: Partial<FitMapsOptions> = {}): Promise<readonly AffineMap[]> {
  return (await fitMaps(source, target, { ...options, ...more, layers: plan(text) })).maps;
}

const layersOf = ({ sources, target: { site } }: AffineMap): string =>
  `${sources.map((end) => end.site.layer).join("+")}:${site.layer}`;

/** Columns of A that belong to a map's source at a place. */
const columns = ({ A }: AffineMap, place: number): number[] =>
  Array.from({ length: dTarget * dSource }, (_, at) => {
    return A.data[Math.floor(at / dSource) * A.cols + place * dSource + (at % dSource)]!;
  });

test("fitMaps gives maps of one and of several sources the bits that each alone gets", async () => {
  const maps = await fit("3:3,0+1:2,2:1");
  expect(maps.map(layersOf)).toEqual(["3:3", "0+1:2", "2:1"]);
  // The same rows enter the same products in the same order, whatever else is summed beside them; no row is a sink at another layer.
  expect([maps[1]]).toEqual(await fit("0+1:2"));
  const alone = await fitMap(source, target, { ...options, sourceSite: residPost(2), targetSite: residPost(1) });
  expect(maps[2]).toEqual(alone.map);
});

test("fitMaps of a map from two layers recovers what each gives, in the order written", async () => {
  const [map] = await fit("0+1:2");
  const [backward] = await fit("1+0:2");
  expect(layersOf(map!)).toBe("0+1:2");
  expect(layersOf(backward!)).toBe("1+0:2");
  recipe[2]!.forEach(({ A }, place) => {
    // 3200 rows of noise 0.1 about unit variance: a standard error of 0.002 a coefficient, √20 of them together 0.008, over ‖A‖ of 1.2 to 2.
    expect(distance(columns(map!, place), A.data)).toBeLessThan(0.02);
    // The same sums in other places of the matrix that is factored: rounding times a condition of about 1.
    expect(distance(columns(backward!, 1 - place), columns(map!, place))).toBeLessThan(1e-10);
  });
  expect(distance(map!.p, [3, 3, 3, 3])).toBeLessThan(0.01);
});

test("sourceGains says what each layer buys, held out: most first, a useless one nothing, the last point being the map's own R²", async () => {
  const [map] = await fit("3+1+0:2");
  const gains = map!.scores.sourceGains!;
  expect(gains.map(({ site }) => site)).toEqual(["resid_post.0", "resid_post.1", "resid_post.3"]);
  const variance = (A: { readonly data: Float64Array }): number => A.data.reduce((sum, a) => sum + a * a, 0);
  const [first, second] = recipe[2]!.map(({ A }) => variance(A)) as [number, number];
  const rest = dTarget * noise ** 2;
  // 400 held-out rows of 4 dimensions whose variance is estimated: a few percent.
  expect(Math.abs(gains[0]!.r2 - first / (first + second + rest))).toBeLessThan(0.05);
  expect(gains[1]!.r2).toBeGreaterThan(1 - (2 * rest) / (first + second));
  expect(Math.abs(gains[2]!.r2 - gains[1]!.r2)).toBeLessThan(1e-3);
  // The map from its sources in their order, and in the order of their gains; from rows and from moments.
  expect(gains[2]!.r2).toBeCloseTo(map!.scores.r2, 9);
  expect((await fit("0:2"))[0]!.scores).not.toHaveProperty("sourceGains");
});

test("gains are those of the method asked for", async () => {
  for (const more of [
    { method: "scaled-procrustes" },
    { method: "reduced-rank", rank: 2 },
    { method: "ridge", lambdas: [0.1], space: "whitened" },
    { method: "ols", folds: 4 },
  ] as const) {
    const [map] = await fit("0+1:2", more);
    expect(map!.scores.sourceGains!.at(-1)!.r2).toBeCloseTo(map!.scores.r2, 9);
  }
});

test("maxSources keeps the layers that add most, in the order written, and drops those that add nothing", async () => {
  expect((await fit("3+1+0:2", { maxSources: 2 })).map(layersOf)).toEqual(["1+0:2"]);
  expect((await fit("3+1+0:2", { maxSources: 1 })).map(layersOf)).toEqual(["0:2"]);
  expect((await fit("all:2", { maxSources: 3 })).map(layersOf)).toEqual(["0+1:2"]);
  expect((await fit("3+0:2", { maxSources: 2 })).map(layersOf)).toEqual(["3+0:2"]);
  expect((await fit("all:all", { maxSources: 2, folds: 4 })).map(layersOf)).toEqual(["0:0", "2:1", "0+1:2", "3:3"]);
  // What was chosen is what would have been fitted by name.
  const [chosen] = await fit("3+1+0:2", { maxSources: 2 });
  const [named] = await fit("1+0:2");
  expect(distance(chosen!.A.data, named!.A.data)).toBeLessThan(1e-10);
});

test("all:all fits every target layer from all source layers together", async () => {
  const maps = await fit("all:all");
  expect(maps.map(layersOf)).toEqual(["0+1+2+3:0", "0+1+2+3:1", "0+1+2+3:2", "0+1+2+3:3"]);
  for (const { scores } of maps) expect(scores.r2).toBeGreaterThan(0.97);
});

test("auto gives every target layer the source layer that predicts it best", async () => {
  const maps = await fit("auto");
  expect(maps.map(layersOf)).toEqual(["0:0", "2:1", "0:2", "3:3"]);
  expect((await fit("auto", { folds: 5 })).map(layersOf)).toEqual(["0:0", "2:1", "0:2", "3:3"]);
  const [alone] = await fit("2:1");
  expect(maps[1]).toEqual(alone);
});

test("fitCollection fits the pairs that were collected and says so of others", async () => {
  const layers = { kind: "maps", maps: [0, 2, 3].map((layer) => ({ sources: [layer], target: layer })) } as const;
  const collection = await collectMoments(source, target, { ...options, layers });
  const solve = (text: string): readonly AffineMap[] => fitCollection(collection, { layers: plan(text) }).maps;
  expect(solve("2:2,0:0").map(layersOf)).toEqual(["2:2", "0:0"]);
  // Among the pairs that were collected the best is the only one.
  expect(solve("auto").map(layersOf)).toEqual(["0:0", "2:2", "3:3"]);
  for (const [text, message] of [
    ["0:2", "layers: expected layers that were collected together, got 0:2"],
    ["0+2:2", "layers: expected layers that were collected together, got 0+2:2"],
    ["1:2", "source layer: expected one of 0, 2, 3, got 1"],
    ["0:1", "target layer: expected one of 0, 2, 3, got 1"],
  ] as const)
    expect(() => solve(text)).toThrow(expect.objectContaining({ code: "bad-input", message }));
  expect(() => fitCollection(collection, { layers: { kind: "pairs", maps: [] } })).toThrow(/at least one map/);
});

test.each<[Partial<FitMapsOptions> & { readonly text?: string }, string]>([
  [{ method: "adamw", text: "0:0,1:1" }, "AdamW: expected one source and one target layer, got 0:0, 1:1"],
  [{ method: "adamw", text: "0+1:1" }, "AdamW: expected one source and one target layer, got 0+1:1"],
  [{ method: "adamw", text: "auto" }, "AdamW: expected one source and one target layer, got layers still to be found"],
  [{ method: "adamw", rows: parseRowSelection("all*2") }, "AdamW: expected rows that all weigh 1, got all*2"],
  [{ method: "adamw", rows: parseRowSelection("all,last") }, "AdamW: expected rows that all weigh 1, got all,last"],
  [{ method: "adamw", rank: 2 }, "rank: expected none, or another method than adamw, got 2"],
  [{ method: "adamw", lambdas: [1] }, "lambdas: expected none, or another method than adamw, got 1"],
  [
    { method: "procrustes", lambdas: [1] },
    "lambdas: expected none, or method ridge or reduced-rank, got penalties with",
  ],
  [{ rank: 2 }, "rank: expected none, or method reduced-rank, got rank 2 with ridge"],
  [{ method: "reduced-rank", rank: 5 }, "rank: expected an integer from 1 to 4, got 5"],
  [{ method: "reduced-rank", rank: 0 }, "rank: expected an integer of at least 1, got 0"],
  [{ method: "reduced-rank", folds: 3 }, "rank: expected a rank with cross-validation"],
  [{ space: "raw" }, "space: expected standardised or whitened for ridge, got raw"],
  [{ space: "whitened", folds: 3 }, "space: expected standardised with cross-validation"],
  [{ maxSources: 0 }, "maxSources: expected an integer of at least 1, got 0"],
  [{ lambdas: [Number.NaN] }, "lambda: expected a number of at least 0, got NaN"],
  [
    { untrained: plantedModel({ name: "other", width: 9 }) },
    "other: expected the source's 4 blocks of width 5, got 4 blocks of width 9",
  ],
])("fitMaps refuses %o before it reads anything", async ({ text = "0:0", ...more }, message) => {
  const fresh = plantedPair();
  await expect(fitMaps(fresh.source, fresh.target, { ...options, ...more, layers: plan(text) })).rejects.toThrow(
    message,
  );
  expect(fresh.source.read).toEqual([]);
});
