import { expect, test } from "vitest";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import { type CollectOptions, collectMoments } from "../../src/maps/collect/collect-moments.ts";
import type { Collection } from "../../src/maps/collect/collection.ts";
import type { CollectedLayers } from "../../src/maps/collect/plan-layers.ts";
import { reverseCollection } from "../../src/maps/collect/reverse-collection.ts";
import { fitCollection } from "../../src/maps/fit-map.ts";
import type { ResolvedLayerPlan } from "../../src/maps/layer-plan.ts";
import { distance } from "../linalg/fixture.ts";
import { letters, plantedPair } from "./planted-layers.ts";

const { source, target } = plantedPair();
/** Several layers of both, joined in both directions, so that every kind of product is kept. */
const maps = (pairs: readonly (readonly [number, number])[]): CollectedLayers => ({
  kind: "maps",
  maps: pairs.map(([a, b]) => ({ sources: [a], target: b })),
});
const forwardPairs = [
  [0, 0],
  [1, 2],
  [0, 2],
  [3, 3],
] as const;
const options: Omit<CollectOptions, "layers"> = {
  corpus: letters(200),
  seed: 3,
  rows: parseRowSelection("all,last*3"),
};
const collect = (): Promise<Collection> => collectMoments(source, target, { ...options, layers: maps(forwardPairs) });
const collectBackward = (): Promise<Collection> =>
  collectMoments(target, source, { ...options, layers: maps(forwardPairs.map(([a, b]) => [b, a] as const)) });
const layers: ResolvedLayerPlan = {
  kind: "pairs",
  maps: [
    { sources: [2], target: 0 },
    { sources: [2], target: 1 },
    { sources: [3], target: 3 },
  ],
};

test("fits of reverseCollection(collection) are those of a collection made the other way round", async () => {
  const [reversed, made] = [reverseCollection(await collect()), await collectBackward()];
  expect(reversed.plan).toEqual(made.plan);
  expect(reversed.ledger).toEqual(made.ledger);
  expect(reversed.norms).toEqual(made.norms);
  expect(reversed.rowCounts).toEqual(made.rowCounts);
  expect(reversed.heldOut).toEqual(made.heldOut);
  expect(reversed.tokens).toEqual(made.tokens);
  const [a, b] = [reversed, made].map((collection) => fitCollection(collection, { layers })) as [
    ReturnType<typeof fitCollection>,
    ReturnType<typeof fitCollection>,
  ];
  expect(a.warnings).toEqual(b.warnings);
  a.maps.forEach((map, at) => {
    const other = b.maps[at]!;
    expect(map.sources).toEqual(other.sources);
    expect(map.target).toEqual(other.target);
    // A product of two models is summed as C or as its transpose, whose terms come in the same order: rounding at most.
    expect(distance(map.A.data, other.A.data)).toBeLessThan(1e-12);
    expect(distance(map.p, other.p)).toBeLessThan(1e-12);
    expect(map.fit.lambda).toBe(other.fit.lambda);
    expect(map.scores.r2).toBeCloseTo(other.scores.r2, 12);
    expect(map.scores.tokenIdentity.beyond).toBeCloseTo(other.scores.tokenIdentity.beyond, 12);
    expect(map.scores.roundTrip!.r2).toBeCloseTo(other.scores.roundTrip!.r2, 12);
    // Another side has been shuffled, which knows as little.
    expect(Math.abs(map.scores.nulls.shuffled.r2 - other.scores.nulls.shuffled.r2)).toBeLessThan(0.05);
  });
  // The planted direction is not lost on the way: target layer 0 is made of source layer 0.
  expect(
    fitCollection(reversed, { layers: { kind: "pairs", maps: [{ sources: [0], target: 0 }] } }).maps[0]!.scores.r2,
  ).toBeGreaterThan(0.6); // four of five dimensions
});

test("reverseCollection of a reversed collection gives the same bits", async () => {
  const collection = await collect();
  const back = reverseCollection(reverseCollection(collection));
  expect(back).toEqual(collection);
  expect(back.parts.map(({ blocks }) => blocks.map(({ row, col }) => [row, col]))).toEqual(
    collection.parts.map(({ blocks }) => blocks.map(({ row, col }) => [row, col])),
  );
});
