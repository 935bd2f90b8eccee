import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { blasFor, describeLinalg, useLinalg } from "../../src/linalg/backend.ts";
import type { Blas } from "../../src/linalg/blas/blas.ts";
import { resolveBlasChoice } from "../../src/linalg/blas/find-blas.ts";
import { checkBlas } from "../../src/linalg/blas/self-check.ts";
import { factorCholesky, solveCholesky } from "../../src/linalg/cholesky.ts";
import { symmetricEigen } from "../../src/linalg/eigen.ts";
import { addProduct } from "../../src/linalg/kernel.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { gram, multiply, toView } from "../../src/linalg/multiply.ts";
import { svd } from "../../src/linalg/svd.ts";
import { linalgThreads, setLinalgThreads } from "../../src/linalg/threads.ts";
import { describeWithBlas, withBackend } from "./backends.ts";
import { distance, gaussian } from "./fixture.ts";

const nowhere = { platform: "linux", env: {} } as const;

test("resolveBlasChoice(choice) reads names and paths and refuses the rest", () => {
  const auto = resolveBlasChoice(undefined, nowhere);
  expect(auto.kind).toBe("auto");
  expect(auto.candidates.map(({ path }) => path)).toContain("libopenblas.so.0");
  expect(resolveBlasChoice(" auto ", nowhere)).toEqual(auto);
  expect(resolveBlasChoice("", nowhere)).toEqual(auto);
  expect(resolveBlasChoice("portable", nowhere)).toEqual({ kind: "portable", candidates: [] });
  expect(resolveBlasChoice("./my.so", nowhere).candidates).toEqual([{ name: "blas", path: "./my.so" }]);
  expect(resolveBlasChoice("libblis.so.4", nowhere).kind).toBe("named");
  expect(() => resolveBlasChoice("openbals", nowhere)).toThrow(
    "TRIMTAB_BLAS: expected auto, portable, openblas, mkl, accelerate or the path of a library, got openbals",
  );
});

test("resolveBlasChoice(auto) never tries MKL or the reference BLAS, and tries Accelerate first on macOS alone", () => {
  for (const platform of ["linux", "darwin", "win32"] as const) {
    const paths = resolveBlasChoice("auto", { platform, env: { MKLROOT: "/mkl", CONDA_PREFIX: "/conda" } }).candidates;
    expect(paths.filter(({ path }) => /mkl|libblas/.test(path))).toEqual([]);
    expect(paths[0]!.name).toBe(platform === "darwin" ? "accelerate" : "openblas");
  }
});

test("resolveBlasChoice(mkl) looks in MKLROOT and CONDA_PREFIX after the system's own search path", () => {
  const env = { MKLROOT: "/mkl", CONDA_PREFIX: "/conda" };
  const paths = resolveBlasChoice("mkl", { platform: "linux", env }).candidates.map(({ path }) => path);
  expect(paths[0]).toBe("libmkl_rt.so.2");
  expect(paths).toContain("/mkl/lib/libmkl_rt.so.2");
  expect(paths).toContain("/conda/lib/libmkl_rt.so.2");
});

test("useLinalg(choice) refuses a named library that is not there, and auto goes on without", () => {
  try {
    expect(() => useLinalg("/nowhere/libopenblas.so.0")).toThrow(/TRIMTAB_BLAS: expected the library \/nowhere/);
    expect(() => useLinalg("accelerate", nowhere)).toThrow(/found none for this platform/);
    useLinalg("auto", { platform: "win32", env: {} }); // its names do not exist on other systems
    if (process.platform !== "win32") expect(describeLinalg()).toMatchObject({ library: "portable", lapack: false });
  } finally {
    useLinalg();
  }
});

const linuxOnly = process.platform === "linux" && existsSync("/lib/x86_64-linux-gnu/libm.so.6");
test.skipIf(!linuxOnly)("useLinalg(path) refuses a library that is no BLAS [needs libm.so.6 of Linux on x64]", () => {
  expect(() => useLinalg("/lib/x86_64-linux-gnu/libm.so.6")).toThrow(/expected the functions cblas_dgemm and dscal_/);
  useLinalg();
});

test("setLinalgThreads(n) refuses what is no count of threads", () => {
  for (const count of [0, -1, 1.5, Number.NaN])
    expect(() => setLinalgThreads(count)).toThrow(/linalg threads: expected/);
});

