import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/linalg/random.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import type { Collection } from "../../src/maps/collect/collection.ts";
import { toFittingMoments } from "../../src/maps/collect/fitting-moments.ts";
import { splitGroups } from "../../src/maps/collect/split-groups.ts";
import { chooseLambda, defaultLambdas } from "../../src/maps/fit/choose-lambda.ts";
import { type Affine, fitRidge, fitRidgePath } from "../../src/maps/fit/fit-ridge.ts";
import { swapMoments } from "../../src/maps/fit/swap-moments.ts";
import { addJointMoments } from "../../src/maps/joint-moments.ts";
import { createMomentsSum, type Moments, toPairMoments } from "../../src/maps/moments.ts";
import { bootstrapR2 } from "../../src/maps/score/bootstrap-r2.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { type SolveMapsOptions, scoreFits, solveMaps } from "../../src/maps/solve-maps.ts";
import { distance } from "../linalg/fixture.ts";
import { collectWindows } from "./collect-windows.ts";
import { mapRows, normalRows, type PlantedWindow, plantedMatrix, plantedWindows, toWindow } from "./planted.ts";

const maps = [{ sources: [1], target: 2 }];
function solve(collection: Collection, options: Omit<SolveMapsOptions, "maps"> = {}): AffineMap {
  return solveMaps(collection, { ...options, maps }).maps[0]!;
}
const pair = (joint: Parameters<typeof toPairMoments>[0]): Moments => toPairMoments(joint, 0, 1);

/** R² of a map on rows, one by one. */
function r2Of({ A, p }: Affine, rows: readonly (readonly [Float32Array, Float32Array])[]): number {
  const d = p.length;
  const all = rows.flatMap(([, Y]) => [...Y]);
  const mean = Array.from({ length: d }, (_, i) => {
    return (all.reduce((sum, y, at) => sum + (at % d === i ? y : 0), 0) * d) / all.length;
  });
  let [sse, sst] = [0, 0];
  for (const [X, Y] of rows)
    Y.forEach((y, at) => {
      const [row, i] = [Math.floor(at / d), at % d];
      let guess = p[i]!;
      for (let j = 0; j < A.cols; j++) guess += A.data[i * A.cols + j]! * X[row * A.cols + j]!;
      sse += (y - guess) ** 2;
      sst += (y - mean[i]!) ** 2;
    });
  return 1 - sse / sst;
}

const A = plantedMatrix(4, 6, seededRandom(1));
const windows = plantedWindows(A, { windows: 200, rows: 20, noise: 0.7, seed: 5, p: Float64Array.of(1, 2, 3, 4) });
const collection = collectWindows(windows, 6, 4);

