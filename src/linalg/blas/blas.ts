import type { ProductOptions, ProductSize, View } from "../view.ts";

/** Which system library: `blas` is one that none of the known names fits, named by its path. */
export type BlasName = "openblas" | "mkl" | "accelerate" | "blas";

/** A system BLAS as this room uses it: the functions of `kernel.ts`, a triangular solve, and LAPACK where it comes with it. */
export interface Blas {
  readonly name: BlasName;
  /** What was loaded: a file, or a name that the system's loader looked up. */
  readonly path: string;
  /** What the library says of itself, such as `OpenBLAS 0.3.21 … Cooperlake`. */
  readonly version: string;
  readonly integerBits: 32 | 64;
  readonly lapack: Lapack | undefined;
  /** Threads it computes with, or undefined where it does not say. */
  threads(): number | undefined;
  /** Sets them for the whole process; does nothing where the library decides for itself. */
  setThreads(threads: number): void;
  /** C += sign · A Bᵀ, as `addProduct`. */
  addProduct(C: View, A: View, B: View, size: ProductSize, options?: ProductOptions): void;
  /** C += sign · Aᵀ B, as `addTransposedProduct`. */
  addTransposedProduct(C: View, A: View, B: View, size: ProductSize, options?: ProductOptions): void;
  /** C += sign · A B, as `addPlainProduct`. */
  addPlainProduct(C: View, A: View, B: View, size: ProductSize, options?: Pick<ProductOptions, "sign">): void;
  /** Solves X Lᵀ = B, or X L = B with `untransposed`, in place: X `[m, n]` holds B first; L `[n, n]` is lower triangular. */
  solveTriangular(X: View, L: View, size: { readonly m: number; readonly n: number }, untransposed?: boolean): void;
}

/** Factorisations, in place on row-major arrays without gaps. */
export interface Lapack {
  /** Overwrites the lower triangle of `S` `[n, n]` by its Cholesky factor; gives the index of the pivot that failed, or n. */
  factorCholesky(S: Float64Array, n: number): number;
  /** Overwrites symmetric `S` `[n, n]` by its eigenvectors as rows; gives the eigenvalues ascending, or undefined if it did not converge. */
  symmetricEigen(S: Float64Array, n: number): Float64Array | undefined;
  /** Destroys `A` `[m, n]`; U `[m, k]`, s descending `[k]`, Vt `[k, n]`, k = min(m, n), or undefined if it did not converge. */
  svd(A: Float64Array, m: number, n: number): { U: Float64Array; s: Float64Array; Vt: Float64Array } | undefined;
}
