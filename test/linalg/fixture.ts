import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";

interface PlainMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: readonly number[];
}

/** What numpy said: test/fixtures/linalg/make.py. */
export interface LinalgFixture {
  readonly spd: PlainMatrix;
  readonly eigenvalues: readonly number[];
  readonly cholesky: PlainMatrix;
  readonly rhs: PlainMatrix;
  readonly solution: PlainMatrix;
  readonly uniform: Readonly<Record<string, readonly number[]>>;
}

export function readFixture(): LinalgFixture {
  return JSON.parse(readFileSync(resolve("test/fixtures/linalg/linalg.json"), "utf8")) as LinalgFixture;
}

export function toMatrix({ rows, cols, data }: PlainMatrix): Matrix {
  return createMatrix(rows, cols, Float64Array.from(data));
}

/** A matrix of standard normals. */
export function gaussian(rows: number, cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return createMatrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => random.normal()),
  );
}

/** Largest absolute difference. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs((a[i] as number) - (b[i] as number));
    if (!(gap <= worst)) worst = gap; // NaN wins
  }
  return worst;
}
