import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineModel, writeUntrainedCopy } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Effects } from "./effects.ts";
import { openModelOf } from "./open-model.ts";
import type { Progress } from "./progress.ts";

/** An untrained copy of a model, open; disposing closes it and removes its file. */
export interface OpenUntrained extends AsyncDisposable {
  readonly model: EngineModel;
}

/** Writes an untrained copy of a model into the system's folder for temporary files and opens it. */
export async function openUntrained(
  { description }: EngineModel,
  args: Arguments,
  effects: Effects,
  {
    progress,
    context,
    seed,
  }: { readonly progress: Progress; readonly context: number | undefined; readonly seed: number },
): Promise<OpenUntrained> {
  const folder = await mkdtemp(join(tmpdir(), "trimtab-untrained-"));
  const discard = () => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "untrained.gguf");
    progress.note("writing an untrained copy of the source");
    await writeUntrainedCopy(description.path, path, { seed, signal: effects.signal });
    const model = await openModelOf(path, args, effects, { progress, context });
    return {
      model,
      async [Symbol.asyncDispose]() {
        // However the model ends, its file goes.
        try {
          await model.close();
        } finally {
          await discard();
        }
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}
