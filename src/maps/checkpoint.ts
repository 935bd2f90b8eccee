import { TrimtabError } from "../errors.ts";
import { removeTemporaries } from "../formats/write-file.ts";
import type { CheckpointOptions } from "./collect-moments.ts";
import type { Collection } from "./collection.ts";
import { readCollection, writeCollection } from "./collection-file.ts";

/** A collection's save file while it grows. */
export interface Checkpoint {
  readonly path: string;
  /** What an earlier run left; undefined for a fresh start. */
  readonly start: Collection | undefined;
  /** Saves if it is time to. */
  save(collection: () => Collection, signal: AbortSignal | undefined): Promise<void>;
}

const defaultEveryMs = 60_000;
/** Saving takes at most one part in so many of the time. */
const share = 20;

/** Opens a checkpoint: reads what is there, and from then on saves at most every so often. Without options nothing is saved. */
export async function openCheckpoint(options: CheckpointOptions | undefined): Promise<Checkpoint> {
  if (!options) return { path: "", start: undefined, save: async () => undefined };
  const { path, everyMs = defaultEveryMs, clock } = options;
  // A process killed while it saved left half a file under a temporary name.
  await removeTemporaries(path);
  const start = await readIfThere(path);
  let [last, took] = [clock(), 0];
  return {
    path,
    start,
    async save(collection, signal) {
      const before = clock();
      if (before - last < Math.max(everyMs, share * took)) return;
      await writeCollection(path, collection(), { signal });
      last = clock();
      took = last - before;
    },
  };
}

async function readIfThere(path: string): Promise<Collection | undefined> {
  try {
    return await readCollection(path);
  } catch (error) {
    if (error instanceof TrimtabError && error.code === "not-found") return undefined;
    throw error;
  }
}
