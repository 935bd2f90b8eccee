import { formatSite, parseSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { FitRecord, MapEnd } from "./affine-map.ts";
import { checkRecord, type Schema } from "./check-record.ts";
import type { MapScores } from "./map-scores.ts";

const cosine = { raw: "number", centred: "number" } as const;
const prediction = { r2: "number", cosine } as const;

const endSchema: Schema = {
  model: {
    name: "string",
    sha256: "string",
    architecture: "string",
    width: "count",
    blocks: "count",
    quantisation: "string",
    tokenizerFingerprint: "string",
  },
  site: "string",
  medianNorm: "number",
};

const fitSchema: Schema = {
  method: "string",
  lambda: "number",
  tried: [{ lambda: "number", r2: "number" }],
  condition: "ratio",
  seed: "count",
  corpus: { name: "string", sha256: "string", documents: "count", windows: "count" },
  rows: {
    total: "count",
    train: "count",
    validation: "count",
    heldOut: "count",
    leftOut: { first: "count", special: "count", sink: "count" },
  },
  context: "count",
  rowsKind: "string",
  version: "string",
  "createdAt?": "string",
};

const scoresSchema: Schema = {
  ...prediction,
  rows: "count",
  windows: "count",
  r2Interval: { low: "number", high: "number", level: "number", resamples: "count" },
  r2PerDimension: { lower: "number", median: "number", upper: "number" },
  mse: "number",
  cosineRows: "count",
  nulls: { mean: prediction, shuffled: prediction, randomOrthogonal: prediction },
  tokenIdentity: { table: "number", beyond: "number", tokensSeen: "count", unseenShare: "number" },
};

/** Writes one end of a map as JSON; sites as `resid_post.<layer>`. */
export function formatMapEnd({ model, site, medianNorm }: MapEnd): string {
  return JSON.stringify({ model, site: formatSite(site), medianNorm });
}

/** Reads what {@link formatMapEnd} wrote. @throws bad-input naming the field */
export function parseMapEnd(json: string, where: string): MapEnd {
  const end = checkRecord(parseJson(json, where), endSchema, where) as Omit<MapEnd, "site"> & { readonly site: string };
  const site = parseSite(end.site);
  if (site.layer >= end.model.blocks)
    throw mismatch("bad-input", `${where}.site`, `a layer below ${end.model.blocks}`, String(site.layer));
  return { ...end, site };
}

/** Writes how a map was fitted as JSON. */
export function formatFit(fit: FitRecord): string {
  return JSON.stringify(fit);
}

/** Reads what {@link formatFit} wrote. @throws bad-input naming the field; unsupported for a newer method or kind of rows */
export function parseFit(json: string, where: string): FitRecord {
  const fit = checkRecord(parseJson(json, where), fitSchema, where) as FitRecord;
  checkKnown(fit.method, ["ridge", "ols"], `${where}.method`);
  checkKnown(fit.rowsKind, ["all"], `${where}.rowsKind`);
  return fit;
}

/** Writes a map's scores as JSON. */
export function formatScores(scores: MapScores): string {
  return JSON.stringify(scores);
}

/** Reads what {@link formatScores} wrote. @throws bad-input naming the field */
export function parseScores(json: string, where: string): MapScores {
  return checkRecord(parseJson(json, where), scoresSchema, where) as MapScores;
}

function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw mismatch("bad-input", where, "JSON", JSON.stringify(json.slice(0, 60)), { cause: error });
  }
}

function checkKnown(value: string, known: readonly string[], where: string): void {
  if (!known.includes(value))
    throw mismatch("unsupported", where, known.join(" or "), JSON.stringify(value.slice(0, 60)), {
      hint: "update trimtab",
    });
}
