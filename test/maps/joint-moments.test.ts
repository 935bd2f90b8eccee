import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import {
  addJointMoments,
  createJointSum,
  findBlock,
  type JointMoments,
  type JointPlan,
  subtractJointMoments,
} from "../../src/maps/joint-moments.ts";
import { createMomentsSum, toGroupMoments, toPairMoments } from "../../src/maps/moments.ts";
import { distance } from "../linalg/fixture.ts";
import { normalRows } from "./planted.ts";

const widths = [3, 2, 4] as const;
const plan: JointPlan = {
  widths,
  blocks: [
    { row: 0, col: 0 },
    { row: 1, col: 0 },
    { row: 1, col: 1 },
    { row: 2, col: 0 },
    { row: 2, col: 1 },
    { row: 2, col: 2 },
  ],
};

function rows(n: number, seed: number, mean = 5): Float32Array[] {
  const random = seededRandom(seed);
  return widths.map((width) => normalRows(n, width, random, 1, mean));
}

function part(states: readonly Float32Array[], from: number, to: number): Float32Array[] {
  return states.map((state, site) => state.subarray(from * widths[site]!, to * widths[site]!));
}

function momentsOf(states: readonly Float32Array[], weights?: Float64Array): JointMoments {
  const sum = createJointSum(plan);
  sum.add(states, weights);
  return sum.moments();
}

function expectSame(a: JointMoments, b: JointMoments, tolerance: number): void {
  expect(Math.abs(a.n - b.n)).toBeLessThan(tolerance);
  a.means.forEach((mean, site) => {
    expect(distance(mean, b.means[site]!)).toBeLessThan(tolerance);
  });
  a.blocks.forEach(({ C }, at) => {
    expect(distance(C.data, b.blocks[at]!.C.data)).toBeLessThan(tolerance);
  });
}

test("createJointSum(plan) gives every pair of sites the moments that a sum of that pair alone gives", () => {
  const states = rows(700, 1);
  const joint = momentsOf(states);
  for (const [i, j] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const pair = createMomentsSum(widths[i], widths[j]);
    pair.add(states[i]!, states[j]!);
    expect(toPairMoments(joint, i, j)).toEqual(pair.moments());
  }
});

test("toPairMoments(joint, later, earlier) is the same relation the other way round", () => {
  const joint = momentsOf(rows(50, 2));
  const [forward, back] = [toPairMoments(joint, 0, 2), toPairMoments(joint, 2, 0)];
  expect(back.Cxx).toEqual(forward.Cyy);
  expect(back.meanY).toEqual(forward.meanX);
  expect(back.Cyx.data[1 * 4 + 3]).toBe(forward.Cyx.data[3 * 3 + 1]);
});

test("toGroupMoments(joint, [1, 0], 2) is the moments of the joined rows in that order", () => {
  const states = rows(90, 3);
  const joined = new Float32Array(90 * 5);
  for (let row = 0; row < 90; row++) {
    joined.set(states[1]!.subarray(row * 2, row * 2 + 2), row * 5);
    joined.set(states[0]!.subarray(row * 3, row * 3 + 3), row * 5 + 2);
  }
  const direct = createMomentsSum(5, 4);
  direct.add(joined, states[2]!);
  const [group, expected] = [toGroupMoments(momentsOf(states), [1, 0], 2), direct.moments()];
  // The same products, summed in the same order.
  expect(distance(group.Cxx.data, expected.Cxx.data)).toBeLessThan(1e-10);
  expect(distance(group.Cyx.data, expected.Cyx.data)).toBeLessThan(1e-10);
  expect(distance(group.meanX, expected.meanX)).toBeLessThan(1e-12);
  expect(group.Cyy).toEqual(expected.Cyy);
});

test("createJointSum(plan).add(states, weights) counts a row of weight k as k equal rows", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 20 }), fc.nat(), (counts, seed) => {
      const states = rows(counts.length, seed);
      const repeated = widths.map((width, site) =>
        Float32Array.from(
          counts.flatMap((count, row) =>
            Array.from({ length: count }, () => [...states[site]!.subarray(row * width, (row + 1) * width)]).flat(),
          ),
        ),
      );
      // Sums of at most 80 products of size 10.
      expectSame(momentsOf(states, Float64Array.from(counts)), momentsOf(repeated), 1e-10);
    }),
    { numRuns: 40 },
  );
});

test("createJointSum(plan, start) goes on to the bits of an unbroken sum", () => {
  const states = rows(40, 4);
  const whole = createJointSum(plan);
  for (const [from, to] of [
    [0, 13],
    [13, 14],
    [14, 40],
  ] as const)
    whole.add(part(states, from, to));
  const first = createJointSum(plan);
  first.add(part(states, 0, 13));
  const second = createJointSum(plan, first.moments());
  second.add(part(states, 13, 14));
  second.add(part(states, 14, 40));
  expect(second.moments()).toEqual(whole.moments());
});

test("addJointMoments and subtractJointMoments are inverse, to rounding, and nothing added changes no bit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.nat(), (cut, seed) => {
      const states = rows(30, seed);
      const [a, b] = [momentsOf(part(states, 0, cut)), momentsOf(part(states, cut, 30))];
      expectSame(addJointMoments(a, b), momentsOf(states), 1e-10);
      expectSame(subtractJointMoments(momentsOf(states), b), a, 1e-10);
    }),
    { numRuns: 30 },
  );
  const some = momentsOf(rows(9, 5));
  expect(addJointMoments(some, createJointSum(plan).moments())).toBe(some);
  expect(addJointMoments(createJointSum(plan).moments(), some)).toBe(some);
});

test("joint moments refuse other sites, rows that are not whole, and weights that are not positive", () => {
  const sum = createJointSum(plan);
  expect(() => sum.add(rows(3, 1).slice(0, 2))).toThrow("rows: expected whole rows of 3 and 2 and 4, equally many");
  expect(() => sum.add(rows(3, 1), Float64Array.of(1, 2))).toThrow(/whole rows/);
  expect(() => sum.add(rows(2, 1), Float64Array.of(1, 0))).toThrow("weights: expected positive numbers, got 0");
  expect(() => addJointMoments(momentsOf(rows(2, 1)), createJointSum({ widths: [3], blocks: [] }).moments())).toThrow(
    "moments: expected widths 3, 2, 4 and 6 blocks, got widths 3 and 0 blocks",
  );
  expect(() => createJointSum({ widths: [3], blocks: [{ row: 1, col: 0 }] })).toThrow(/blocks of 1 sites/);
  expect(() => findBlock(createJointSum({ widths: [3, 2], blocks: [] }).moments(), 1, 0)).toThrow(/internal/);
});
