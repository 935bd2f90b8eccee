import { expect, test } from "vitest";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import { type HeldPair, predictAffine, scoreRows } from "../../src/maps/score/score-rows.ts";
import { solveMaps } from "../../src/maps/solve-maps.ts";
import { type CollectWindowsOptions, collectWindows } from "./collect-windows.ts";
import { mapRows, normalRows, type PlantedWindow, plantedMatrix, plantedWindows, toWindow } from "./planted.ts";

/** What `fitMap` does after reading. */
function solve(
  windows: readonly PlantedWindow[],
  dSource: number,
  dTarget: number,
  options: CollectWindowsOptions = {},
): { map: AffineMap; warnings: readonly string[] } {
  const collection = collectWindows(windows, dSource, dTarget, options);
  const { maps, warnings } = solveMaps(collection, { maps: [{ sources: [1], target: 2 }] });
  return { map: maps[0]!, warnings };
}

test("scoreRows(predict, heldOut, centre) agrees with a calculation by hand", () => {
  // Truth (1,0), (3,0), (2,3); prediction (1,1), (2,0), (2,3). Mean of the truth (2,1).
  const truth = [Float32Array.of(1, 0, 3, 0), Float32Array.of(2, 3)];
  const predictions = [Float64Array.of(1, 1, 2, 0), Float64Array.of(2, 3)];
  const windows = truth.map((Y, w) => toWindow(w, Y, Y, new Int32Array(Y.length / 2)));
  const predict = (window: HeldPair): ReturnType<typeof createMatrix> =>
    createMatrix(window.tokens.length, 2, predictions[window.group]!);
  const errors = scoreRows(predict, windows, Float64Array.of(1, 0));
  expect(errors.sse).toBe(2); // 0 + 1, 1 + 0, 0 + 0
  expect(errors.sst).toBe(2 + 2 + 4);
  expect(errors.r2).toBe(1 - 2 / 8);
  expect([...errors.sseByDimension]).toEqual([1, 1]);
  expect([...errors.sstByDimension]).toEqual([2, 6]);
  expect(errors.groups).toEqual([
    { sse: 2, sst: 4 },
    { sse: 0, sst: 4 },
  ]);
  expect(errors.cosine.raw).toBeCloseTo((Math.SQRT1_2 + 1 + 1) / 3, 12);
  // Less (1,0): truth (0,0), (2,0), (1,3); prediction (0,1), (1,0), (1,3). A row without length counts as 0.
  expect(errors.cosine.centred).toBeCloseTo(2 / 3, 12);
});

test("a fit on planted windows scores the R² that the noise allows, inside its interval, and nulls near 0", () => {
  const [dSource, dTarget] = [10, 6];
  const A = plantedMatrix(dTarget, dSource, seededRandom(1));
  const windows = plantedWindows(A, { windows: 200, rows: 30, noise: 0.8, seed: 2, p: new Float64Array(6).fill(3) });
  const { map, warnings } = solve(windows, dSource, dTarget);
  const signal = A.data.reduce((sum, a) => sum + a * a, 0) / dTarget;
  const expected = signal / (signal + 0.64);
  const { r2, r2Interval, nulls, mse, tokenIdentity, r2PerDimension, cosine } = map.scores;
  // 600 held-out rows of 6 dimensions: standard error of SSE about √(2/3600) of 1 − R².
  expect(Math.abs(r2 - expected)).toBeLessThan(0.04);
  expect(r2Interval.low).toBeLessThan(r2);
  expect(r2Interval.high).toBeGreaterThan(r2);
  expect(r2Interval.high - r2Interval.low).toBeLessThan(0.15);
  expect(Math.abs(mse - 0.64)).toBeLessThan(0.1);
  expect(r2PerDimension.lower).toBeLessThanOrEqual(r2PerDimension.median);
  // Correlation of truth and best prediction is √R².
  expect(Math.abs(cosine.centred - Math.sqrt(expected))).toBeLessThan(0.06);
  // Nulls know nothing. A random map of relative length √(10/4800) meets the planted one at a random angle in 60 dimensions: its R² has a
  // standard deviation of 0.01; four of them.
  for (const null_ of [nulls.mean, nulls.shuffled, nulls.randomOrthogonal]) {
    expect(null_.r2).toBeLessThan(0.04);
    expect(null_.r2).toBeGreaterThan(-0.04);
  }
  expect(nulls.mean.cosine.centred).toBe(0);
  // Token ids mean nothing here: the table predicts nothing and the map explains as much beyond it as in all.
  expect(tokenIdentity.table).toBeLessThan(0.02);
  expect(Math.abs(tokenIdentity.beyond - expected)).toBeLessThan(0.06);
  expect(warnings).toEqual([]);
});

