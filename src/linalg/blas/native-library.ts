import koffi, { type LibraryHandle } from "koffi";
import { mismatch } from "../../errors.ts";

/** A type in the words of koffi; `n` stands for the library's integer where it says so. */
export type NativeType = string;

/** A function of the library, bound. */
export type NativeFunction = (...args: readonly unknown[]) => unknown;

/** A loaded library with the spelling of its symbols and the width of its integers found out. */
export interface NativeLibrary {
  readonly path: string;
  readonly integerBits: 32 | 64;
  /** Binds `cblas_<name>`; `"n"` in `args` stands for the library's integer. */
  cblas(name: string, args: readonly NativeType[]): NativeFunction;
  /** Binds Fortran's `<name>_`, every argument by reference; undefined if the library lacks it. */
  fortran(name: string, args: readonly NativeType[]): NativeFunction | undefined;
  /** Binds a plain C function of the library's own; undefined if it lacks it. */
  own(name: string, result: NativeType, args: readonly NativeType[]): NativeFunction | undefined;
}

/**
 * Prefix and suffix of all symbols: plain, with 64-bit integers as most distributions mark them, and as the libraries inside the
 * Python packages of numpy and scipy carry them.
 */
const spellings = [
  { prefix: "", suffix: "" },
  { prefix: "", suffix: "64_" },
  { prefix: "scipy_", suffix: "" },
  { prefix: "scipy_", suffix: "64_" },
] as const;

/**
 * Binds to a library already loaded from `path`, whichever way it spells its symbols.
 *
 * The width of its integers is measured, not believed: a vector is scaled whose length reads as 2 in 32 bits and as a negative number
 * in 64, which asks for nothing. No error handler of the library runs, and nothing is written outside the vector.
 *
 * @throws incompatible if it has neither cblas_dgemm nor dscal_ under any known spelling
 */
export function bindLibrary(handle: LibraryHandle, path: string): NativeLibrary {
  const bind = (name: string, result: NativeType, args: readonly NativeType[]): NativeFunction | undefined => {
    try {
      return handle.func(name, result, [...args]);
    } catch (error) {
      // Koffi tells a missing symbol by an exception only; mistyped types of ours are TypeErrors and must show.
      if (error instanceof TypeError) throw error;
      return undefined;
    }
  };
  const spelling = spellings.find(
    ({ prefix, suffix }) =>
      bind(`${prefix}cblas_dgemm${suffix}`, "void", []) && bind(`${prefix}dscal_${suffix}`, "void", []),
  );
  if (!spelling)
    throw mismatch("incompatible", `BLAS ${path}`, "the functions cblas_dgemm and dscal_", "a library without them");
  const { prefix, suffix } = spelling;
  const fortran = (name: string, args: readonly NativeType[]): NativeFunction | undefined =>
    bind(`${prefix}${name}_${suffix}`, "void", args);
  const integerBits = measureIntegers(fortran("dscal", ["void *", "double *", "double *", "void *"]), path);
  const integer: NativeType = integerBits === 64 ? "int64_t" : "int32_t";
  return {
    path,
    integerBits,
    fortran,
    own: (name, result, args) => bind(`${prefix}${name}${suffix}`, result, args),
    cblas(name, args) {
      const full = `${prefix}cblas_${name}${suffix}`;
      const types = args.map((type) => (type === "n" ? integer : type));
      const bound = bind(full, "void", types);
      if (!bound) throw mismatch("incompatible", `BLAS ${path}`, `the function ${full}`, "a library without it");
      return bound;
    },
  };
}

function measureIntegers(scale: NativeFunction | undefined, path: string): 32 | 64 {
  const x = Float64Array.of(1, 1);
  scale?.(Int32Array.of(2, -1), Float64Array.of(3), x, toInteger(1));
  if (x[0] === 3 && x[1] === 3) return 32;
  if (x[0] === 1 && x[1] === 1) return 64;
  throw mismatch("incompatible", `BLAS ${path}`, "dscal_ to scale two values by 3", `${x[0]} and ${x[1]}`);
}

/** An integer by reference, right for a library of 32-bit and of 64-bit integers alike (the processor is little-endian). */
export function toInteger(value: number): Int32Array {
  return Int32Array.of(value, value < 0 ? -1 : 0);
}

/** Loads a library, or gives the loader's reason why not. */
export function loadLibrary(path: string): LibraryHandle | string {
  try {
    return koffi.load(path);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
