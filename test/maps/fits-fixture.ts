import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseSafetensors } from "../../src/formats/safetensors.ts";
import { useLinalg } from "../../src/linalg/backend.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import type { Affine } from "../../src/maps/fit/fit-ridge.ts";
import { createMomentsSum, type Moments } from "../../src/maps/moments.ts";

export interface Rows {
  readonly X: Float32Array;
  readonly Y: Float32Array;
  readonly dSource: number;
  readonly dTarget: number;
  readonly n: number;
}

export interface FitsFixture {
  rows(set: "planted" | "real"): Rows;
  /** A map that numpy found. */
  affine(name: string): Affine;
  numbers(name: string): Float64Array;
}

/** What numpy and scipy said from the rows themselves: test/fixtures/maps/make_fits.py, or torch: make_adamw.py. */
export function readFits(file = "fits.safetensors"): FitsFixture {
  const read = (name: string) => parseSafetensors(readFileSync(resolve("test/fixtures/maps", name))).tensors;
  const all = new Map(read(file));
  for (const [name, tensor] of read("real-rows.safetensors")) all.set(`real.${name}`, tensor);
  const take = (name: string): { shape: readonly number[]; data: Float32Array | Float64Array } => {
    const tensor = all.get(name);
    if (!(tensor?.data instanceof Float32Array || tensor?.data instanceof Float64Array)) throw new Error(`no ${name}`);
    return { shape: tensor.shape, data: tensor.data };
  };
  return {
    rows(set) {
      const [X, Y] = [take(`${set}.X`), take(`${set}.Y`)];
      return {
        X: Float32Array.from(X.data),
        Y: Float32Array.from(Y.data),
        n: X.shape[0]!,
        dSource: X.shape[1]!,
        dTarget: Y.shape[1]!,
      };
    },
    affine(name) {
      const A = take(`${name}.A`);
      return { A: createMatrix(A.shape[0]!, A.shape[1]!, Float64Array.from(A.data)), p: this.numbers(`${name}.p`) };
    },
    numbers: (name) => Float64Array.from(take(name).data),
  };
}

/** Moments of rows `from` to `to`. */
export function momentsOf(rows: Rows, from: number = 0, to: number = rows.n): Moments {
  const { X, Y, dSource, dTarget } = rows;
  const sum = createMomentsSum(dSource, dTarget);
  sum.add(X.subarray(from * dSource, to * dSource), Y.subarray(from * dTarget, to * dTarget));
  return sum.moments();
}

/** The moments of the first `k` dimensions of either side. */
export function firstDimensions({ n, meanX, meanY, Cxx, Cyx, Cyy }: Moments, k: number): Moments {
  const cut = (A: Matrix): Matrix =>
    createMatrix(
      k,
      k,
      A.data.filter((_, at) => at % A.cols < k && at < k * A.cols),
    );
  return { n, meanX: meanX.slice(0, k), meanY: meanY.slice(0, k), Cxx: cut(Cxx), Cyx: cut(Cyx), Cyy: cut(Cyy) };
}

/** Largest difference relative to the largest value. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  let [gap, most] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= gap)) gap = difference; // NaN wins
    most = Math.max(most, Math.abs(b[i]!));
  }
  return gap / most;
}

/** The larger relative difference of coefficients and intercept. */
export function mapDistance(a: Affine, b: Affine): number {
  return Math.max(relative(a.A.data, b.A.data), relative(a.p, b.p));
}

/** Which libraries the same tests run on: the system's where there is one, and the portable path. */
export const backends: readonly ("system" | "portable")[] = ["system", "portable"];

/** Chooses one of them for what follows. */
export function useBackend(name: "system" | "portable"): void {
  useLinalg(name === "portable" ? "portable" : undefined);
}
