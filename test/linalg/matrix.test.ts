import { expect, test } from "vitest";
import { checkMatrix, createMatrix, fromRows, identity, transpose } from "../../src/linalg/matrix.ts";
import { multiply } from "../../src/linalg/multiply.ts";
import { gaussian } from "./fixture.ts";

test("createMatrix(rows, cols, data) refuses data of another length and sizes that are not counts", () => {
  expect(() => createMatrix(2, 3, new Float64Array(5))).toThrow("matrix: expected 6 values for 2 x 3, got 5");
  expect(() => createMatrix(-1, 3)).toThrow(/non-negative/);
  expect(() => createMatrix(1.5, 3)).toThrow(/non-negative/);
});

test("fromRows(rows) lays rows one after another and refuses ragged ones", () => {
  expect(fromRows([[1, 2], new Float32Array([3, 4])])).toEqual(createMatrix(2, 2, Float64Array.of(1, 2, 3, 4)));
  expect(() => fromRows([[1, 2], [3]])).toThrow("row 1: expected 2 values, got 1");
});

test("transpose(transpose(A)) is A, and transpose(A) moves (i, j) to (j, i)", () => {
  const A = gaussian(33, 70, 1);
  expect(transpose(A).data[69 * 33 + 2]).toBe(A.data[2 * 70 + 69]);
  expect(transpose(transpose(A))).toEqual(A);
});

test("identity(n) leaves a matrix as it is", () => {
  const A = gaussian(5, 7, 1);
  expect(multiply(identity(5), A).data).toEqual(A.data);
});

test("checkMatrix(A, where, shape) names the first value that is not finite and the shape that differs", () => {
  const A = createMatrix(2, 2, Float64Array.of(1, 2, Number.NaN, 4));
  expect(() => checkMatrix(A, "covariance")).toThrow("covariance: expected finite values, got NaN at row 1, column 0");
  expect(() => checkMatrix(identity(2), "map", { cols: 3 })).toThrow("map: expected a matrix of 2 x 3, got 2 x 2");
  expect(checkMatrix(identity(2), "map", { rows: 2 })).toEqual(identity(2));
});
