import { homedir } from "node:os";
import { demoModelPath } from "./demo-family.ts";
import { type HubOptions, measureHubModel, resolveHubModel } from "./hub.ts";
import { resolveHubSettings } from "./hub-settings.ts";
import { checkGguf, resolveLocalModel } from "./local-model.ts";
import { formatReference, type HubReference, type ModelReference, parseReference } from "./reference.ts";

export interface ResolveOptions extends HubOptions {
  /** Where the HF_ variables are read from (default `process.env`). */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Never touch the network; overrides `HF_HUB_OFFLINE`. */
  readonly offline?: boolean | undefined;
}

/** A model on this disk. */
export interface ResolvedModel {
  /** What to open: the only file, or part 1. */
  readonly path: string;
  /** All files, part 1 first. */
  readonly files: readonly string[];
  readonly reference: ModelReference;
}

/**
 * Turns a model reference into files on this disk, fetching them from the Hugging Face Hub if need be.
 *
 * Files end up in the cache that Python's `huggingface_hub` uses too. Each is checked to start as GGUF does; fetched ones also by
 * size and digest.
 *
 * @throws usage for a reference that is none; not-found; bad-input for a directory or a file that is not GGUF; unauthorized; network;
 *   io; aborted
 * @example
 * const { path } = await resolveModel("hf:ggml-org/models/tinyllamas/stories260K.gguf");
 */
export async function resolveModel(
  reference: string | ModelReference,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  const { env = process.env, offline, ...hub } = options;
  const parsed = typeof reference === "string" ? parseReference(reference) : reference;
  const files = await resolveFiles(parsed, env, offline, hub);
  return { path: files[0]!, files, reference: parsed };
}

/**
 * Asks the hub how large a model is, bytes, without fetching it.
 *
 * @throws not-found, unauthorized, network, usage (several models fit), aborted
 */
export async function measureRemoteModel(
  reference: HubReference,
  { env = process.env, offline, ...hub }: ResolveOptions = {},
): Promise<number> {
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  return measureHubModel(reference, resolveHubSettings(env, { offline, home }), hub);
}

async function resolveFiles(
  reference: ModelReference,
  env: Readonly<Record<string, string | undefined>>,
  offline: boolean | undefined,
  hub: HubOptions,
): Promise<readonly string[]> {
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  if (reference.kind === "path") return resolveLocalModel(reference.path, home);
  if (reference.kind === "demo") return resolveLocalModel(demoModelPath(reference.name), home);
  const files = await resolveHubModel(reference, resolveHubSettings(env, { offline, home }), hub);
  for (const file of files) await checkGguf(file, formatReference(reference));
  return files;
}
