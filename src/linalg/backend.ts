import { TrimtabError } from "../errors.ts";
import type { Blas, BlasName, Lapack } from "./blas/blas.ts";
import { type BlasEnvironment, resolveBlasChoice } from "./blas/find-blas.ts";
import { loadLibrary } from "./blas/native-library.ts";
import { openBlas } from "./blas/open-blas.ts";
import { describePortableKernel, setPortableThreads } from "./portable/portable-kernel.ts";
import { chosenThreads } from "./threads.ts";

/** What computes the matrix products, for people and for bug reports. */
export interface LinalgDescription {
  readonly library: BlasName | "portable";
  /** What the library says of itself, or which portable kernel is in use and what keeps it from a faster one. */
  readonly version: string;
  /** The file that was loaded, or the name that the system's loader looked up. */
  readonly path: string | undefined;
  /** Threads, or undefined where the library does not say. */
  readonly threads: number | undefined;
  /** Whether factorisations run in the library too. */
  readonly lapack: boolean;
  /** Libraries that were found but do not fit, and why. */
  readonly refused: readonly string[];
}

interface Backend {
  readonly blas: Blas | undefined;
  /** Threads that the library uses if nobody says otherwise; undefined where it does not say. */
  readonly ownThreads?: number | undefined;
  readonly refused: readonly string[];
}

/**
 * Products of fewer multiplications than this stay in TypeScript: a call into the library costs about 0.4 µs, as long as the plain loop
 * takes for 8 x 8 x 8 of them.
 */
const worthCalling = 8 ** 3;
/**
 * Work of fewer multiplications than this is done by one thread, in about a millisecond: waking the others, who may have been sent to sleep
 * or wait for a core, was seen to take longer.
 */
const worthSharing = 2 ** 25;

let backend: Backend | undefined;
let appliedThreads: number | undefined;
/** Threads that the library was told to use last. */
let sharedBy: number | undefined;

/**
 * Chooses what computes from now on: a value of `TRIMTAB_BLAS`, which decides if this is never called.
 *
 * @throws usage if the choice is neither a known name nor a path
 * @throws not-found if a library was named and is not there
 * @throws incompatible if a library was named and does not fit
 */
export function useLinalg(
  choice: string | undefined = process.env["TRIMTAB_BLAS"],
  environment: BlasEnvironment = { platform: process.platform, env: process.env },
): void {
  backend = openBackend(choice, environment);
  appliedThreads = undefined;
  sharedBy = undefined;
}

/** Says what computes the matrix products. Loads the library if nothing has needed it yet. @throws as `useLinalg` */
export function describeLinalg(): LinalgDescription {
  const { blas, refused } = openOnce();
  if (!blas) {
    const { kernel, threads, trouble } = describePortableKernel();
    const version = `${kernel === "wasm" ? "WebAssembly" : "TypeScript"} kernel${trouble ? ` (${trouble})` : ""}`;
    return { library: "portable", version, path: undefined, threads, lapack: false, refused };
  }
  const { name, version, path, lapack } = blas;
  const threads = chosenThreads() ?? openOnce().ownThreads;
  return { library: name, version, path, threads, lapack: lapack !== undefined, refused };
}

/** The system library if one is in use and `multiplications` are worth a call into it. */
export function blasFor(multiplications: number): Blas | undefined {
  if (multiplications < worthCalling) return undefined;
  const { blas, ownThreads } = openOnce();
  if (!blas || ownThreads === undefined) return blas;
  const threads = multiplications < worthSharing ? 1 : (chosenThreads() ?? ownThreads);
  if (threads !== sharedBy) blas.setThreads(threads);
  sharedBy = threads;
  return blas;
}

/** The same for a factorisation. */
export function lapackFor(multiplications: number): Lapack | undefined {
  return blasFor(multiplications)?.lapack;
}

function openOnce(): Backend {
  if (!backend) useLinalg();
  const current = backend as Backend;
  const threads = chosenThreads();
  if (threads !== appliedThreads && threads !== undefined) {
    current.blas?.setThreads(threads);
    sharedBy = threads;
    setPortableThreads(threads);
    appliedThreads = threads;
  }
  return current;
}

function openBackend(choice: string | undefined, environment: BlasEnvironment): Backend {
  const { kind, candidates } = resolveBlasChoice(choice, environment);
  if (kind === "portable") return { blas: undefined, refused: [] };
  const refused: string[] = [];
  let loaderSays: string | undefined;
  for (const { name, path } of candidates) {
    const handle = loadLibrary(path);
    if (typeof handle === "string") {
      loaderSays ??= handle;
      continue;
    }
    try {
      const blas = openBlas(handle, path, name);
      return { blas, ownThreads: blas.threads(), refused };
    } catch (error) {
      if (!(error instanceof TrimtabError) || kind === "named") throw error;
      refused.push(error.message);
    }
  }
  if (kind === "named")
    throw new TrimtabError(
      "not-found",
      `TRIMTAB_BLAS: expected the library ${choice}, found none${loaderSays ? `: ${loaderSays}` : " for this platform"}`,
      { hint: "install it, give its full path, or unset TRIMTAB_BLAS" },
    );
  return { blas: undefined, refused };
}
