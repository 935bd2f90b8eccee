import { mismatch } from "../../errors.ts";
import type { View } from "../view.ts";
import type { Blas, Lapack } from "./blas.ts";

/** The examples are small integers: an error of a few units in the last place is rounding, anything above a wrong call. */
const tolerance = 1e-12;

/**
 * Tries every function of a BLAS on a small example, in a corner of a larger array so that offsets and strides count too.
 *
 * A library of another integer width, another order of arguments or a broken kernel for this processor shows here, not in a map.
 *
 * @throws incompatible naming the first function that answers wrongly
 */
export function checkBlas(blas: Blas): void {
  const wrong = wrongProduct(blas) ?? wrongSolution(blas) ?? (blas.lapack && wrongFactor(blas.lapack));
  if (wrong)
    throw mismatch("incompatible", `BLAS ${blas.path}`, `the right ${wrong} of a small example`, "another one", {
      hint: "set TRIMTAB_BLAS to another library, or to portable",
    });
}

function wrongProduct(blas: Blas): string | undefined {
  const k = 4;
  const before: Entry<number> = (i, j) => i + 2 * j;
  const [A, B] = [inCorner(3, k, (i, j) => i * i - 2 * j + 1), inCorner(2, k, (i, j) => 3 * i + j - 2)];
  const [tallA, tallB] = [inCorner(k, 3, (i, j) => i * j - 1), inCorner(k, 2, (i, j) => i - j + i * i)];

  const C = inCorner(3, 2, before);
  blas.addProduct(C, A, B, { m: 3, n: 2, k }, { sign: -1 });
  if (!agrees(C, 3, 2, (i, j) => before(i, j) - sum(k, (t) => at(A, i, t) * at(B, j, t)))) return "product A Bᵀ";

  const D = inCorner(3, 2, before);
  blas.addTransposedProduct(D, tallA, tallB, { m: 3, n: 2, k });
  if (!agrees(D, 3, 2, (i, j) => before(i, j) + sum(k, (t) => at(tallA, t, i) * at(tallB, t, j))))
    return "product Aᵀ B";

  const P = inCorner(3, 2, before);
  blas.addPlainProduct(P, A, tallB, { m: 3, n: 2, k }, { sign: -1 });
  if (!agrees(P, 3, 2, (i, j) => before(i, j) - sum(k, (t) => at(A, i, t) * at(tallB, t, j)))) return "product A B";

  const E = inCorner(3, 3, before);
  blas.addProduct(E, A, A, { m: 3, n: 3, k }, { upper: true });
  if (!agrees(E, 3, 3, (i, j) => (j < i ? undefined : before(i, j) + sum(k, (t) => at(A, i, t) * at(A, j, t)))))
    return "symmetric product A Aᵀ";

  const F = inCorner(3, 3, before);
  blas.addTransposedProduct(F, tallA, tallA, { m: 3, n: 3, k }, { upper: true });
  const square: Entry<number> = (i, j) => before(i, j) + sum(k, (t) => at(tallA, t, i) * at(tallA, t, j));
  if (!agrees(F, 3, 3, (i, j) => (j < i ? undefined : square(i, j)))) return "symmetric product Aᵀ A";
  return undefined;
}

function wrongSolution(blas: Blas): string | undefined {
  const L = inCorner(2, 2, (i, j) => [2, 99, 3, 4][2 * i + j] as number); // 99 lies above the diagonal and must not count
  const solution: Entry<number> = (i, j) => i - 3 * j + 1;
  const X = inCorner(3, 2, (i, j) => (j === 0 ? 2 * solution(i, 0) : 3 * solution(i, 0) + 4 * solution(i, 1)));
  blas.solveTriangular(X, L, { m: 3, n: 2 });
  if (!agrees(X, 3, 2, solution)) return "solution of X Lᵀ = B";
  const Y = inCorner(3, 2, (i, j) => (j === 0 ? 2 * solution(i, 0) + 3 * solution(i, 1) : 4 * solution(i, 1)));
  blas.solveTriangular(Y, L, { m: 3, n: 2 }, true);
  return agrees(Y, 3, 2, solution) ? undefined : "solution of X L = B";
}

function wrongFactor(lapack: Lapack): string | undefined {
  const whole = (data: Float64Array, cols: number): View => ({ data, offset: 0, stride: cols });
  // L = [2; 3 4; 1 5 6], and the value above the diagonal must not be read.
  const S = Float64Array.of(4, 99, 99, 6, 25, 99, 2, 23, 62);
  const lower: Entry = (i, j) => (j > i ? undefined : ([2, 0, 0, 3, 4, 0, 1, 5, 6][3 * i + j] as number));
  if (lapack.factorCholesky(S, 3) !== 3 || !agrees(whole(S, 3), 3, 3, lower)) return "Cholesky factor";
  if (lapack.factorCholesky(Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, 1), 3) !== 1) return "failing pivot";

  // Eigenvalues 1 and 9 with vectors along (2, -1) and (1, 2).
  const V = Float64Array.of(2.6, 3.2, 3.2, 7.4);
  const values = lapack.symmetricEigen(V, 2);
  const parallel = (row: number): number => (V[2 * row] as number) ** 2 * 5;
  if (!values || !close(values[0], 1) || !close(values[1], 9) || !close(parallel(0), 4) || !close(parallel(1), 1))
    return "eigenvalues";

  // A of rank 2 and 3 columns, put together again from its factors.
  const A = Float64Array.of(3, 1, 2, -1, 4, 5);
  const factors = lapack.svd(A.slice(), 2, 3);
  if (!factors) return "singular values";
  const { U, s, Vt } = factors;
  const product: Entry = (i, j) =>
    sum(2, (t) => (U[2 * i + t] as number) * (s[t] as number) * (Vt[3 * t + j] as number));
  return agrees(whole(A, 3), 2, 3, product) ? undefined : "singular value decomposition";
}

/** What an element should be; undefined where anything may stand. */
type Entry<T = number | undefined> = (i: number, j: number) => T;

function inCorner(rows: number, cols: number, entry: Entry<number>): View {
  const [offset, stride] = [5, cols + 3];
  const data = new Float64Array(offset + rows * stride);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) data[offset + i * stride + j] = entry(i, j);
  return { data, offset, stride };
}

function agrees(view: View, rows: number, cols: number, entry: Entry): boolean {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const expected = entry(i, j);
      if (expected !== undefined && !close(at(view, i, j), expected)) return false;
    }
  return true;
}

function at({ data, offset, stride }: View, i: number, j: number): number {
  return data[offset + i * stride + j] as number;
}

function sum(length: number, term: (t: number) => number): number {
  let total = 0;
  for (let t = 0; t < length; t++) total += term(t);
  return total;
}

function close(value: number | undefined, expected: number): boolean {
  return value !== undefined && Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected));
}
