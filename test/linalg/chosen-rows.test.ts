import { describe, expect, test } from "vitest";
import { type ChosenRows, openChosenRows, openPlainChosenRows } from "../../src/linalg/chosen-rows.ts";
import { seededRandom } from "../../src/linalg/random.ts";

/** Fills both matrices and the list alike, whatever the stride. */
function fill(of: ChosenRows, rows: number, width: number, count: number): { x: Float64Array; to: Float64Array } {
  const random = seededRandom(rows * 1000 + width);
  for (let row = 0; row < rows; row++)
    for (let t = 0; t < width; t++) {
      of.first[row * of.stride + t] = random.normal();
      of.second[row * of.stride + t] = random.normal();
    }
  for (let n = 0; n < count; n++) {
    of.places[n] = random.integer(rows);
    of.factors[n] = random.normal();
  }
  const draw = () => Float64Array.from({ length: width + 5 }, () => random.normal());
  return { x: draw(), to: draw() };
}

describe("openChosenRows(rows, width) sums as plain loops do", () => {
  test.each([
    [1, 1, 1],
    [3, 5, 2],
    [7, 8, 7],
    [16, 13, 9],
    [64, 192, 40],
    [10, 100, 0],
  ])("%i rows of width %i, %i of them chosen", (rows, width, count) => {
    const [fast, plain] = [openChosenRows(rows, width), openPlainChosenRows(rows, width)];
    // The fast one pads its rows; if it were the plain one, the two would agree for no reason.
    expect(fast.stride % 8).toBe(0);
    const results = [fast, plain].map((of) => {
      const { x, to } = fill(of, rows, width, count);
      of.dot(count, x, 5);
      const products = Array.from(of.results.subarray(0, count));
      of.gather("first", count, to, 3);
      of.gather("second", count, to, 3);
      of.scatter(count, x, 2);
      const rowsOf = (matrix: Float64Array) =>
        Array.from({ length: rows }, (_, row) =>
          Array.from(matrix.subarray(row * of.stride, row * of.stride + width)),
        ).flat();
      return [products, Array.from(to), rowsOf(of.first), rowsOf(of.second)].flat();
    });
    const [a, b] = results as [number[], number[]];
    expect(a.length).toBe(b.length);
    // Sums of at most 200 terms of about 1, in another order: some units of 2⁻⁵².
    a.forEach((value, i) => {
      expect(Math.abs(value - (b[i] as number))).toBeLessThan(1e-12);
    });
    // Columns beyond the width are still 0.
    for (let row = 0; row < rows; row++)
      for (let t = width; t < fast.stride; t++) expect(fast.first[row * fast.stride + t]).toBe(0);
  });

  test("a row chosen twice is counted twice", () => {
    const of = openChosenRows(2, 4);
    of.first.set([1, 2, 3, 4]);
    of.places.set([0, 0]);
    of.factors.set([1, 10]);
    const to = new Float64Array(4);
    of.gather("first", 2, to, 0);
    expect(Array.from(to)).toEqual([11, 22, 33, 44]);
    of.scatter(2, Float64Array.of(1, 0, 0, 1), 0);
    expect(Array.from(of.first.subarray(0, 4))).toEqual([12, 2, 3, 15]);
  });
});
