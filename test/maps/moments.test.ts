import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import { addMoments, createMomentsSum, type Moments, subtractMoments } from "../../src/maps/moments.ts";
import { distance } from "../linalg/fixture.ts";
import { normalRows } from "./planted.ts";

const [dS, dT] = [3, 2];

function momentsOf(X: Float32Array, Y: Float32Array, cuts: readonly number[] = []): Moments {
  const sum = createMomentsSum(dS, dT);
  let start = 0;
  for (const end of [...cuts, X.length / dS]) {
    sum.add(X.subarray(start * dS, end * dS), Y.subarray(start * dT, end * dT));
    start = end;
  }
  return sum.moments();
}

/** Two passes over all rows: means first, then products. */
function twoPass(X: Float32Array, Y: Float32Array): Moments {
  const n = X.length / dS;
  const mean = (rows: Float32Array, d: number): Float64Array =>
    Float64Array.from({ length: d }, (_, i) => {
      let sum = 0;
      for (let r = 0; r < n; r++) sum += rows[r * d + i]!;
      return sum / n;
    });
  const [meanX, meanY] = [mean(X, dS), mean(Y, dT)];
  const product = (A: Float32Array, a: Float64Array, B: Float32Array, b: Float64Array): Float64Array => {
    const result = new Float64Array(a.length * b.length);
    for (let r = 0; r < n; r++)
      for (let i = 0; i < a.length; i++)
        for (let j = 0; j < b.length; j++)
          result[i * b.length + j]! += (A[r * a.length + i]! - a[i]!) * (B[r * b.length + j]! - b[j]!);
    return result;
  };
  return {
    n,
    meanX,
    meanY,
    Cxx: { rows: dS, cols: dS, data: product(X, meanX, X, meanX) },
    Cyx: { rows: dT, cols: dS, data: product(Y, meanY, X, meanX) },
    Cyy: { rows: dT, cols: dT, data: product(Y, meanY, Y, meanY) },
  };
}

function expectSame(a: Moments, b: Moments, tolerance: number): void {
  expect(a.n).toBe(b.n);
  expect(distance(a.meanX, b.meanX)).toBeLessThan(tolerance);
  expect(distance(a.meanY, b.meanY)).toBeLessThan(tolerance);
  expect(distance(a.Cxx.data, b.Cxx.data)).toBeLessThan(tolerance);
  expect(distance(a.Cyx.data, b.Cyx.data)).toBeLessThan(tolerance);
  expect(distance(a.Cyy.data, b.Cyy.data)).toBeLessThan(tolerance);
}

function rows(n: number, seed: number, mean = 0): { X: Float32Array; Y: Float32Array } {
  const random = seededRandom(seed);
  return { X: normalRows(n, dS, random, 1, mean), Y: normalRows(n, dT, random, 1, -mean) };
}

test("createMomentsSum(dS, dT) gives what two passes give, however the rows are cut into batches", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(40), { maxLength: 5 }), fc.nat(), (n, cuts, seed) => {
      const { X, Y } = rows(n, seed, 3);
      const inside = cuts.filter((cut) => cut <= n).sort((a, b) => a - b);
      // Sums of at most 40 products of size 10.
      expectSame(momentsOf(X, Y, inside), twoPass(X, Y), 1e-11);
    }),
    { numRuns: 60 },
  );
});

test("createMomentsSum(dS, dT) keeps its digits when means are 100 000 times the spread", () => {
  const { X, Y } = rows(2000, 1, 1e5);
  const expected = twoPass(X, Y);
  // Sums about zero would be 2e13 with rounding errors of 2e13 · 2e-16 · √2000 ≈ 0.2; these are 2000.
  expectSame(momentsOf(X, Y, [1, 2, 700, 1500]), expected, 1e-7);
});

test("addMoments(a, b) of two shards is the whole, in either order, to rounding", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.nat(), (cut, seed) => {
      const { X, Y } = rows(30, seed, 5);
      const a = momentsOf(X.subarray(0, cut * dS), Y.subarray(0, cut * dT));
      const b = momentsOf(X.subarray(cut * dS), Y.subarray(cut * dT));
      expectSame(addMoments(a, b), twoPass(X, Y), 1e-11);
      expectSame(addMoments(b, a), twoPass(X, Y), 1e-11);
    }),
    { numRuns: 40 },
  );
});

test("subtractMoments(whole, part) is the rest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.nat(), (cut, seed) => {
      const { X, Y } = rows(30, seed, 5);
      const a = momentsOf(X.subarray(0, cut * dS), Y.subarray(0, cut * dT));
      const b = momentsOf(X.subarray(cut * dS), Y.subarray(cut * dT));
      expectSame(subtractMoments(momentsOf(X, Y), a), b, 1e-10);
    }),
    { numRuns: 40 },
  );
});

test("MomentsSum.moments() is a copy that later rows do not change", () => {
  const sum = createMomentsSum(dS, dT);
  const first = rows(10, 1);
  sum.add(first.X, first.Y);
  const before = sum.moments();
  const second = rows(10, 2);
  sum.add(second.X, second.Y);
  expectSame(before, twoPass(first.X, first.Y), 1e-12);
  expect(sum.n).toBe(20);
});

test("moments refuse rows that are not whole, parts larger than the whole, and other widths", () => {
  const sum = createMomentsSum(dS, dT);
  expect(() => sum.add(new Float32Array(4), new Float32Array(2))).toThrow(/whole rows of 3 and 2/);
  expect(() => sum.add(new Float32Array(6), new Float32Array(2))).toThrow(/equally many/);
  const { X, Y } = rows(3, 1);
  const three = momentsOf(X, Y);
  const two = momentsOf(X.subarray(0, 6), Y.subarray(0, 4));
  expect(() => subtractMoments(two, three)).toThrow("moments to subtract: expected at most 2 rows, got 3");
  expect(() => addMoments(three, createMomentsSum(4, 2).moments())).toThrow(
    "moments: expected widths 3, 2 and 3 blocks, got widths 4, 2 and 3 blocks",
  );
});
