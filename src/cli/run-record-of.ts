import {
  type EngineModel,
  engineRelease,
  type RunModel,
  type RunRecord,
  toIdentity,
  trimtabVersion,
} from "../index.ts";
import type { Effects } from "./effects.ts";

export interface RunRecordOptions {
  readonly title: string;
  readonly seed: number;
  /** The effects' clock when the command began, milliseconds. */
  readonly start: number;
  readonly warnings: readonly string[];
}

/** The record of a run on one model, now. */
export async function runRecordOf(
  model: EngineModel,
  effects: Effects,
  { title, seed, start, warnings }: RunRecordOptions,
): Promise<RunRecord> {
  return {
    title,
    createdAt: new Date(start).toISOString(),
    elapsedMs: effects.clock() - start,
    seed,
    software: [
      { name: "trimtab", version: trimtabVersion() },
      { name: "llama.cpp", version: engineRelease },
      { name: "node", version: process.version },
    ],
    models: [{ role: "target", model: await toRunModel(model) }],
    warnings,
  };
}

async function toRunModel(model: EngineModel): Promise<RunModel> {
  const { parameters, sizeBytes, vocabulary } = model.description;
  return { ...toIdentity(model.description, await model.sha256()), parameters, sizeBytes, vocabulary };
}
