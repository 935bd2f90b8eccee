import type { EngineModel } from "../engine/engine-model.ts";
import { type OpenOptions, openModel } from "../engine/open.ts";
import type { ModelReference } from "./reference.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";
import { checkNotAborted } from "./retry.ts";

export interface OpenReferenceOptions extends ResolveOptions, OpenOptions {}

/**
 * Opens a model by reference: {@link resolveModel}, then the engine's `openModel`. The signal stops the fetching and the
 * first opening of an unknown file; loading itself is not interrupted, and an abort during it closes the model again.
 *
 * @throws what the two throw; aborted
 * @example
 * await using model = await openReference("demo:s");
 */
export async function openReference(
  reference: string | ModelReference,
  options: OpenReferenceOptions = {},
): Promise<EngineModel> {
  const { threads, context, gpuLayers, variant, cache, lora, ...resolving } = options;
  const { path } = await resolveModel(reference, resolving);
  checkNotAborted(options.signal);
  const model = await openModel(path, {
    ...(threads !== undefined && { threads }),
    ...(context !== undefined && { context }),
    ...(gpuLayers !== undefined && { gpuLayers }),
    ...(variant !== undefined && { variant }),
    ...(cache !== undefined && { cache }),
    ...(lora !== undefined && { lora }),
    signal: options.signal,
  });
  if (options.signal?.aborted) await model.close();
  checkNotAborted(options.signal);
  return model;
}