describe("solveMaps(collection)", () => {
  test("draws a learning curve of the same fit on nested rows, which ends in the score itself", () => {
    const { learningCurve, r2 } = solve(collection).scores;
    const curve = learningCurve!;
    expect(curve.length).toBeGreaterThanOrEqual(4);
    expect(curve.at(-1)).toEqual({ rows: collection.rowCounts.slice(1).reduce((a, b) => a + b), r2 });
    const { validation, heldOut } = toFittingMoments(collection);
    let nested: Moments | undefined;
    let rows = 0;
    let at = 0;
    for (let part = collection.parts.length - 1; part > 0; part--) {
      rows += collection.rowCounts[part]!;
      const joined = collection.parts.slice(part).reduce(addJointMoments);
      nested = pair(joined);
      if (collection.rowCounts[part] === 0) continue;
      const path = fitRidgePath(nested);
      const { lambda } = chooseLambda(path, pair(validation), defaultLambdas(path));
      expect(curve[at]!.rows).toBe(rows);
      // The last point is scored from rows, the others from moments.
      expect(curve[at]!.r2).toBeCloseTo(scoreMoments(path.solve(lambda), pair(heldOut)).r2, 9);
      at++;
    }
    expect(at).toBe(curve.length);
    curve.forEach((point, i) => {
      expect(point.rows).toBeGreaterThan(curve[i - 1]?.rows ?? 0);
    });
  });

  test("draws the curve over folds with the penalty that all of them chose", () => {
    const folded = collectWindows(windows, 6, 4, { folds: 5 });
    const { scores, fit } = solve(folded);
    const { heldOut } = toFittingMoments(folded);
    const curve = scores.learningCurve!;
    expect(curve.map(({ rows }) => rows)).toEqual([720, 1440, 2160, 2880, 3600]);
    curve.forEach(({ r2 }, at) => {
      const map = fitRidge(pair(folded.parts.slice(0, at + 1).reduce(addJointMoments)), { lambda: fit.lambda });
      expect(r2).toBeCloseTo(scoreMoments(map, pair(heldOut)).r2, 9);
    });
  });

  test("leaves pieces of a single row out of the curve", () => {
    // One row a window: the smallest pieces of 80 groups hold a handful of rows or one.
    const few = plantedWindows(A, { windows: 60, rows: 1, noise: 0.7, seed: 5 });
    for (let seed = 0; seed < 8; seed++) {
      const { learningCurve } = solve(collectWindows(few, 6, 4, { seed })).scores;
      expect(learningCurve![0]!.rows).toBeGreaterThanOrEqual(2);
    }
  });

  test("scores the round trip as the rows themselves do, there and back", () => {
    const { scores, A: forward, p, fit } = solve(collection);
    const backward = fitRidge(swapMoments(pair(toFittingMoments(collection).training)), { lambda: fit.lambda });
    const rows = collection.heldOut.map(({ states: [X] }) => {
      const there = Float32Array.from({ length: (X!.length / 6) * 4 }, (_, at) => {
        const [row, i] = [Math.floor(at / 4), at % 4];
        let sum = p[i]!;
        for (let j = 0; j < 6; j++) sum += forward.data[i * 6 + j]! * X![row * 6 + j]!;
        return sum;
      });
      return [there, X!] as const;
    });
    // What went there is rounded to float32 here.
    expect(scores.roundTrip!.r2).toBeCloseTo(r2Of(backward, rows), 5);
    // Four dimensions hold at most four of six; noise takes some of that back.
    expect(scores.roundTrip!.r2).toBeLessThan(4 / 6 + 0.05);
    expect(scores.roundTrip!.r2).toBeGreaterThan(0.3);
  });

  test("counts the directions that a planted map of rank two uses", () => {
    const random = seededRandom(4);
    const flat = plantedMatrix(6, 2, random);
    const inner = Array.from({ length: 100 }, (_, w) => {
      const rows = normalRows(30, 2, random);
      return toWindow(w, rows, mapRows(rows, flat, new Float64Array(6), 0.01, random), new Int32Array(30));
    });
    // Two directions of lengths a and b: the exponential of the entropy of a²:b².
    const g = [0, 1].map((i) =>
      [0, 1].map((j) => {
        let sum = 0;
        for (let k = 0; k < 6; k++) sum += flat.data[2 * k + i]! * flat.data[2 * k + j]!;
        return sum;
      }),
    );
    const [trace, determinant] = [g[0]![0]! + g[1]![1]!, g[0]![0]! * g[1]![1]! - g[0]![1]! ** 2];
    const share = 0.5 + Math.sqrt(0.25 - determinant / trace ** 2);
    const expected = Math.exp(-share * Math.log(share) - (1 - share) * Math.log(1 - share));
    const { effectiveRank } = solve(collectWindows(inner, 2, 6)).scores;
    // Variances of the two source dimensions are known to a few percent from 2400 rows.
    expect(Math.abs(effectiveRank! - expected)).toBeLessThan(0.05);
  });

  test("finds beyond the token table what rows about their token means give one by one", () => {
    const random = seededRandom(8);
    const vocabulary = 12;
    const [x, y] = [normalRows(vocabulary, 6, random, 2), normalRows(vocabulary, 4, random, 2)];
    const mixed = windows.map(({ X, Y }, w) => {
      // The last tokens are rare: some are held out that no fitted row has.
      const tokens = Int32Array.from({ length: 20 }, () =>
        random.uniform() < 0.02 ? 100 + random.integer(300) : random.integer(vocabulary),
      );
      const at = (table: Float32Array, i: number, d: number): number =>
        table[(tokens[Math.floor(i / d)]! % vocabulary) * d + (i % d)]!;
      return toWindow(
        w,
        X.map((v, i) => v + at(x, i, 6)),
        Y.map((v, i) => v + at(y, i, 4)),
        tokens,
      );
    });
    for (const folds of [1, 4]) {
      const { scores } = solve(collectWindows(mixed, 6, 4, { folds }));
      const { partOf } = splitGroups({ seed: 1, folds, hasCurve: folds === 1 });
      const fitted = mixed.filter(({ group }) => partOf(group) !== "heldOut" && partOf(group) !== 0);
      const validating = mixed.filter(({ group }) => partOf(group) === 0);
      const held = mixed.filter(({ group }) => partOf(group) === "heldOut");
      const table = tokenTable(fitted);
      const residuals = (of: readonly PlantedWindow[]): Moments => {
        const sum = createMomentsSum(6, 4);
        for (const window of of) sum.add(...lessTable(window, table));
        return sum.moments();
      };
      // Residuals of fitted rows have means of zero but for rounding; those of validation rows do not, and a map of them has no bias.
      const about = (moments: Moments): Moments => aboutZero(moments);
      const path = fitRidgePath(about(residuals(fitted)));
      const { lambda } = chooseLambda(path, about(residuals(validating)), defaultLambdas(path));
      const map = { A: path.solve(lambda).A, p: new Float64Array(4) };
      const errors = (of: Affine): number => {
        let sse = 0;
        for (const window of held) {
          const [X, Y] = lessTable(window, table);
          Y.forEach((value, at) => {
            let guess = 0;
            for (let j = 0; j < 6; j++) guess += of.A.data[(at % 4) * 6 + j]! * X[Math.floor(at / 4) * 6 + j]!;
            sse += (value - guess) ** 2;
          });
        }
        return sse;
      };
      const without = errors({ A: { rows: 4, cols: 6, data: new Float64Array(24) }, p: map.p });
      // Residuals are rounded to float32 on the way by rows.
      expect(scores.tokenIdentity.beyond).toBeCloseTo(1 - errors(map) / without, 5);
      expect(scores.tokenIdentity.unseenShare).toBeGreaterThan(0);
      expect(scores.tokenIdentity.tokensSeen).toBe(table.byToken.size);
    }
  });

  test("weighted rows count as that many copies, in the map and in every score", () => {
    const random = seededRandom(21);
    const counts = windows.map(() => Array.from({ length: 20 }, () => 1 + random.integer(3)));
    const weighted = windows.map((window, w) => ({ ...window, weights: Float64Array.from(counts[w]!) }));
    const copied = windows.map(({ X, Y, tokens }, w) => {
      const take = <T extends Float32Array | Int32Array>(rows: T, d: number): number[] =>
        counts[w]!.flatMap((count, row) =>
          Array.from({ length: count }, () => [...rows.subarray(row * d, (row + 1) * d)]).flat(),
        );
      return toWindow(
        w,
        Float32Array.from(take(X, 6)),
        Float32Array.from(take(Y, 4)),
        Int32Array.from(take(tokens, 1)),
      );
    });
    for (const folds of [1, 3]) {
      const a = solve(collectWindows(weighted, 6, 4, { folds }));
      const b = solve(collectWindows(copied, 6, 4, { folds }));
      expect(distance(a.A.data, b.A.data)).toBeLessThan(1e-12);
      expect(distance(a.p, b.p)).toBeLessThan(1e-12);
      expect(a.fit.lambda).toBe(b.fit.lambda);
      // Rows are counted as rows; the shuffled null weighs them alike, as pairs without a relation have no weight of their own.
      const {
        rows: _,
        weighted: isWeighted,
        nulls,
        learningCurve = [],
        r2ByDimension: ofA,
        tokenIdentity,
        ...scores
      } = a.scores;
      const {
        rows: __,
        nulls: others,
        learningCurve: curve = [],
        r2ByDimension: ofB,
        tokenIdentity: tokensB,
        ...same
      } = b.scores;
      expect(isWeighted).toBe(true);
      expect(b.scores).not.toHaveProperty("weighted");
      const close = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value), (key, v) =>
          typeof v === "number" && key !== "windows" ? expect.closeTo(v, 9) : v,
        );
      expect(scores).toEqual(close(same));
      expect([...ofA!]).toEqual([...ofB!].map((v) => expect.closeTo(v, 9)));
      expect({ ...tokenIdentity, unseenShare: 0 }).toEqual(close({ ...tokensB, unseenShare: 0 }));
      expect([nulls.mean, nulls.randomOrthogonal]).toEqual(close([others.mean, others.randomOrthogonal]));
      expect(learningCurve.map(({ r2 }) => r2)).toEqual(curve.map(({ r2 }) => expect.closeTo(r2, 9)));
      // Weighting is not without effect.
      expect(distance(a.A.data, solve(collectWindows(windows, 6, 4, { folds })).A.data)).toBeGreaterThan(1e-3);
    }
  });

  test("all weights times a constant change nothing", () => {
    const weighted = (factor: number): PlantedWindow[] => {
      const random = seededRandom(23);
      return windows.map((window) => ({
        ...window,
        weights: Float64Array.from({ length: 20 }, () => factor * (0.5 + random.uniform())),
      }));
    };
    // A power of four, whose root is one of two: every sum is scaled to the bit.
    expect(solve(collectWindows(weighted(4 ** -3), 6, 4))).toEqual(solve(collectWindows(weighted(1), 6, 4)));
  });

  test("the shuffled null of weighted rows knows their mean, however far it is from that of all rows", () => {
    const shifted = windows.map((window, w) => ({
      ...window,
      weights: Float64Array.from({ length: 20 }, (_, row) => (row < 2 ? 100 : 1)),
      states: [window.X, window.Y.map((y, at) => y + (at < 8 ? 50 : 0))],
      window: w,
    }));
    const { nulls } = solve(collectWindows(shifted, 6, 4)).scores;
    // Nine of ten parts of the weight are one group of rows, and held-out rows are weighted alike.
    expect(Math.abs(nulls.shuffled.r2 - nulls.mean.r2)).toBeLessThan(0.1);
  });

  test("fits a rotation where every unit is one window, so that nothing could be shuffled: its null is the mean", () => {
    const apart = windows.map((window, w) => ({ ...window, unit: w }));
    const { nulls, r2 } = solve(collectWindows(apart, 6, 4), { method: "procrustes" }).scores;
    expect(nulls.shuffled).toEqual(nulls.mean);
    expect(r2).toBeLessThan(1);
  });

  test("keeps every kind of choice in the record", () => {
    expect(solve(collection, { lambdas: [0.5] }).fit).toMatchObject({ lambda: 0.5, choice: "given", tried: [] });
    expect(solve(collection, { method: "reduced-rank", rank: 2 }).fit).toMatchObject({ rank: 2, space: "raw" });
    expect(solve(collectWindows(windows, 6, 4, { folds: 5 })).fit).toMatchObject({
      choice: "cross-validation",
      folds: 5,
      rows: { validation: 0, heldOut: 400, train: 3600 },
    });
    expect(solve(collection, { createdAt: "2026-01-01T00:00:00Z" }).fit.createdAt).toBe("2026-01-01T00:00:00Z");
  });

  test("scoreFits gives the scores of the maps that solveMaps makes", () => {
    for (const choice of [{}, { method: "procrustes" }, { method: "reduced-rank", rank: 2 }] as const) {
      const { r2, cosine } = solve(collection, choice).scores;
      expect(scoreFits(collection, { ...choice, maps })).toEqual([{ r2, cosine }]);
    }
  });
});

