import { expect, test } from "vitest";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import { type CollectOptions, collectMoments } from "../../src/maps/collect/collect-moments.ts";
import { toFittingMoments } from "../../src/maps/collect/fitting-moments.ts";
import { fitAdamWFromText } from "../../src/maps/fit/fit-adamw-text.ts";
import { fitMaps } from "../../src/maps/fit-map.ts";
import { toPairMoments } from "../../src/maps/moments.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { letters, plantedPair } from "./planted-layers.ts";

const { source, target } = plantedPair();
const pair = { sources: [0], target: 0 };
/** 1000 documents are three units. */
const base: Omit<CollectOptions, "layers"> = { corpus: letters(1000), seed: 3 };

test.each<[string, Omit<CollectOptions, "layers">]>([
  ["all rows", base],
  ["folds, which all fit", { ...base, folds: 4 }],
  ["held-out windows released for want of room", { ...base, maxHeldBytes: 36 * 200 }],
  ["released windows and folds", { ...base, maxHeldBytes: 36 * 200, folds: 4 }],
  ["a part of the text", { ...base, shard: { index: 2, of: 3 } }],
  ["a limit of rows", { ...base, maxRows: 3000 }],
  ["a limit of tokens", { ...base, maxTokens: 3000 }],
  ["some positions", { ...base, rows: parseRowSelection("pattern:/[aeiou]/") }],
])("fitAdamWFromText reads the very rows that fit the exact map: %s", async (_, options) => {
  const layers = { kind: "maps", maps: [pair] } as const;
  const collection = await collectMoments(source, target, { ...options, layers });
  const fitted = toFittingMoments(collection).training;
  const found = await fitAdamWFromText(source, target, {
    collection,
    layers: [pair],
    options,
    choice: { epochs: 1, learningRate: 1e-12 },
  });
  expect(found.rows).toBe(fitted.n);
  // Steps so small change nothing: the epoch's loss is the map's error on exactly these rows, from their moments.
  const { mse } = scoreMoments(found, toPairMoments(fitted, 0, 1));
  expect(Math.abs(found.lossByEpoch[0]! / mse - 1)).toBeLessThan(1e-6);
});

test("fitMaps by AdamW comes near the exact fit, never past it on the rows that it learnt from, and says what it is", async () => {
  const options = { ...base, corpus: letters(200), layers: { kind: "pairs", maps: [pair] } } as const;
  const epochs: number[] = [];
  const descended = await fitMaps(source, target, {
    ...options,
    method: "adamw",
    adamw: { epochs: 12, learningRate: 0.1, onEpoch: (epoch) => epochs.push(epoch) },
  });
  const exact = await fitMaps(source, target, { ...options, lambdas: [0] });
  const [map, best] = [descended.maps[0]!, exact.maps[0]!];
  expect(epochs).toHaveLength(12);
  expect(map.fit).toMatchObject({ method: "adamw", space: "raw", tried: [], choice: "given", rows: best.fit.rows });
  expect(map.scores).not.toHaveProperty("learningCurve");
  // The same held-out rows score both; the planted noise leaves R² at about 1 − 0.01, and 60 steps of 0.1 come near it.
  expect(map.scores.rows).toBe(best.scores.rows);
  expect(map.scores.nulls.mean).toEqual(best.scores.nulls.mean);
  expect(map.scores.r2).toBeGreaterThan(0.9);
  const training = toPairMoments(
    toFittingMoments(await collectMoments(source, target, { ...options, layers: { kind: "maps", maps: [pair] } }))
      .training,
    0,
    1,
  );
  expect(scoreMoments(map, training).mse).toBeGreaterThan(scoreMoments(best, training).mse);
});
