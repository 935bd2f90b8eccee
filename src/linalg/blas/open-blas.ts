import { release } from "node:os";
import type { LibraryHandle } from "koffi";
import type { View } from "../view.ts";
import type { Blas, BlasName } from "./blas.ts";
import { bindLapack } from "./lapack.ts";
import { bindLibrary, type NativeLibrary } from "./native-library.ts";
import { checkBlas } from "./self-check.ts";

// The constants of cblas.h.
const rowMajor = 101;
const asIs = 111;
const transposed = 112;
const upperPart = 121;
const lowerPart = 122;
const anyDiagonal = 131;
const fromRight = 142;

/**
 * Binds the functions of a loaded BLAS and tries each on a small example with known answer.
 *
 * @throws incompatible if a function is missing or answers wrongly, naming it
 */
export function openBlas(handle: LibraryHandle, path: string, expected: BlasName): Blas {
  const library = bindLibrary(handle, path);
  const gemm = library.cblas("dgemm", [
    ...["int", "int", "int", "n", "n", "n", "double", "double *", "n", "double *", "n"],
    ...["double", "double *", "n"],
  ]);
  const syrk = library.cblas("dsyrk", [
    ...["int", "int", "int", "n", "n", "double", "double *", "n", "double", "double *", "n"],
  ]);
  const trsm = library.cblas("dtrsm", [
    ...["int", "int", "int", "int", "int", "n", "n", "double", "double *", "n", "double *", "n"],
  ]);
  const blas: Blas = {
    path,
    integerBits: library.integerBits,
    lapack: bindLapack(library),
    ...describe(library, expected),
    addProduct(C, A, B, { m, n, k }, { sign = 1, upper = false } = {}) {
      const [a, b, c] = [start(A), start(B), start(C)];
      if (upper && isSame(A, B)) syrk(rowMajor, upperPart, asIs, m, k, sign, a, A.stride, 1, c, C.stride);
      else gemm(rowMajor, asIs, transposed, m, n, k, sign, a, A.stride, b, B.stride, 1, c, C.stride);
    },
    addTransposedProduct(C, A, B, { m, n, k }, { sign = 1, upper = false } = {}) {
      const [a, b, c] = [start(A), start(B), start(C)];
      if (upper && isSame(A, B)) syrk(rowMajor, upperPart, transposed, m, k, sign, a, A.stride, 1, c, C.stride);
      else gemm(rowMajor, transposed, asIs, m, n, k, sign, a, A.stride, b, B.stride, 1, c, C.stride);
    },
    addPlainProduct(C, A, B, { m, n, k }, { sign = 1 } = {}) {
      gemm(rowMajor, asIs, asIs, m, n, k, sign, start(A), A.stride, start(B), B.stride, 1, start(C), C.stride);
    },
    solveTriangular(X, L, { m, n }, untransposed = false) {
      const direction = untransposed ? asIs : transposed;
      trsm(rowMajor, fromRight, lowerPart, direction, anyDiagonal, m, n, 1, start(L), L.stride, start(X), X.stride);
    },
  };
  checkBlas(blas);
  return blas;
}

/** The view's first element as the native side sees it: a view of the same memory, not a copy. */
function start({ data, offset }: View): Float64Array {
  return offset === 0 ? data : data.subarray(offset);
}

function isSame(A: View, B: View): boolean {
  return A.data === B.data && A.offset === B.offset && A.stride === B.stride;
}

/** Name, version and threads, by what only this library has. */
function describe(
  library: NativeLibrary,
  expected: BlasName,
): Pick<Blas, "name" | "version" | "threads" | "setThreads"> {
  const config = library.own("openblas_get_config", "str", []);
  if (config) {
    const core = library.own("openblas_get_corename", "str", []);
    const read = library.own("openblas_get_num_threads", "int", []);
    const write = library.own("openblas_set_num_threads", "void", ["int"]);
    const [release = "OpenBLAS", number = ""] = String(config()).split(" ");
    return {
      name: "openblas",
      version: [release, number, core ? `for ${String(core())}` : ""].filter(Boolean).join(" "),
      threads: () => (read ? Number(read()) : undefined),
      setThreads: (threads) => void write?.(threads),
    };
  }
  const versionOf = library.own("MKL_Get_Version_String", "void", ["uint8_t *", "int"]);
  if (versionOf) {
    const text = new Uint8Array(200);
    versionOf(text, text.length);
    const read = library.own("MKL_Get_Max_Threads", "int", []);
    const write = library.own("MKL_Set_Num_Threads", "void", ["int"]);
    return {
      name: "mkl",
      version: new TextDecoder().decode(text).replace(/\0.*$/s, "").trim(),
      threads: () => (read ? Number(read()) : undefined),
      setThreads: (threads) => void write?.(threads),
    };
  }
  const version = expected === "accelerate" ? `Accelerate of Darwin ${release()}` : "unknown version";
  return { name: expected === "accelerate" ? expected : "blas", version, threads: () => undefined, setThreads() {} };
}