test("explained variance weighs dimensions alike, where R² is the large dimension's; one that does not vary has none", () => {
  const random = seededRandom(12);
  const windows = Array.from({ length: 300 }, (_, w) => {
    const X = normalRows(20, 1, random);
    // What x says, three times as large what it does not, and a constant.
    const Y = Float32Array.from({ length: 60 }, (_, at) =>
      at % 3 === 0 ? X[at / 3]! : at % 3 === 1 ? 3 * random.normal() : 7,
    );
    return toWindow(w, X, Y, new Int32Array(20));
  });
  const { r2, explainedVariance, r2ByDimension, r2PerDimension } = solve(windows, 1, 3).map.scores;
  expect(r2ByDimension![0]).toBeGreaterThan(0.6); // less a penalty that the loud dimension chose
  expect(Math.abs(r2ByDimension![1]!)).toBeLessThan(0.02); // 600 held-out rows, 4800 fitted
  expect(r2ByDimension![2]).toBeNaN();
  expect(Math.abs(r2 - 0.1)).toBeLessThan(0.03); // 1 of 1 + 9
  expect(explainedVariance).toBeCloseTo((r2ByDimension![0]! + r2ByDimension![1]!) / 2, 12);
  expect(r2PerDimension.median).toBeCloseTo(explainedVariance!, 12);
});

test("a map between states that depend on the token alone explains nothing beyond the token table", () => {
  const random = seededRandom(7);
  const [dSource, dTarget, vocabulary] = [4, 3, 40];
  const x = normalRows(vocabulary, dSource, random);
  const y = normalRows(vocabulary, dTarget, random);
  const take = (table: Float32Array, d: number, tokens: Int32Array, noise: number): Float32Array =>
    Float32Array.from(
      { length: tokens.length * d },
      (_, at) => table[tokens[Math.floor(at / d)]! * d + (at % d)]! + noise * random.normal(),
    );
  const windows = Array.from({ length: 150 }, (_, w) => {
    const tokens = Int32Array.from({ length: 30 }, () => random.integer(vocabulary));
    return toWindow(w, take(x, dSource, tokens, 0.3), take(y, dTarget, tokens, 0.3), tokens);
  });
  const { tokenIdentity, r2 } = solve(windows, dSource, dTarget).map.scores;
  expect(tokenIdentity.tokensSeen).toBe(vocabulary);
  expect(tokenIdentity.unseenShare).toBe(0);
  expect(tokenIdentity.table).toBeGreaterThan(0.85); // noise 0.09 of variance about 1.09
  expect(r2).toBeLessThan(tokenIdentity.table);
  expect(Math.abs(tokenIdentity.beyond)).toBeLessThan(0.02);
});

test("states that the token decides wholly leave nothing to explain beyond the table", () => {
  const random = seededRandom(7);
  const [x, y] = [normalRows(9, 4, random), normalRows(9, 3, random)];
  const windows = Array.from({ length: 60 }, (_, w) => {
    const tokens = Int32Array.from({ length: 20 }, () => random.integer(9));
    const take = (table: Float32Array, d: number): Float32Array =>
      Float32Array.from({ length: 20 * d }, (_, at) => table[tokens[Math.floor(at / d)]! * d + (at % d)]!);
    return toWindow(w, take(x, 4), take(y, 3), tokens);
  });
  const { tokenIdentity } = solve(windows, 4, 3).map.scores;
  expect(tokenIdentity.table).toBeGreaterThan(1 - 1e-12);
  expect(tokenIdentity.beyond).toBe(0);
});

test("a map of context, planted beside a token part, is found beyond the table", () => {
  const random = seededRandom(8);
  const [d, vocabulary] = [5, 30];
  const [x, y] = [normalRows(vocabulary, d, random, 3), normalRows(vocabulary, d, random, 3)];
  const windows = Array.from({ length: 200 }, (_, w) => {
    const tokens = Int32Array.from({ length: 30 }, () => random.integer(vocabulary));
    const context = normalRows(30, d, random);
    const noise = normalRows(30, d, random);
    const at = (table: Float32Array, i: number): number => table[tokens[Math.floor(i / d)]! * d + (i % d)]!;
    const X = context.map((c, i) => c + at(x, i));
    return toWindow(
      w,
      X,
      context.map((c, i) => c + noise[i]! + at(y, i)),
      tokens,
    );
  });
  // Beyond the tokens, half of the variance is carried over (1 of 1 + 1).
  const { tokenIdentity } = solve(windows, d, d).map.scores;
  expect(Math.abs(tokenIdentity.beyond - 0.5)).toBeLessThan(0.05);
});

