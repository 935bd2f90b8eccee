import { availableParallelism } from "node:os";
import { mismatch } from "../errors.ts";

let chosen: number | undefined;

/**
 * Sets how many threads matrix products and factorisations of this process may use, from the next one on. Not set, a system library
 * decides for itself (all cores, or what its own environment variable says) and the portable kernel takes all cores.
 *
 * Accelerate always decides for itself.
 *
 * @throws bad-input if it is not an integer of at least 1
 */
export function setLinalgThreads(threads: number): void {
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw mismatch("bad-input", "linalg threads", "an integer of at least 1", String(threads));
  chosen = threads;
}

/** Threads asked for by `setLinalgThreads`, else those of the machine that this process may use. */
export function linalgThreads(): number {
  return chosen ?? availableParallelism();
}

/** Threads asked for, or undefined if nobody did. */
export function chosenThreads(): number | undefined {
  return chosen;
}
