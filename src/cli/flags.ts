import { availableParallelism } from "node:os";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";

// Options that mean the same in every command are written once.

/** How results are shown: every command has these. */
export const shownFlags: Readonly<Record<"json" | "quiet" | "help", Flag>> = {
  json: { type: "boolean", description: "print the result, and any error, as JSON on stdout" },
  quiet: { type: "boolean", short: "q", description: "no progress" },
  help: { type: "boolean", short: "h", description: "print this" },
};

/** How models are opened. */
export const modelFlags: Readonly<Record<"threads" | "gpu-layers" | "library" | "offline", Flag>> = {
  threads: { type: "string", value: "N", description: "threads to compute with, of those there are", default: "all" },
  "gpu-layers": { type: "string", value: "N", description: "blocks to compute on the GPU, -1 for all", default: "-1" },
  library: {
    type: "string",
    value: "NAME",
    description: "build of the engine: auto, cpu, cuda, vulkan or metal",
    default: "auto",
  },
  offline: { type: "boolean", description: "fetch nothing; use only models that are already here" },
};

/** Where chance enters. */
export const seedFlag: Readonly<Record<"seed", Flag>> = {
  seed: { type: "string", value: "N", description: "seed of everything that is drawn at random", default: "0" },
};

/** Commands that write a file. */
export const outputFlags: Readonly<Record<"output" | "force", Flag>> = {
  output: { type: "string", short: "o", value: "FILE", description: "file to write" },
  force: { type: "boolean", short: "f", description: "replace the file if it is there" },
};

/**
 * The threads of a command line, never more than there are: beyond that the engine's threads wait for one another by spinning, and a
 * minute's work takes an hour. Undefined unless given.
 */
export function threadsOf(args: Arguments): number | undefined {
  const asked = args.whole("threads", 1, 1024);
  return asked === undefined ? undefined : Math.min(asked, availableParallelism());
}

/** The seed of a command line; 0 unless given. */
export function seedOf(args: Arguments): number {
  return args.whole("seed", 0, 0xffff_ffff) ?? 0;
}

/** True if neither bars nor notes should appear. */
export function isSilent(args: Arguments): boolean {
  return args.isSet("quiet") || args.isSet("json");
}