test("the held-out score does not see the training rows: windows with a truth of their own score near zero", () => {
  // Every window has its own random map, the same for all its rows. A split by row would train on the map of the rows it scores: the
  // window is named by a one-hot part of x, so that a row split reaches R² near 1.
  const random = seededRandom(3);
  const count = 60;
  const windows = Array.from({ length: count }, (_, w) => {
    const own = normalRows(1, 4, random);
    const X = Float32Array.from({ length: 20 * count }, (_, at) => (at % count === w ? 1 : 0));
    const Y = Float32Array.from({ length: 80 }, (_, at) => own[at % 4]! + 0.1 * random.normal());
    return toWindow(w, X, Y, new Int32Array(20));
  });
  const scores = solve(windows, count, 4).map.scores;
  expect(scores.r2).toBeLessThan(0.05);
  // The same rows, dealt out over windows, are what leaking would look like.
  const dealt = windows.map((_, w) => {
    const rows = windows.map(
      ({ X, Y }) =>
        [X.subarray((w % 20) * count, ((w % 20) + 1) * count), Y.subarray((w % 20) * 4, (w % 20) * 4 + 4)] as const,
    );
    return toWindow(
      w,
      Float32Array.from(rows.flatMap(([x]) => [...x])),
      Float32Array.from(rows.flatMap(([, y]) => [...y])),
      new Int32Array(count),
    );
  });
  expect(solve(dealt, count, 4).map.scores.r2).toBeGreaterThan(0.9);
});

test("a fit is the same for the same seed, and its score hardly changes when windows come in another order", () => {
  const A = plantedMatrix(4, 6, seededRandom(1));
  const windows = plantedWindows(A, { windows: 100, rows: 20, noise: 0.5, seed: 5 });
  const first = solve(windows, 6, 4).map;
  expect(solve(windows, 6, 4).map).toEqual(first);
  const other = seededRandom(9)
    .shuffle(windows)
    .map((window, w) => ({ ...window, window: w, group: w, unit: Math.floor(w / 40) }));
  expect(Math.abs(solve(other, 6, 4).map.scores.r2 - first.scores.r2)).toBeLessThan(0.05);
});

test("a held-out set too large for memory is a sample; what leaves it trains", () => {
  const A = plantedMatrix(4, 6, seededRandom(1));
  const windows = plantedWindows(A, { windows: 300, rows: 20, noise: 0.5, seed: 5 });
  const free = solve(windows, 6, 4).map;
  const bounded = solve(windows, 6, 4, { maxHeldBytes: 4 * 10 * 200 }).map; // 200 rows
  expect(free.fit.rows.heldOut).toBe(600);
  expect(bounded.fit.rows.heldOut).toBe(200);
  expect(bounded.fit.rows.train).toBe(free.fit.rows.train + 400);
  expect(Math.abs(bounded.scores.r2 - free.scores.r2)).toBeLessThan(0.06);
});

test("predictAffine predicts A x + p of every row of a window", () => {
  const random = seededRandom(1);
  const A = plantedMatrix(3, 5, random);
  const X = normalRows(7, 5, random);
  const Y = mapRows(X, A, [1, 2, 3], 0, random);
  const predicted = predictAffine({ A, p: Float64Array.of(1, 2, 3) })(toWindow(0, X, Y, new Int32Array(7)));
  predicted.data.forEach((value, at) => {
    expect(value).toBeCloseTo(Y[at]!, 5); // Y is float32
  });
});

test("a fit warns of too few rows, of nothing learnt and of a map that knows only the mean", () => {
  const random = seededRandom(6);
  const windows = Array.from({ length: 40 }, (_, w) =>
    toWindow(
      w,
      normalRows(5, 30, random),
      normalRows(5, 4, random),
      Int32Array.from({ length: 5 }, () => random.integer(9)),
    ),
  );
  const { warnings, map } = solve(windows, 30, 4);
  expect(map.scores.r2).toBeLessThan(0.02);
  expect(warnings.join("\n")).toMatch(/5\.3 training rows per source dimension/);
  expect(warnings.join("\n")).toMatch(/no better than the mean/);
});
