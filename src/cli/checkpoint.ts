import { rm } from "node:fs/promises";
import { mismatch } from "../errors.ts";
import { type CheckpointOptions, removeTemporaries } from "../index.ts";
import type { Effects } from "./effects.ts";

/** Where a command that collects rows saves them until its output is written. */
export interface OutputCheckpoint {
  readonly options: CheckpointOptions;
  /** Removes it, and what killed runs left of the output half-written: once the output stands they have served. */
  remove(): Promise<void>;
}

/**
 * The save file of a long run: `<output>.partial`, beside the output, where there is room for it and where the same command finds it.
 * Saved about once a minute; `TRIMTAB_CHECKPOINT_MS` sets another pause, 0 for none, which tests use.
 *
 * @throws usage for a pause that is no whole number of at least 0
 */
export function checkpointOf(output: string, { env, clock }: Effects): OutputCheckpoint {
  const path = `${output}.partial`;
  const pause = env["TRIMTAB_CHECKPOINT_MS"];
  if (pause !== undefined && !/^\d{1,9}$/.test(pause))
    throw mismatch("usage", "TRIMTAB_CHECKPOINT_MS", "whole milliseconds", JSON.stringify(pause));
  return {
    options: { path, clock, ...(pause !== undefined && { everyMs: Number(pause) }) },
    async remove() {
      await removeTemporaries(output);
      await rm(path, { force: true });
    },
  };
}
