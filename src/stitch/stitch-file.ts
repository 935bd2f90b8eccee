import type { ModelIdentity } from "../engine/description.ts";
import { formatSite, parseSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.ts";
import type { WriteFileOptions } from "../formats/write-file.ts";
import { checkMatrix } from "../linalg/matrix.ts";
import { checkRecord, type Schema } from "../maps/check-record.ts";
import { formatMapModel, parseJson, parseMapModel } from "../maps/map-record.ts";
import { checkKind, float64Tensor } from "../maps/tensor-file.ts";
import type { StitchMap } from "./stitched-model.ts";

/** How a map was tuned on the loss of the stitched model, and what that brought on documents that took no part. */
export interface TuningRecord {
  readonly corpus: string;
  readonly seed: number;
  readonly documents: { readonly tuning: number; readonly validation: number; readonly heldOut: number };
  readonly tokens: { readonly tuning: number; readonly heldOut: number };
  /** Share of each round's step that was kept, and the validation loss after it, nats per token. */
  readonly rounds: readonly { readonly kept: number; readonly validationNats: number }[];
  /** On the held-out documents, nats per token: the map before and after, and the source model alone. */
  readonly heldOut: { readonly plainNats: number; readonly tunedNats: number; readonly sourceNats: number };
  readonly version: string;
}

/** A map that was tuned for stitching. It is no longer the map of least squares: its scores as one would not hold. */
export interface TunedStitch extends StitchMap {
  readonly sources: readonly { readonly site: StitchMap["target"]["site"]; readonly model: ModelIdentity }[];
  readonly target: { readonly site: StitchMap["target"]["site"]; readonly model: ModelIdentity };
  readonly tuning: TuningRecord;
}

const kind = "trimtab-stitch";

const schema: Schema = {
  sources: ["string"],
  target: "string",
  tuning: {
    corpus: "string",
    seed: "count",
    documents: { tuning: "count", validation: "count", heldOut: "count" },
    tokens: { tuning: "count", heldOut: "count" },
    rounds: [{ kept: "number", validationNats: "number" }],
    heldOut: { plainNats: "number", tunedNats: "number", sourceNats: "number" },
    version: "string",
  },
};

/**
 * Writes a tuned map as safetensors: F64 tensors `A` `[dTarget, dSource]` and `p` `[dTarget]`; format, version, both models, sites and how it was
 * tuned in the metadata.
 *
 * @throws io, aborted
 */
export async function writeTunedStitch(path: string, map: TunedStitch, options: WriteFileOptions = {}): Promise<void> {
  const { A, p, sources, target, tuning } = map;
  const record = { sources: sources.map(({ site }) => formatSite(site)), target: formatSite(target.site), tuning };
  const metadata = new Map([
    ["format", kind],
    ["version", "1"],
    ["source", formatMapModel(sources[0]!.model)],
    ["target", formatMapModel(target.model)],
    ["stitch", JSON.stringify(record)],
  ]);
  const tensors = new Map([
    ["A", { shape: [A.rows, A.cols], data: A.data }],
    ["p", { shape: [p.length], data: p }],
  ]);
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads what {@link writeTunedStitch} wrote.
 *
 * @throws bad-input naming the field, or what the file is instead; unsupported for another version; not-found, io
 */
export async function readTunedStitch(path: string): Promise<TunedStitch> {
  const file = await readSafetensors(path);
  checkKind(file, kind, path);
  const field = (name: string): string => {
    const value = file.metadata.get(name);
    if (value === undefined) throw mismatch("bad-input", path, `metadata ${name}`, "none");
    return value;
  };
  const [source, target] = ["source", "target"].map((end) => parseMapModel(field(end), `${path}: ${end}`));
  const record = checkRecord(parseJson(field("stitch"), path), schema, `${path}: stitch`) as {
    sources: string[];
    target: string;
    tuning: TuningRecord;
  };
  const matrix = float64Tensor(file, "A", 2, path);
  const [rows = 0, cols = 0] = matrix.shape;
  const A = checkMatrix({ rows, cols, data: matrix.data }, `${path}: A`);
  const p = float64Tensor(file, "p", 1, path).data;
  if (
    record.sources.length === 0 ||
    cols !== record.sources.length * source!.width ||
    rows !== target!.width ||
    p.length !== rows
  )
    throw mismatch(
      "bad-input",
      path,
      `a map from ${record.sources.length} layers of width ${source!.width} to ${target!.width}`,
      `${rows} x ${cols} and ${p.length}`,
    );
  return {
    A,
    p,
    sources: record.sources.map((site) => ({ site: parseSite(site), model: source! })),
    target: { site: parseSite(record.target), model: target! },
    tuning: record.tuning,
  };
}
