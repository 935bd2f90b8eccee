import type { ModelIdentity } from "../../engine/description.ts";
import { formatSite, parseSite } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { readSafetensors, type Safetensors, writeSafetensors } from "../../formats/safetensors.ts";
import type { WriteFileOptions } from "../../formats/write-file.ts";
import { checkMatrix, createMatrix } from "../../linalg/matrix.ts";
import type { MapEnd } from "../../maps/affine-map.ts";
import { checkRecord, type Schema } from "../../maps/check-record.ts";
import { parseJson, toMapModel } from "../../maps/map-record.ts";
import { checkKind, float64Tensor } from "../../maps/tensor-file.ts";
import type { FeatureMap } from "./feature-map.ts";

const kind = "trimtab-feature-map";

const end = { site: "string", medianNorm: "number" } as const;
const prediction = { r2: "number", cosine: { raw: "number", centred: "number" } } as const;
const schema: Schema = {
  source: end,
  target: end,
  sae: { name: "string", sha256: "string", features: "count" },
  fit: {
    lambda: "number",
    tried: [{ lambda: "number", r2: "number" }],
    seed: "count",
    corpus: { name: "string", sha256: "string", documents: "count", windows: "count" },
    rows: {
      total: "count",
      train: "count",
      validation: "count",
      heldOut: "count",
      leftOut: { first: "count", special: "count", sink: "count", unselected: "count" },
    },
    context: "count",
    meanActive: "number",
    pairs: "count",
    version: "string",
  },
  scores: {
    ...prediction,
    r2Interval: { low: "number", high: "number", level: "number", resamples: "count" },
    nulls: { mean: prediction, shuffled: prediction, tokenTable: "number" },
  },
};

/**
 * Writes a map from features to hidden states as safetensors: `B` `[features, dTarget]` and `p` `[dTarget]` (F64), `active` `[features]` (I32),
 * `largest` `[features]` (F32); in the metadata format, version, both models and the record as JSON. What is written reads back equal.
 *
 * @throws bad-input for numbers that are not finite; io, aborted
 */
export async function writeFeatureMap(path: string, map: FeatureMap, options: WriteFileOptions = {}): Promise<void> {
  const { source, target, sae, fit, scores } = map;
  checkShapes(map, path);
  const plainEnd = ({ site, medianNorm }: MapEnd) => ({ site: formatSite(site), medianNorm });
  const record = { source: plainEnd(source), target: plainEnd(target), sae, fit, scores };
  const metadata = new Map([
    ["format", kind],
    ["version", "1"],
    ["source", JSON.stringify(toMapModel(source.model, "source model"))],
    ["target", JSON.stringify(toMapModel(target.model, "target model"))],
    ["record", JSON.stringify(checkRecord(record, schema, "record"))],
  ]);
  const { features } = sae;
  await writeSafetensors(
    path,
    new Map([
      ["B", { shape: [features, map.B.cols], data: map.B.data }],
      ["p", { shape: [map.p.length], data: map.p }],
      ["active", { shape: [features], data: map.active }],
      ["largest", { shape: [features], data: map.largest }],
    ]),
    metadata,
    options,
  );
}

/** Reads what {@link writeFeatureMap} wrote. @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for a newer version */
export async function readFeatureMap(path: string): Promise<FeatureMap> {
  const file = await readSafetensors(path);
  checkKind(file, kind, path);
  const model = (key: string): ModelIdentity =>
    toMapModel(parseJson(file.metadata.get(key) ?? "", `${path}: ${key}`), `${path}: ${key}`);
  const record = checkRecord(
    parseJson(file.metadata.get("record") ?? "", `${path}: record`),
    schema,
    `${path}: record`,
  ) as Record<"source" | "target", { site: string; medianNorm: number }> & Pick<FeatureMap, "sae" | "fit" | "scores">;
  const toEnd = (key: "source" | "target"): MapEnd => {
    const [own, site] = [model(key), parseSite(record[key].site)];
    if (site.layer >= own.blocks)
      throw mismatch("bad-input", `${path}: record.${key}.site`, `a layer below ${own.blocks}`, String(site.layer));
    return { model: own, site, medianNorm: record[key].medianNorm };
  };
  const B = float64Tensor(file, "B", 2, path);
  const map: FeatureMap = {
    source: toEnd("source"),
    target: toEnd("target"),
    sae: record.sae,
    B: createMatrix(B.shape[0] as number, B.shape[1] as number, B.data),
    p: float64Tensor(file, "p", 1, path).data,
    active: typed(file, "active", path, Int32Array),
    largest: typed(file, "largest", path, Float32Array),
    fit: record.fit,
    scores: record.scores,
  };
  checkShapes(map, path);
  return map;
}

function typed<T extends Int32Array | Float32Array>(
  { tensors }: Safetensors,
  name: string,
  path: string,
  type: { new (length: number): T; readonly name: string },
): T {
  const data = tensors.get(name)?.data;
  if (data instanceof type) return data;
  throw mismatch("bad-input", `${path}: ${name}`, `a tensor of ${type.name}`, data ? data.constructor.name : "none");
}

function checkShapes({ B, p, active, largest, sae, target, source }: FeatureMap, path: string): void {
  checkMatrix(B, `${path}: B`, { rows: sae.features, cols: target.model.width });
  checkMatrix(createMatrix(1, p.length, p), `${path}: p`, { cols: target.model.width });
  for (const [name, { length }] of Object.entries({ active, largest }))
    if (length !== sae.features)
      throw mismatch("bad-input", `${path}: ${name}`, `${sae.features} values`, String(length));
  if (active.some((count) => count < 0) || !largest.every((value) => Number.isFinite(value) && value >= 0))
    throw mismatch("bad-input", `${path}: active, largest`, "counts and activations of at least 0", "others");
  if (source.model.tokenizerFingerprint !== target.model.tokenizerFingerprint)
    throw mismatch("bad-input", `${path}: source`, "models with one tokenizer", "two different tokenizers");
}
