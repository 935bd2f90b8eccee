import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import { createHeldOutSet } from "../../src/maps/held-out-set.ts";
import { createShuffledPairs } from "../../src/maps/shuffled-pairs.ts";
import { splitWindows } from "../../src/maps/split-windows.ts";
import { toWindow } from "./planted.ts";

test("splitWindows(seed) gives one of every ten windows to validation and one to the score, by position and seed alone", () => {
  const partOf = splitWindows(3);
  const parts = Array.from({ length: 500 }, (_, w) => partOf(w));
  for (let block = 0; block < 50; block++) {
    const inBlock = parts.slice(10 * block, 10 * block + 10);
    expect(inBlock.filter((part) => part === "validation")).toHaveLength(1);
    expect(inBlock.filter((part) => part === "heldOut")).toHaveLength(1);
  }
  const backwards = splitWindows(3);
  for (let w = 499; w >= 0; w--) expect(backwards(w)).toBe(parts[w]);
  const other = splitWindows(4);
  expect(Array.from({ length: 500 }, (_, w) => other(w))).not.toEqual(parts);
  // Every place of a block is held out about equally often: 5 of 50, standard deviation 2.
  const places = new Set(parts.flatMap((part, w) => (part === "heldOut" ? [w % 10] : [])));
  expect(places.size).toBeGreaterThan(7);
});

test("createShuffledPairs gives out every source and every target row exactly once, whatever the windows' lengths", () => {
  const random = seededRandom(1);
  const given = { x: [] as number[], y: [] as number[] };
  const pairs = createShuffledPairs({ dSource: 1, dTarget: 2, random, windows: 5 }, (X, Y) => {
    given.x.push(...X);
    for (let at = 0; at < Y.length; at += 2) {
      expect(Y[at + 1]).toBe(-Y[at]!);
      given.y.push(Y[at]!);
    }
  });
  let next = 0;
  let own = 0;
  for (let w = 0; w < 40; w++) {
    const ids = Float32Array.from({ length: 1 + random.integer(6) }, () => next++);
    pairs.add(ids, Float32Array.from([...ids].flatMap((id) => [id, -id])));
  }
  pairs.end();
  expect(given.x).toEqual(Array.from({ length: next }, (_, i) => i));
  expect(given.y.toSorted((a, b) => a - b)).toEqual(given.x);
  given.x.forEach((x, at) => {
    if (x === given.y[at]) own++;
  });
  expect(own / next).toBeLessThan(0.2);
});

test("createHeldOutSet keeps a uniform sample of the windows within its rows, in corpus order, and releases the others", () => {
  const counts = new Array<number>(20).fill(0);
  for (let seed = 0; seed < 200; seed++) {
    const set = createHeldOutSet(50, seededRandom(seed));
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