describeWithBlas("a system BLAS", (choice) => {
  test("checkBlas(blas) refuses each function that answers wrongly, by name", () => {
    withBackend(choice, () => {
      const blas = blasFor(1e6)!;
      const { lapack } = blas;
      checkBlas(blas);
      const broken: [Partial<Blas>, RegExp][] = [
        [{ addProduct: () => {} }, /product A Bᵀ/],
        [{ addProduct: (C, A, B, size) => blas.addProduct(C, A, B, size) }, /product A Bᵀ/],
        [{ addTransposedProduct: () => {} }, /product Aᵀ B/],
        [{ addPlainProduct: () => {} }, /product A B /],
        [{ solveTriangular: (X, L, size) => blas.solveTriangular(X, L, size) }, /solution of X L = B/],
        [{ lapack: { ...lapack!, factorCholesky: (S, n) => lapack!.factorCholesky(S, n) + 1 } }, /Cholesky factor/],
        [{ lapack: { ...lapack!, symmetricEigen: () => undefined } }, /eigenvalues/],
        [{ lapack: { ...lapack!, svd: (A, m, n) => lapack!.svd(A, n, m) } }, /singular value/],
      ];
      for (const [part, message] of broken) expect(() => checkBlas({ ...blas, ...part })).toThrow(message);
    });
  });

  test("addProduct(C, A, B) refuses a view that reaches beyond its array instead of reading there", () => {
    withBackend(choice, () => {
      const A = gaussian(20, 20, 1);
      const beyond = { data: A.data, offset: 1, stride: 20 };
      expect(() => addProduct(toView(createMatrix(20, 20)), beyond, toView(A), { m: 20, n: 20, k: 20 })).toThrow(
        /internal: a view of 20 x 20 at 1/,
      );
    });
  });

  test("setLinalgThreads(n) holds for the library from the next product on, and linalgThreads() says it", () => {
    withBackend(choice, () => {
      const before = linalgThreads();
      setLinalgThreads(1);
      expect(linalgThreads()).toBe(1);
      // Accelerate does not say.
      expect([1, undefined]).toContain(describeLinalg().threads);
      setLinalgThreads(before);
      expect([before, undefined]).toContain(describeLinalg().threads);
    });
  });

  test("every factorisation gives portable results to rounding", () => {
    const A = gaussian(60, 90, 2);
    const all = (): Float64Array[] => {
      const S = gram(A);
      const factor = factorCholesky(S);
      if (!factor.isPositiveDefinite) throw new Error("not positive definite");
      return [S.data, factor.L.data, solveCholesky(factor.L, S).data, symmetricEigen(S).values, svd(A).s];
    };
    const portable = withBackend("portable", all);
    // Entries up to 150 and a condition of about 100: 150 · 100 · eps · a few.
    withBackend(choice, all).forEach((values, i) => {
      expect(distance(values, portable[i]!)).toBeLessThan(1e-10);
    });
  });
});

/** The OpenBLAS inside the Python package of numpy: 64-bit integers and symbols of another spelling. */
function numpyLibrary(): string | undefined {
  const python = process.env["TRIMTAB_PYTHON"] ?? "python3";
  try {
    const code = "import numpy; print(numpy.__file__)";
    const stdio = ["ignore", "pipe", "ignore"] as const;
    const file = execFileSync(python, ["-c", code], { encoding: "utf8", stdio: [...stdio] }).trim();
    const folder = join(dirname(dirname(file)), "numpy.libs");
    const name = existsSync(folder) ? readdirSync(folder).find((entry) => /openblas64_/.test(entry)) : undefined;
    return name && join(folder, name);
  } catch {
    return undefined; // no Python or no numpy: the title of the skipped test says so
  }
}

const library = numpyLibrary();
test.skipIf(!library)(
  "useLinalg(path) computes with a BLAS of 64-bit integers [needs a numpy wheel, TRIMTAB_PYTHON]",
  () => {
    withBackend(library!, () => {
      expect(blasFor(1e6)!.integerBits).toBe(64);
      expect(describeLinalg()).toMatchObject({ library: "openblas", lapack: true });
      const A = gaussian(40, 70, 3);
      const { U, s, Vt } = svd(A);
      const scaled = Vt.data.map((value, at) => value * s[Math.floor(at / 70)]!);
      expect(distance(multiply(U, createMatrix(40, 70, scaled)).data, A.data)).toBeLessThan(1e-12);
      expect(symmetricEigen(gram(A)).values[39]! - s[39]! ** 2).toBeLessThan(1e-11);
    });
  },
);