test("with folds the first part validates what the others fit, and all of them fit together", () => {
  const { training, validation, withoutValidation, folds, nested } = toFittingMoments(
    collectWindows(windows, 6, 4, { folds: 4 }),
  );
  expect(folds).toHaveLength(4);
  expect(validation).toBe(folds![0]);
  const joined = addJointMoments(withoutValidation, validation);
  expect(joined.n).toBe(training.n);
  joined.blocks.forEach(({ C }, at) => {
    // Sums of squares of about 4000 in another order.
    expect(distance(C.data, training.blocks[at]!.C.data)).toBeLessThan(1e-10);
  });
  expect(nested.at(-1)!.moments).toBe(training);
});

describe("bootstrapR2(groups)", () => {
  /** Groups of eight rows that share part of their error; R² is 1 − 0.5 whatever is shared. */
  const groups = (count: number, shared: number, random: Random): { sse: number; sst: number }[] =>
    Array.from({ length: count }, () => {
      const common = random.normal();
      let [sse, sst] = [0, 0];
      for (let row = 0; row < 8; row++) {
        const error = Math.sqrt(0.5) * (Math.sqrt(shared) * common + Math.sqrt(1 - shared) * random.normal());
        sse += error ** 2;
        sst += (error + Math.sqrt(0.5) * random.normal()) ** 2;
      }
      return { sse, sst };
    });

  test("covers the truth as often as it says, whether or not rows of a group share their error", () => {
    for (const shared of [0, 0.9]) {
      const random = seededRandom(31);
      let covered = 0;
      const trials = 150;
      for (let trial = 0; trial < trials; trial++) {
        const { low, high } = bootstrapR2(groups(40, shared, random), random);
        if (low <= 0.5 && 0.5 <= high) covered++;
      }
      // 95 % of 150, less what a percentile interval of 40 groups is known to miss, give or take three standard deviations of 2 %.
      expect(covered / trials).toBeGreaterThan(0.86);
    }
  });

  test("is wider where a group's rows share their error, though there are as many rows", () => {
    const width = (shared: number): number => {
      const random = seededRandom(32);
      const { low, high } = bootstrapR2(groups(60, shared, random), random);
      return high - low;
    };
    expect(width(0.9)).toBeGreaterThan(1.3 * width(0));
  });
});

