import { type DownloadProgress, type EngineModel, type LoraChoice, openReference } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Effects } from "./effects.ts";
import { threadsOf } from "./flags.ts";
import { toPlainText } from "./plain-text.ts";
import type { Progress } from "./progress.ts";

const libraries = ["auto", "cpu", "cuda", "vulkan", "metal"] as const;

export interface OpenModelOptions {
  readonly progress: Progress;
  /** Longest sequence that will be run, tokens; the engine's own default if left out. */
  readonly context?: number | undefined;
  /** Threads, whatever `--threads` says: for commands that run several models side by side. */
  readonly threads?: number;
  /** Low-rank adapters to open it with. */
  readonly lora?: readonly LoraChoice[];
}

/** Opens the model that a command line names, with its `modelFlags`, showing what is fetched. */
export async function openModelOf(
  reference: string,
  args: Arguments,
  effects: Effects,
  { progress, context, threads = threadsOf(args), lora }: OpenModelOptions,
): Promise<EngineModel> {
  const gpuLayers = args.whole("gpu-layers", -1, 100_000);
  const variant = args.choice("library", libraries);
  try {
    return await openReference(reference, {
      env: effects.env,
      signal: effects.signal,
      onProgress: (download) => showDownload(progress, download),
      // Not a note of the progress, which --quiet and --json leave out: the file may be older than the user thinks.
      onNotice: (text) => {
        progress.finish();
        effects.stderr.write(toPlainText(`warning: ${text}\n`));
      },
      ...(args.isSet("offline") && { offline: true }),
      ...(threads !== undefined && { threads }),
      ...(context !== undefined && { context }),
      ...(gpuLayers !== undefined && { gpuLayers }),
      ...(variant !== undefined && { variant }),
      ...(lora !== undefined && { lora }),
    });
  } finally {
    progress.finish();
  }
}

/** Shows one step of a download. */
export function showDownload(progress: Progress, step: DownloadProgress): void {
  const { phase, file, part, parts, doneBytes, totalBytes } = step;
  const name = `${file.split("/").at(-1)}${parts > 1 ? ` (${part} of ${parts})` : ""}`;
  if (phase === "wait")
    progress.update({ label: `another process is fetching ${name}`, done: 0, total: undefined, unit: "bytes" });
  else
    progress.update({
      label: `${phase === "check" ? "checking" : "fetching"} ${name}`,
      done: doneBytes,
      total: totalBytes,
      unit: "bytes",
    });
}
