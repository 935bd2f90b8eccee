import { join } from "node:path";
import { mismatch } from "../../errors.ts";
import type { BlasName } from "./blas.ts";

/** What `TRIMTAB_BLAS` may say besides a path. */
const choices = ["auto", "portable", "openblas", "mkl", "accelerate"] as const;

/** A library to try: what it should be, and the file or the name that the system's loader looks up. */
export interface BlasCandidate {
  readonly name: BlasName;
  readonly path: string;
}

/** Where to look. */
export interface BlasEnvironment {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How free the choice is: `named` libraries must be there, `auto` takes the first that fits or none, `portable` wants none. */
export interface BlasChoice {
  readonly kind: "auto" | "named" | "portable";
  readonly candidates: readonly BlasCandidate[];
}

/**
 * Reads a choice (the value of `TRIMTAB_BLAS`) into the libraries to try, best first.
 *
 * `auto` tries Accelerate on macOS and OpenBLAS everywhere. Not MKL, because a broken installation of it ends the process instead of
 * reporting an error; and not `libblas.so.3`, because the reference BLAS of that name is slower than the portable kernel, and where it is
 * a link to OpenBLAS that has been found by its own name.
 *
 * @throws usage if it is neither a known name nor a path
 */
export function resolveBlasChoice(choice: string | undefined, { platform, env }: BlasEnvironment): BlasChoice {
  const value = choice?.trim() || "auto";
  if (value === "portable") return { kind: "portable", candidates: [] };
  if (value === "auto") {
    const order = platform === "darwin" ? (["accelerate", "openblas"] as const) : (["openblas"] as const);
    return { kind: "auto", candidates: order.flatMap((name) => candidatesOf(name, { platform, env })) };
  }
  if (value === "openblas" || value === "mkl" || value === "accelerate")
    return { kind: "named", candidates: candidatesOf(value, { platform, env }) };
  if (/[/\\]|\.(so|dll|dylib)\b/.test(value)) return { kind: "named", candidates: [{ name: "blas", path: value }] };
  throw mismatch("usage", "TRIMTAB_BLAS", `${choices.join(", ")} or the path of a library`, value);
}

function candidatesOf(name: "openblas" | "mkl" | "accelerate", environment: BlasEnvironment): BlasCandidate[] {
  return pathsOf(name, environment).map((path) => ({ name, path }));
}

function pathsOf(name: "openblas" | "mkl" | "accelerate", { platform, env }: BlasEnvironment): string[] {
  if (name === "accelerate")
    return platform === "darwin" ? ["/System/Library/Frameworks/Accelerate.framework/Accelerate"] : [];
  const system = platform === "darwin" || platform === "win32" ? platform : "linux";
  const names = files[name][system];
  const conda = env["CONDA_PREFIX"];
  const condaFolders = conda ? [system === "win32" ? join(conda, "Library", "bin") : join(conda, "lib")] : [];
  const mklRoot = env["MKLROOT"];
  const mklFolders = mklRoot ? [join(mklRoot, system === "win32" ? "bin" : "lib")] : [];
  const folders = [...condaFolders, ...(name === "mkl" ? [...mklFolders, ...mklHomes[system]] : homes[system])];
  // Bare names come first: the system's own search path, which the user can set.
  return [...names, ...folders.flatMap((folder) => names.map((file) => join(folder, file)))];
}

/**
 * Names of the files. Fedora's `libopenblas.so.0` computes with one thread and `libopenblasp` with all, so the latter comes first; a
 * library with 64-bit integers serves as well.
 */
const files = {
  openblas: {
    linux: ["libopenblasp.so.0", "libopenblas.so.0", "libopenblaso.so.0", "libopenblas.so", "libopenblas64.so.0"],
    darwin: ["libopenblas.0.dylib", "libopenblas.dylib"],
    win32: ["libopenblas.dll", "openblas.dll"],
  },
  mkl: {
    linux: ["libmkl_rt.so.2", "libmkl_rt.so"],
    darwin: ["libmkl_rt.2.dylib", "libmkl_rt.dylib"],
    win32: ["mkl_rt.2.dll", "mkl_rt.dll"],
  },
} as const;

const homes = {
  linux: [],
  darwin: ["/opt/homebrew/opt/openblas/lib", "/usr/local/opt/openblas/lib", "/opt/local/lib"],
  win32: [],
} as const;

const mklHomes = {
  linux: ["/opt/intel/oneapi/mkl/latest/lib"],
  darwin: ["/opt/intel/oneapi/mkl/latest/lib"],
  win32: [],
} as const;