interface Table {
  readonly byToken: ReadonlyMap<number, { readonly x: Float64Array; readonly y: Float64Array }>;
  readonly all: { readonly x: Float64Array; readonly y: Float64Array };
}

function tokenTable(windows: readonly PlantedWindow[]): Table {
  const mean = (isIn: (token: number) => boolean) => {
    const [x, y] = [new Float64Array(6), new Float64Array(4)];
    let n = 0;
    for (const { X, Y, tokens } of windows)
      tokens.forEach((token, row) => {
        if (!isIn(token)) return;
        n++;
        for (let j = 0; j < 6; j++) x[j]! += X[row * 6 + j]!;
        for (let i = 0; i < 4; i++) y[i]! += Y[row * 4 + i]!;
      });
    return { x: x.map((v) => v / n), y: y.map((v) => v / n) };
  };
  const tokens = new Set(windows.flatMap((window) => [...window.tokens]));
  return { byToken: new Map(Array.from(tokens, (token) => [token, mean((t) => t === token)])), all: mean(() => true) };
}

function lessTable({ X, Y, tokens }: PlantedWindow, { byToken, all }: Table): [Float32Array, Float32Array] {
  const about = (at: number, d: number) => byToken.get(tokens[Math.floor(at / d)]!) ?? all;
  return [X.map((v, at) => v - about(at, 6).x[at % 6]!), Y.map((v, at) => v - about(at, 4).y[at % 4]!)];
}

/** The moments about zero of rows whose moments are about their means. */
function aboutZero({ n, meanX, meanY, Cxx, Cyx, Cyy }: Moments): Moments {
  const shifted = (C: Moments["Cxx"], a: Float64Array, b: Float64Array): Moments["Cxx"] => ({
    ...C,
    data: C.data.map((value, at) => value + n * a[Math.floor(at / C.cols)]! * b[at % C.cols]!),
  });
  return {
    n,
    meanX: new Float64Array(meanX.length),
    meanY: new Float64Array(meanY.length),
    Cxx: shifted(Cxx, meanX, meanX),
    Cyx: shifted(Cyx, meanY, meanX),
    Cyy: shifted(Cyy, meanY, meanY),
  };
}
