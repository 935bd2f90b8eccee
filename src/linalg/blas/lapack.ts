import type { Lapack } from "./blas.ts";
import { type NativeLibrary, type NativeType, toInteger } from "./native-library.ts";

// Integers by reference; after the declared arguments Fortran compilers expect the length of every text, which C ones ignore.
const int: NativeType = "void *";
const doubles: NativeType = "double *";
const text: NativeType = "str";
const length: NativeType = "size_t";

/**
 * Binds the three factorisations, or gives undefined if the library has only BLAS.
 *
 * LAPACK reads columns first, so that a row-major matrix is its transpose: lower is upper, and left and right vectors change places.
 *
 * @see LAPACK Users' Guide, 3rd ed.: dpotrf, dsyevd, dgesdd
 */
export function bindLapack(library: NativeLibrary): Lapack | undefined {
  const potrf = library.fortran("dpotrf", [text, int, doubles, int, int, length]);
  const syevd = library.fortran("dsyevd", [
    ...[text, text, int, doubles, int, doubles, doubles, int, int, int, int, length, length],
  ]);
  const gesdd = library.fortran("dgesdd", [
    ...[text, int, int, doubles, int, doubles, doubles, int, doubles, int, doubles, int, int, int, length],
  ]);
  if (!potrf || !syevd || !gesdd) return undefined;
  return {
    factorCholesky(S, n) {
      const info = toInteger(0);
      potrf("U", toInteger(n), S, toInteger(n), info, 1);
      const failed = info[0] as number;
      return failed > 0 ? failed - 1 : n;
    },
    symmetricEigen(S, n) {
      const values = new Float64Array(n);
      const size = toInteger(n);
      const info = toInteger(0);
      const run = (work: Float64Array, lengthOfWork: number, ints: Int32Array, lengthOfInts: number): void => {
        const lengths = [toInteger(lengthOfWork), toInteger(lengthOfInts)] as const;
        syevd("V", "U", size, S, size, values, work, lengths[0], ints, lengths[1], info, 1, 1);
      };
      const [work, ints] = [new Float64Array(1), toInteger(0)];
      run(work, -1, ints, -1);
      const [workLength, intLength] = [work[0] as number, ints[0] as number];
      run(new Float64Array(workLength), workLength, new Int32Array(2 * intLength), intLength);
      return info[0] === 0 ? values : undefined;
    },
    svd(A, m, n) {
      const k = Math.min(m, n);
      const [U, s, Vt] = [new Float64Array(m * k), new Float64Array(k), new Float64Array(k * n)];
      const [left, right, middle] = [toInteger(n), toInteger(m), toInteger(k)];
      const info = toInteger(0);
      const ints = new Int32Array(2 * 8 * k);
      const run = (work: Float64Array, lengthOfWork: number): void => {
        const lwork = toInteger(lengthOfWork);
        gesdd("S", left, right, A, left, s, Vt, left, U, middle, work, lwork, ints, info, 1);
      };
      const work = new Float64Array(1);
      run(work, -1);
      const workLength = work[0] as number;
      run(new Float64Array(workLength), workLength);
      return info[0] === 0 ? { U, s, Vt } : undefined;
    },
  };
}
