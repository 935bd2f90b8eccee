import { formatSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { readSafetensors, type Safetensors, type Tensor, writeSafetensors } from "../formats/safetensors.ts";
import type { WriteFileOptions } from "../formats/write-file.ts";
import { checkMatrix, createMatrix } from "../linalg/matrix.ts";
import type { AffineMap } from "./affine-map.ts";
import { formatLayers } from "./layer-plan.ts";
import {
  formatMapModel,
  formatMapRecord,
  type MapModels,
  type MapRecord,
  parseMapModel,
  parseMapRecord,
} from "./map-record.ts";
import { parseMapRecordV1 } from "./map-record-v1.ts";
import { checkKind, float64Tensor } from "./tensor-file.ts";

const kind = "trimtab-map";

/** Each target site once, so no more than a model has blocks: deeper than any model, and the limit of a vector's directions too. */
const maxMaps = 4096;

/**
 * Writes one or many maps between two models as safetensors: for map i the F64 tensors `map.<i>.A` `[dTarget, Σ dSource]`, `map.<i>.p`
 * `[dTarget]` and, where it is known, `map.<i>.r2` `[dTarget]`; in the metadata format, version, number of maps, the two models, and
 * for each map its sites, fit and scores as JSON. What is written reads back equal, to the bit, in the same order.
 *
 * @throws bad-input for maps that are not sound, of different models, or two with one target site; io (the file that stood there
 *   before stays), aborted
 */
export async function writeMaps(
  path: string,
  maps: readonly AffineMap[],
  options: WriteFileOptions = {},
): Promise<void> {
  checkMaps(maps, path);
  const [{ sources, target }] = maps as readonly [AffineMap];
  const models = { source: sources[0]!.model, target: target.model };
  const metadata = new Map([
    ["format", kind],
    ["version", isAligned(maps) ? "3" : "2"],
    ["maps", String(maps.length)],
    ["source", formatMapModel(models.source)],
    ["target", formatMapModel(models.target)],
    ...maps.map((map, i) => [`map.${i}`, formatMapRecord(map)] as const),
  ]);
  // What could not be read back is not written.
  parseModels(metadata, path);
  for (const i of maps.keys()) parseRecord(metadata, i, models, path);
  const tensors = new Map<string, Tensor>();
  for (const [i, { A, p, scores }] of maps.entries()) {
    tensors.set(`map.${i}.A`, { shape: [A.rows, A.cols], data: A.data });
    tensors.set(`map.${i}.p`, { shape: [p.length], data: p });
    const { r2ByDimension } = scores;
    if (r2ByDimension) tensors.set(`map.${i}.r2`, { shape: [r2ByDimension.length], data: r2ByDimension });
  }
  await writeSafetensors(path, tensors, metadata, options);
}

/** Writes a single map, as {@link writeMaps} does. */
export async function writeMap(path: string, map: AffineMap, options: WriteFileOptions = {}): Promise<void> {
  await writeMaps(path, [map], options);
}

/**
 * Reads the maps that {@link writeMaps} wrote (or the one map of an older file), at least one, and checks that their parts fit together.
 *
 * @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for a newer version, pickle, ZIP
 */
export async function readMaps(path: string): Promise<readonly AffineMap[]> {
  const file = await readSafetensors(path);
  const version = checkKind(file, kind, path, ["1", "2", "3"]);
  if (version === "1") return checkMaps([toMap(parseMapRecordV1(file.metadata, path), file, "", path)], path);
  const models = parseModels(file.metadata, path);
  const count = file.metadata.get("maps") ?? "";
  if (!/^[1-9]\d{0,3}$/.test(count) || Number(count) > maxMaps)
    throw mismatch("bad-input", `${path}: maps`, `a number from 1 to ${maxMaps}`, JSON.stringify(count.slice(0, 60)));
  const maps = Array.from({ length: Number(count) }, (_, i) =>
    toMap(parseRecord(file.metadata, i, models, path), file, `map.${i}.`, path),
  );
  if (isAligned(maps) !== (version === "3"))
    throw mismatch(
      "bad-input",
      path,
      `${version === "3" ? "aligned maps" : "maps by token id"} in version ${version}`,
      "others",
    );
  return checkMaps(maps, path);
}

/** Whether maps are of rows that were not paired by token id: files of version 3, which releases that know only those refuse. */
function isAligned(maps: readonly AffineMap[]): boolean {
  return maps.some(({ fit }) => fit.alignment !== undefined);
}

/**
 * Reads the map of a file that holds one.
 *
 * @throws bad-input for a file of several, naming their layers; otherwise as {@link readMaps}
 */
export async function readMap(path: string): Promise<AffineMap> {
  const maps = await readMaps(path);
  if (maps.length > 1)
    throw mismatch("bad-input", path, "a file of one map", `${maps.length}: ${maps.map(formatPair).join(", ")}`, {
      hint: "read all of them with readMaps(path)",
    });
  return maps[0] as AffineMap;
}

function formatPair({ sources, target }: AffineMap): string {
  return formatLayers({ sources: sources.map(({ site }) => site.layer), target: target.site.layer });
}

function parseModels(metadata: ReadonlyMap<string, string>, path: string): MapModels {
  const model = (key: string) => parseMapModel(metadata.get(key) ?? "", `${path}: ${key}`);
  return { source: model("source"), target: model("target") };
}

function parseRecord(metadata: ReadonlyMap<string, string>, i: number, models: MapModels, path: string): MapRecord {
  return parseMapRecord(metadata.get(`map.${i}`) ?? "", models, `${path}: map.${i}`);
}

function toMap(record: MapRecord, file: Safetensors, prefix: string, path: string): AffineMap {
  const A = float64Tensor(file, `${prefix}A`, 2, path);
  const p = float64Tensor(file, `${prefix}p`, 1, path);
  const r2 = file.tensors.has(`${prefix}r2`) && float64Tensor(file, `${prefix}r2`, 1, path);
  return {
    ...record,
    A: createMatrix(A.shape[0] as number, A.shape[1] as number, A.data),
    p: p.data,
    scores: { ...record.scores, ...(r2 && { r2ByDimension: r2.data }) },
  };
}

function checkMaps(maps: readonly AffineMap[], path: string): readonly AffineMap[] {
  if (maps.length === 0 || maps.length > maxMaps)
    throw mismatch("bad-input", path, `1 to ${maxMaps} maps`, String(maps.length));
  const models = new Set<string>();
  const targets = new Set<string>();
  for (const [i, map] of maps.entries()) {
    const where = maps.length === 1 ? `${path}: ` : `${path}: map.${i}.`;
    checkMap(map, where);
    for (const { model } of map.sources) models.add(formatMapModel(model));
    const site = formatSite(map.target.site);
    if (targets.has(site)) throw mismatch("bad-input", path, "each target site once", `${site} again`);
    targets.add(site);
    if (models.size > 1 || formatMapModel(map.target.model) !== formatMapModel((maps[0] as AffineMap).target.model))
      throw mismatch("bad-input", path, "maps from one model to one other", "maps of several models");
  }
  return maps;
}

function checkMap({ sources, target, A, p, fit, scores }: AffineMap, where: string): void {
  const sites = new Set(sources.map(({ site }) => formatSite(site)));
  if (sources.length === 0 || sites.size < sources.length)
    throw mismatch("bad-input", `${where}sources`, "at least one site, each once", [...sites].join(", ") || "none");
  checkMatrix(A, `${where}A`, {
    rows: target.model.width,
    cols: sources.reduce((sum, { model }) => sum + model.width, 0),
  });
  checkValues(p, A.rows, `${where}p`, Number.isFinite);
  // NaN: R² of a dimension that does not vary.
  const { r2ByDimension } = scores;
  if (r2ByDimension) checkValues(r2ByDimension, A.rows, `${where}r2`, (value) => Math.abs(value) !== Infinity);
  if (!fit.alignment && sources.some(({ model }) => model.tokenizerFingerprint !== target.model.tokenizerFingerprint))
    throw mismatch("bad-input", `${where}sources`, "models with one tokenizer", "two different tokenizers");
}

function checkValues(values: Float64Array, length: number, where: string, isSound: (value: number) => boolean): void {
  if (values.length !== length) throw mismatch("bad-input", where, `${length} values`, `${values.length}`);
  const bad = values.findIndex((value) => !isSound(value));
  if (bad >= 0) throw mismatch("bad-input", where, "finite values", `${values[bad]} at ${bad}`);
}
