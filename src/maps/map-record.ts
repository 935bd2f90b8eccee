import { writtenAlignments } from "../activations/align/alignment.ts";
import { parseRowSelection } from "../activations/row-selection.ts";
import type { ModelIdentity } from "../engine/description.ts";
import { formatSite, parseSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { AffineMap, FitRecord, MapEnd } from "./affine-map.ts";
import { checkRecord, type Schema } from "./check-record.ts";
import type { MapScores } from "./score/map-scores.ts";

/** What a map's file says of it in JSON: all but its arrays. */
export interface MapRecord extends Pick<AffineMap, "sources" | "target" | "fit"> {
  readonly scores: Omit<MapScores, "r2ByDimension">;
}

/** The two models of a map, which the maps of one file share. */
export interface MapModels {
  readonly source: ModelIdentity;
  readonly target: ModelIdentity;
}

const modelSchema: Schema = {
  name: "string",
  sha256: "string",
  architecture: "string",
  width: "count",
  blocks: "count",
  quantisation: "string",
  tokenizerFingerprint: "string",
};

const side: Schema = { tokens: "count", used: "count", lost: "count" };
/** How rows were paired, as it stands in files. */
export const alignmentSchema: Schema = { by: "string", tokensOf: "string", source: side, target: side };

const end = { site: "string", medianNorm: "number" } as const;
const cosine = { raw: "number", centred: "number" } as const;
const prediction = { r2: "number", cosine } as const;

const recordSchema: Schema = {
  sources: [end],
  target: end,
  fit: {
    method: "string",
    space: "string",
    lambda: "number",
    "rank?": "count",
    choice: "string",
    "folds?": "count",
    tried: [{ lambda: "number", r2: "number" }],
    condition: "ratio",
    seed: "count",
    corpus: { name: "string", sha256: "string", documents: "count", windows: "count" },
    rows: {
      total: "count",
      train: "number", // a total weight, where rows were weighted
      validation: "number",
      heldOut: "number",
      leftOut: { first: "count", special: "count", sink: "count", unselected: "count", "unaligned?": "count" },
    },
    context: "count",
    rowSelection: "string",
    "alignment?": alignmentSchema,
    version: "string",
    "createdAt?": "string",
  },
  scores: {
    ...prediction,
    rows: "count",
    windows: "count",
    r2Interval: { low: "number", high: "number", level: "number", resamples: "count" },
    r2PerDimension: { lower: "number", median: "number", upper: "number" },
    mse: "number",
    "explainedVariance?": "number",
    "effectiveRank?": "number",
    nulls: { mean: prediction, shuffled: prediction, randomOrthogonal: prediction, "untrained?": prediction },
    tokenIdentity: { table: "number", beyond: "number", tokensSeen: "count", unseenShare: "number" },
    "learningCurve?": [{ rows: "number", r2: "number" }],
    "roundTrip?": { r2: "number" },
    "sourceGains?": [{ site: "string", r2: "number" }],
    "weighted?": "true",
  },
};

const methods: readonly FitRecord["method"][] = [
  "ridge",
  "ols",
  "procrustes",
  "scaled-procrustes",
  "reduced-rank",
  "adamw",
];
const spaces: readonly FitRecord["space"][] = ["raw", "standardised", "whitened"];
const choices: readonly FitRecord["choice"][] = ["validation", "cross-validation", "given"];

/** Longer selections than any that a person writes are not read from strangers' files. */
const maxSelectionLength = 1000;

/** Writes what a map is and how it did as JSON, without its models; sites as `resid_post.<layer>`. */
export function formatMapRecord({ sources, target, fit, scores }: AffineMap): string {
  const { r2ByDimension: _, ...plain } = scores;
  const formatEnd = ({ site, medianNorm }: MapEnd): object => ({ site: formatSite(site), medianNorm });
  return JSON.stringify({ sources: sources.map(formatEnd), target: formatEnd(target), fit, scores: plain });
}

/**
 * Reads what {@link formatMapRecord} wrote, given the models.
 *
 * @throws bad-input naming the field; unsupported for a method, space or choice of a newer version
 */
export function parseMapRecord(json: string, models: MapModels, where: string): MapRecord {
  return toMapRecord(parseJson(json, where), models, where);
}

/** Checks the plain value of a map's record, as {@link parseMapRecord} does. */
export function toMapRecord(value: unknown, { source, target }: MapModels, where: string): MapRecord {
  const record = checkRecord(value, recordSchema, where) as PlainRecord;
  const { fit } = record;
  checkKnown(fit.method, methods, `${where}.fit.method`);
  checkKnown(fit.space, spaces, `${where}.fit.space`);
  checkKnown(fit.choice, choices, `${where}.fit.choice`);
  if (fit.alignment) {
    const { by, tokensOf } = fit.alignment;
    checkKnown(by, writtenAlignments, `${where}.fit.alignment.by`);
    checkKnown(tokensOf, ["source", "target"], `${where}.fit.alignment.tokensOf`);
  }
  if (fit.rowSelection.length > maxSelectionLength)
    throw mismatch("bad-input", `${where}.fit.rowSelection`, `at most ${maxSelectionLength} characters`, "more");
  named(() => parseRowSelection(fit.rowSelection), `${where}.fit.rowSelection`);
  for (const [i, { rows }] of record.scores.learningCurve?.entries() ?? [])
    if (!(rows > 0)) throw mismatch("bad-input", `${where}.scores.learningCurve[${i}].rows`, "some rows", String(rows));
  return {
    ...record,
    sources: record.sources.map((at, i) => toMapEnd(at, source, `${where}.sources[${i}]`)),
    target: toMapEnd(record.target, target, `${where}.target`),
  };
}

/** Writes which model is at an end of a file's maps as JSON. */
export function formatMapModel(model: ModelIdentity): string {
  return JSON.stringify(toMapModel(model, "model"));
}

/** Reads what {@link formatMapModel} wrote. @throws bad-input naming the field */
export function parseMapModel(json: string, where: string): ModelIdentity {
  return toMapModel(parseJson(json, where), where);
}

/** Checks the plain value of a model's identity; its keys come in one order. @throws bad-input naming the field */
export function toMapModel(value: unknown, where: string): ModelIdentity {
  return checkRecord(value, modelSchema, where) as ModelIdentity;
}

/** Parses JSON of a map's file. @throws bad-input naming `where` */
export function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw mismatch("bad-input", where, "JSON", JSON.stringify(json.slice(0, 60)), { cause: error });
  }
}

interface PlainEnd {
  readonly site: string;
  readonly medianNorm: number;
}

interface PlainRecord extends Pick<MapRecord, "fit" | "scores"> {
  readonly sources: readonly PlainEnd[];
  readonly target: PlainEnd;
}

function toMapEnd({ site, medianNorm }: PlainEnd, model: ModelIdentity, where: string): MapEnd {
  return {
    model,
    site: checkLayer(
      named(() => parseSite(site), `${where}.site`),
      model,
      `${where}.site`,
    ),
    medianNorm,
  };
}

function checkLayer(site: Site, { blocks }: ModelIdentity, where: string): Site {
  if (site.layer >= blocks) throw mismatch("bad-input", where, `a layer below ${blocks}`, String(site.layer));
  return site;
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

function checkKnown(value: string, known: readonly string[], where: string): void {
  if (!known.includes(value))
    throw mismatch("unsupported", where, known.join(" or "), JSON.stringify(value.slice(0, 60)), {
      hint: "update trimtab",
    });
}
