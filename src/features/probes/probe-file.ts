import { formatReadPosition, parseReadPosition } from "../../activations/read-position.ts";
import { formatSite, parseSite } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "../../formats/safetensors.ts";
import type { WriteFileOptions } from "../../formats/write-file.ts";
import { checkRecord, type Schema } from "../../maps/check-record.ts";
import { parseJson, toMapModel } from "../../maps/map-record.ts";
import { checkKind, float64Tensor } from "../../maps/tensor-file.ts";
import {
  type CarriedProbe,
  checkProbe,
  type Probe,
  type ProbeKind,
  type ProbeScores,
  type ProbeTexts,
} from "./probe.ts";

const kind = "trimtab-probe";
const kinds: readonly ProbeKind[] = ["logistic", "mean-difference"];
const ways: readonly CarriedProbe["by"][] = ["backward", "forward"];

/** A probe is carried once or twice; a file that says more was made to do harm. */
const maxSteps = 16;

const schema: Schema = {
  site: "string",
  kind: "string",
  "concept?": "string",
  readAt: "string",
  parseSpecial: "boolean",
  texts: { name: "string", sha256: "string", trained: "count", heldOut: "count" },
  "lambda?": "number",
  seed: "count",
  "scores?": { model: "string", rows: "count", accuracy: "number", auroc: "number", shuffledAuroc: "number" },
  carried: [
    {
      by: "string",
      from: { name: "string", sha256: "string", site: "string" },
      map: { r2: "number", corpus: "string" },
    },
  ],
  "recalibrated?": "count",
  trimtab: "string",
};

/** The record of a file, once {@link checkRecord} has seen it. */
interface PlainRecord {
  readonly site: string;
  readonly kind: string;
  readonly concept?: string;
  readonly readAt: string;
  readonly parseSpecial: boolean;
  readonly texts: ProbeTexts;
  readonly lambda?: number;
  readonly seed: number;
  readonly scores?: ProbeScores;
  readonly carried: readonly (Omit<CarriedProbe, "by"> & { readonly by: string })[];
  readonly recalibrated?: number;
  readonly trimtab: string;
}

/**
 * Writes a probe as safetensors: F64 tensors `weights` `[width]`, `bias` `[1]` and, of a difference of means, `centre` `[width]`; format,
 * version, the model and the rest of the provenance as JSON in the metadata. What is written reads back equal, to the bit.
 *
 * @throws bad-input for a probe that is not sound; io, aborted
 */
export async function writeProbe(path: string, probe: Probe, options: WriteFileOptions = {}): Promise<void> {
  const { weights, bias, centre, site, provenance } = checkProbe(probe);
  const { model, readAt, ...rest } = provenance;
  const metadata = new Map([
    ["format", kind],
    ["version", "1"],
    ["model", JSON.stringify(model)],
    ["probe", JSON.stringify({ site: formatSite(site), readAt: formatReadPosition(readAt), ...rest })],
  ]);
  const tensors = new Map<string, Tensor>([
    ["weights", { shape: [weights.length], data: weights }],
    ["bias", { shape: [1], data: Float64Array.of(bias) }],
    ...(centre ? [["centre", { shape: [centre.length], data: centre }] as const] : []),
  ]);
  toProvenance(metadata, path); // what could not be read back is not written
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads the probe that {@link writeProbe} wrote and checks it.
 *
 * @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for a newer version, pickle, ZIP
 */
export async function readProbe(path: string): Promise<Probe> {
  const file = await readSafetensors(path);
  checkKind(file, kind, path);
  const { site, ...provenance } = toProvenance(file.metadata, path);
  const bias = float64Tensor(file, "bias", 1, path).data;
  if (bias.length !== 1) throw mismatch("bad-input", `${path}: bias`, "one number", `${bias.length}`);
  return checkProbe(
    {
      site,
      weights: float64Tensor(file, "weights", 1, path).data,
      bias: bias[0]!,
      centre: file.tensors.has("centre") ? float64Tensor(file, "centre", 1, path).data : undefined,
      provenance,
    },
    path,
  );
}

function toProvenance(metadata: ReadonlyMap<string, string>, path: string): Probe["provenance"] & Pick<Probe, "site"> {
  const json = (key: string): unknown => parseJson(metadata.get(key) ?? "", `${path}: ${key}`);
  const record = checkRecord(json("probe"), schema, `${path}: probe`) as PlainRecord;
  if (record.carried.length > maxSteps)
    throw mismatch("bad-input", `${path}: probe.carried`, `at most ${maxSteps} steps`, `${record.carried.length}`);
  const { site, readAt, concept, lambda, scores, recalibrated } = record;
  return {
    ...record,
    site: named(() => parseSite(site), `${path}: probe.site`),
    readAt: named(() => parseReadPosition(readAt), `${path}: probe.readAt`),
    kind: oneOf(record.kind, kinds, `${path}: probe.kind`),
    model: toMapModel(json("model"), `${path}: model`),
    concept,
    lambda,
    scores,
    recalibrated,
    carried: record.carried.map((step, i) => ({
      ...step,
      by: oneOf(step.by, ways, `${path}: probe.carried[${i}].by`),
    })),
  };
}

function oneOf<T extends string>(value: string, known: readonly T[], where: string): T {
  const found = known.find((each) => each === value);
  if (found === undefined)
    throw mismatch("unsupported", where, `one of ${known.join(", ")}`, JSON.stringify(value.slice(0, 60)), {
      hint: "update trimtab",
    });
  return found;
}

/** Reads a field by a reader that does not know where it stands. */
function named<T>(read: () => T, where: string): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TrimtabError)) throw cause;
    throw new TrimtabError(cause.code, `${where}: ${cause.message}`, { hint: cause.hint, cause });
  }
}
