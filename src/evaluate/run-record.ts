import { type ModelIdentity, toIdentity } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { mismatch } from "../errors.ts";
import { checkRecord, type Schema } from "../maps/check-record.ts";

/** A model as a result names it: which file it was, and its size. */
export interface RunModel extends ModelIdentity {
  readonly parameters: number;
  readonly sizeBytes: number;
  /** Tokens of the vocabulary. */
  readonly vocabulary: number;
}

/** What was asked of a run and what it was made with: stands in every result on disk, under `run`. */
export interface RunRecord {
  readonly title: string;
  /** What was asked, in a sentence or two of the author's own. */
  readonly question?: string;
  /** ISO 8601, if the caller says so. */
  readonly createdAt?: string;
  readonly elapsedMs?: number;
  readonly seed: number;
  /** The line that makes it again. */
  readonly command?: string;
  /** Programs and their versions: Trimtab, llama.cpp, Node.js … */
  readonly software: readonly { readonly name: string; readonly version: string }[];
  readonly models: readonly { readonly role: ModelRole; readonly model: RunModel }[];
  /** What a reader must know before believing the numbers. */
  readonly warnings: readonly string[];
}

/** `source`: where vectors come from; `target`: the model that is steered. */
export type ModelRole = "source" | "target";

const modelSchema: Schema = {
  name: "string",
  sha256: "string",
  architecture: "string",
  width: "count",
  blocks: "count",
  quantisation: "string",
  tokenizerFingerprint: "string",
  parameters: "count",
  sizeBytes: "count",
  vocabulary: "count",
};

const schema: Schema = {
  title: "string",
  "question?": "string",
  "createdAt?": "string",
  "elapsedMs?": "number",
  seed: "count",
  "command?": "string",
  software: [{ name: "string", version: "string" }],
  models: [{ role: "string", model: modelSchema }],
  warnings: ["string"],
};

/** A model as results name it. */
export async function toRunModel(model: Pick<OpenModel, "description" | "sha256">): Promise<RunModel> {
  const { parameters, sizeBytes, vocabulary } = model.description;
  return { ...toIdentity(model.description, await model.sha256()), parameters, sizeBytes, vocabulary };
}

/** Checks a model parsed from JSON. @throws bad-input naming the first field that does not fit */
export function checkRunModel(value: unknown, where: string): RunModel {
  return checkRecord(value, modelSchema, where) as RunModel;
}

/** Checks a run record parsed from JSON; fields that none has are left out. @throws bad-input naming the first field that does not fit */
export function checkRunRecord(value: unknown, where: string): RunRecord {
  const run = checkRecord(value, schema, where) as RunRecord;
  run.models.forEach(({ role }, at) => {
    if (role !== "source" && role !== "target")
      throw mismatch("bad-input", `${where}.models[${at}].role`, "source or target", JSON.stringify(role));
  });
  return run;
}
