import { describe, expect, test } from "vitest";
import { relateDecoders } from "../../src/features/decoder-relation.ts";
import { createMatches } from "../../src/features/match-features.ts";
import type { SparseRows } from "../../src/features/sparse-rows.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { seededRandom } from "../../src/linalg/random.ts";

const gaussian = (rows: number, cols: number, seed: number) => {
  const random = seededRandom(seed);
  return createMatrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => random.normal()),
  );
};

describe("the relation of two decoders", () => {
  test("relateDecoders finds a planted linear image, and nothing in random or permuted rows", () => {
    const [source, M] = [gaussian(200, 10, 1), gaussian(10, 14, 2)];
    const relation = relateDecoders(source, multiply(source, M), { draws: 5, seed: 3 });
    // A ridge of 1e-10 is all that is left; it is what the held-out fit chooses too.
    expect(relation.unexplained).toBeLessThan(1e-15);
    expect(relation.heldOutUnexplained).toBeLessThan(1e-15);
    expect(relation.heldOutCosine).toBeCloseTo(1, 9);
    for (const { unexplained, heldOutUnexplained, heldOutCosine } of [...relation.random, ...relation.shuffled]) {
      // 10 of 200 rows' degrees of freedom fit in-sample; held out there is nothing.
      expect(unexplained).toBeGreaterThan(0.9);
      expect(unexplained).toBeLessThan(1);
      expect(heldOutUnexplained).toBeGreaterThan(0.98);
      expect(Math.abs(heldOutCosine)).toBeLessThan(0.25);
    }
  });

  test("relateDecoders of random matrices leaves the share 1 − dS/F in-sample, as linear algebra says", () => {
    const relation = relateDecoders(gaussian(400, 40, 4), gaussian(400, 20, 5), { draws: 3, seed: 1 });
    // A residual of 360 · 20 chi-squares: their relative spread is 2 %.
    expect(Math.abs(relation.unexplained - 0.9)).toBeLessThan(0.03);
    expect(relation.residual).toBeCloseTo(
      Math.sqrt(relation.unexplained) * Math.hypot(...gaussian(400, 20, 5).data),
      6,
    );
  });

  test("relateDecoders refuses too few features, other counts and what is not finite", () => {
    expect(() => relateDecoders(gaussian(30, 20, 1), gaussian(30, 20, 2))).toThrow("at least 50 features");
    expect(() => relateDecoders(gaussian(60, 20, 1), gaussian(59, 20, 2))).toThrow("a matrix of 60 x 20");
    expect(() => relateDecoders(gaussian(60, 20, 1), gaussian(60, 20, 2), { heldOut: Number.NaN })).toThrow("0 and 1");
    expect(() => relateDecoders(gaussian(60, 20, 1), gaussian(60, 20, 2), { draws: 0 })).toThrow("above 0");
    const broken = gaussian(60, 20, 1);
    broken.data[7] = Number.NaN;
    expect(() => relateDecoders(broken, gaussian(60, 20, 2))).toThrow("NaN at row 0, column 7");
  });
});

describe("matching features by when they are active", () => {
  /** Codes of n rows where feature j of `order` is active as feature `order[j]` of the world. */
  function codesOf(
    world: readonly (readonly number[])[],
    order: readonly number[],
    noise: number,
    seed: number,
  ): SparseRows {
    const random = seededRandom(seed);
    const offsets = [0];
    const [indices, values]: [number[], number[]] = [[], []];
    for (const row of world) {
      order.forEach((feature, j) => {
        const value = random.uniform() < noise ? random.uniform() : row[feature]!;
        if (value <= 0) return;
        indices.push(j);
        values.push(Math.fround(value));
      });
      offsets.push(indices.length);
    }
    return {
      rows: world.length,
      cols: order.length,
      offsets: Int32Array.from(offsets),
      indices: Int32Array.from(indices),
      values: Float32Array.from(values),
    };
  }

  test("createMatches finds a planted permutation, one to one, and matches nothing between unrelated codes", () => {
    const random = seededRandom(1);
    const world = Array.from({ length: 2000 }, () =>
      Array.from({ length: 30 }, () => (random.uniform() < 0.1 ? 0.5 + random.uniform() : 0)),
    );
    const order = random.shuffle(Array.from({ length: 30 }, (_, j) => j));
    const identity = Array.from({ length: 30 }, (_, j) => j);
    const matches = createMatches(30, 30);
    matches.add(codesOf(world.slice(0, 700), identity, 0.01, 2), codesOf(world.slice(0, 700), order, 0.01, 3));
    matches.add(codesOf(world.slice(700), identity, 0.01, 4), codesOf(world.slice(700), order, 0.01, 5));
    const found = matches.matches();
    expect(found).toHaveLength(30);
    for (const { source, target, correlation } of found) {
      expect(order[target]).toBe(source);
      expect(correlation).toBeGreaterThan(0.7);
    }
    const unrelated = createMatches(30, 30);
    unrelated.add(codesOf(world, identity, 0, 6), codesOf([...world].reverse(), order, 0, 7));
    expect(unrelated.matches()).toEqual([]);
  });

  test("createMatches leaves out features that are hardly ever active, and refuses other rows", () => {
    const row = {
      rows: 1,
      cols: 2,
      offsets: Int32Array.of(0, 1),
      indices: Int32Array.of(1),
      values: Float32Array.of(1),
    };
    const matches = createMatches(2, 2);
    matches.add(row, row);
    expect(matches.matches()).toEqual([]);
    expect(() => matches.add(row, { ...row, rows: 0, offsets: Int32Array.of(0) })).toThrow("equally many rows");
  });
});
