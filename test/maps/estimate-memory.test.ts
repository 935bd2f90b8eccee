import { expect, test } from "vitest";
import { collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { type Collection, planWidths } from "../../src/maps/collect/collection.ts";
import { estimateMemory } from "../../src/maps/collect/estimate-memory.ts";
import type { CollectedLayers } from "../../src/maps/collect/plan-layers.ts";
import { letters, options, source, target } from "./collect-fixture.ts";

/** Bytes of every array that a collection keeps. */
function held({ parts, shuffled, norms, heldOut, tokens }: Collection): Record<string, number> {
  const sum = (arrays: readonly { readonly byteLength: number }[]): number =>
    arrays.reduce((total, { byteLength }) => total + byteLength, 0);
  const joint = [...parts, shuffled];
  return {
    moments: sum([...joint.flatMap(({ means, blocks }) => [...means, ...blocks.map(({ C }) => C.data)]), ...norms]),
    heldOut: sum(heldOut.flatMap(({ states }) => states)),
    tokens: sum([tokens.fitted, tokens.validation].flatMap((of) => [...of.byToken.values()].map(({ sums }) => sums))),
  };
}

test("estimateMemory(source, target, options) is exact for moments, and never passed by held-out rows and token sums", async () => {
  const all: CollectedLayers = { kind: "all-pairs", sources: [0, 1, 3], targets: [1, 2] };
  for (const changed of [{}, { folds: 4 }, { hasCurve: false }, { layers: all }]) {
    const asked = { ...options, ...changed };
    const collection = await collectMoments(source, target, asked);
    const [found, estimate] = [held(collection), estimateMemory(source.description, target.description, asked)];
    expect(found["moments"]).toBe(estimate.moments);
    expect(found["heldOut"]).toBeLessThanOrEqual(estimate.heldOut);
    // This text fills the room for held-out rows to the last window.
    const rowBytes = 4 * planWidths(collection.plan).reduce((sum, width) => sum + width, 0);
    expect(found["heldOut"]).toBeGreaterThan(estimate.heldOut - 8 * 63 * rowBytes);
    expect(found["tokens"]).toBeLessThanOrEqual(estimate.tokens);
    expect(estimate.total).toBeGreaterThan(estimate.moments + estimate.heldOut + estimate.tokens);
  }
});

test("estimateMemory grows with layers and folds, not with text", async () => {
  const bytes = (layers: CollectedLayers, folds = 1): number =>
    estimateMemory(source.description, target.description, { layers, folds }).total;
  const one: CollectedLayers = { kind: "maps", maps: [{ sources: [0], target: 0 }] };
  const two: CollectedLayers = { kind: "maps", maps: [{ sources: [0, 1], target: 0 }] };
  expect(bytes(two)).toBeGreaterThan(bytes(one));
  expect(bytes(two, 10)).toBeGreaterThan(bytes(two, 2));
  const layers = one;
  const [few, many] = [letters(300), letters(600)];
  const moments = async (corpus: typeof few) =>
    held(await collectMoments(source, target, { ...options, layers, corpus }))["moments"];
  expect(await moments(few)).toBe(await moments(many));
});
