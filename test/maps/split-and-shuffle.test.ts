import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import { createHeldOutSet } from "../../src/maps/collect/held-out-set.ts";
import { shuffleUnit } from "../../src/maps/collect/shuffled-rows.ts";
import { partCount, splitGroups } from "../../src/maps/collect/split-groups.ts";
import { toWindow } from "./planted.ts";

const plain = { seed: 3, folds: 1, hasCurve: false };

test("splitGroups gives one of every ten groups to validation and one to the score, by number and seed alone", () => {
  const { partOf } = splitGroups(plain);
  const parts = Array.from({ length: 500 }, (_, group) => partOf(group));
  for (let block = 0; block < 50; block++) {
    const inBlock = parts.slice(10 * block, 10 * block + 10);
    expect(inBlock.filter((part) => part === 0)).toHaveLength(1);
    expect(inBlock.filter((part) => part === "heldOut")).toHaveLength(1);
    expect(inBlock.filter((part) => part === 1)).toHaveLength(8);
  }
  const backwards = splitGroups(plain).partOf;
  for (let group = 499; group >= 0; group--) expect(backwards(group)).toBe(parts[group]);
  const other = splitGroups({ ...plain, seed: 4 }).partOf;
  expect(Array.from({ length: 500 }, (_, group) => other(group))).not.toEqual(parts);
  // Every place of a block is held out about equally often: 5 of 50, standard deviation 2.
  const places = new Set(parts.flatMap((part, group) => (part === "heldOut" ? [group % 10] : [])));
  expect(places.size).toBeGreaterThan(7);
});

test("splitGroups keeps the fitting part in pieces of 1/2, 1/4, 1/8, 1/16 and 1/16, and the rest as without them", () => {
  const [curve, without] = [splitGroups({ ...plain, hasCurve: true }).partOf, splitGroups(plain).partOf];
  const counts = new Array<number>(partCount({ folds: 1, hasCurve: true })).fill(0);
  for (let group = 0; group < 10_000; group++) {
    const part = curve(group);
    if (part !== "heldOut") counts[part]! += 1;
    if (part === "heldOut" || part === 0) expect(without(group)).toBe(part);
    else expect(without(group)).toBe(1);
  }
  expect(counts).toHaveLength(6);
  // Of 8000 groups; standard deviations are 45 and less.
  [4000, 2000, 1000, 500, 500].forEach((expected, at) => {
    expect(Math.abs(counts[at + 1]! - expected)).toBeLessThan(180);
  });
});

test.each([2, 3, 5, 7])("splitGroups with %i folds deals nine of ten groups evenly", (folds) => {
  const { partOf } = splitGroups({ seed: 1, folds, hasCurve: false });
  const counts = new Array<number>(folds).fill(0);
  let heldOut = 0;
  for (let group = 0; group < 1000; group++) {
    const part = partOf(group);
    if (part === "heldOut") heldOut++;
    else counts[part]! += 1;
  }
  expect(heldOut).toBe(100);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(folds);
});

test("shuffleUnit uses every source and every target row once, and no row meets its own window unless it is half of all", () => {
  const random = seededRandom(1);
  let next = 0;
  const windows = Array.from({ length: 12 }, (_, w) => {
    const ids = Array.from({ length: 1 + random.integer(6) }, () => next++);
    return {
      window: w,
      ids,
      states: [Float32Array.from(ids), Float32Array.from(ids.flatMap((id) => [id, -id]))],
    };
  });
  const [x, y] = shuffleUnit(
    windows.map(({ states }) => states),
    { widths: [1, 2], sources: 1, random },
  )!;
  expect([...x!]).toEqual(Array.from({ length: next }, (_, id) => id));
  const met = Array.from(x!, (_, row) => {
    expect(y![2 * row + 1]).toBe(-y![2 * row]!);
    return y![2 * row]!;
  });
  expect(met.toSorted((a, b) => a - b)).toEqual([...x!]);
  const windowOf = (id: number): number => windows.find(({ ids }) => ids.includes(id))!.window;
  met.forEach((id, row) => {
    expect(windowOf(id)).not.toBe(windowOf(row));
  });
});

test("shuffleUnit has nothing to pair a single window with", () => {
  const options = { widths: [1], sources: 1, random: seededRandom(1) };
  expect(shuffleUnit([[Float32Array.of(1)]], options)).toBeUndefined();
  expect(shuffleUnit([], options)).toBeUndefined();
});

test("createHeldOutSet keeps a uniform sample of the windows within its rows, in corpus order, and releases the others", () => {
  const counts = new Array<number>(20).fill(0);
  for (let seed = 0; seed < 200; seed++) {
    const set = createHeldOutSet(50, seed);
    let released = 0;
    for (let w = 0; w < 20; w++)
      released += set.add(toWindow(w, new Float32Array(10), new Float32Array(10), new Int32Array(10))).length;
    const kept = set.windows().map(({ window }) => window);
    expect(kept).toHaveLength(5);
    expect(released).toBe(15);
    expect(kept).toEqual(kept.toSorted((a, b) => a - b));
    for (const window of kept) counts[window]! += 1;
  }
  // 50 expected each, standard deviation 6: early and late windows alike.
  for (const count of counts) expect(Math.abs(count - 50)).toBeLessThan(28);
});

test("createHeldOutSet keeps the same windows in whatever order they come", () => {
  const random = seededRandom(2);
  const windows = Array.from({ length: 60 }, (_, w) => {
    const n = 1 + random.integer(9);
    return toWindow(w, new Float32Array(n), new Float32Array(n), new Int32Array(n));
  });
  const kept = (order: readonly (typeof windows)[number][]): number[] => {
    const set = createHeldOutSet(60, 7);
    for (const window of order) set.add(window);
    return set.windows().map(({ window }) => window);
  };
  const expected = kept(windows);
  expect(kept(windows.toReversed())).toEqual(expected);
  for (let seed = 0; seed < 20; seed++) expect(kept(seededRandom(seed).shuffle(windows))).toEqual(expected);
});

test("createHeldOutSet lets groups leave whole: no window is scored whose neighbours are fitted", () => {
  const random = seededRandom(4);
  for (let seed = 0; seed < 20; seed++) {
    const set = createHeldOutSet(60, seed);
    const released = new Set<number>();
    for (let w = 0; w < 80; w++) {
      const n = 1 + random.integer(5);
      const window = toWindow(w, new Float32Array(n), new Float32Array(n), new Int32Array(n));
      for (const { group } of set.add({ ...window, group: Math.floor(w / 4) })) released.add(group);
    }
    const held = set.windows();
    expect(held.length).toBeGreaterThan(3);
    expect(held.filter(({ group }) => released.has(group))).toEqual([]);
  }
});
