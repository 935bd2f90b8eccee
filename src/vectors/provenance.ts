import { formatReadPosition, parseReadPosition } from "../activations/read-position.ts";
import type { ModelIdentity } from "../engine/description.ts";
import { mismatch } from "../errors.ts";
import { showValue } from "../formats/show-value.ts";
import type { ModelName, TransferMaps, TransferSource, VectorProvenance } from "./steering-vector.ts";

const kinds = ["native", "transferred", "random", "imported", "combined"] as const;

/** A vector is carried once or twice; a file that nests deeper was made to do harm. */
const maxDepth = 16;

/** More layers than any model has. */
const maxSites = 4096;

/** Provenance of a file by another program: what it says of itself, and nothing made up. */
export function importedProvenance(
  details: Pick<Partial<VectorProvenance>, "modelHint" | "concept"> & { method: string },
): VectorProvenance {
  return {
    kind: "imported",
    model: undefined,
    modelHint: undefined,
    concept: undefined,
    pairs: undefined,
    readAt: undefined,
    seed: undefined,
    trimtab: "",
    ...details,
  };
}

/** Writes provenance as JSON for the metadata of a vector file. */
export function formatProvenance(provenance: VectorProvenance): string {
  return JSON.stringify(toPlain(provenance));
}

/** Reads what {@link formatProvenance} wrote. @throws bad-input naming `where` */
export function parseProvenance(text: string, where: string): VectorProvenance {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw mismatch("bad-input", where, "provenance as JSON", text.slice(0, 60), { cause: error });
  }
  return readProvenance(value, where, 0);
}

function toPlain({ readAt, source, ...rest }: VectorProvenance): object {
  return {
    ...rest,
    readAt: readAt === undefined ? undefined : formatReadPosition(readAt),
    source: source && { ...source, vector: toPlain(source.vector) },
  };
}

function readProvenance(value: unknown, where: string, depth: number): VectorProvenance {
  if (depth > maxDepth) throw mismatch("bad-input", where, `at most ${maxDepth} transfers`, "more");
  const fields = openRecord(value, where);
  const kind = kinds.find((known) => known === fields.get("kind"));
  if (!kind) throw mismatch("bad-input", where, `kind as one of ${kinds.join(", ")}`, showValue(fields.get("kind")));
  const readAt = optionalText(fields, "readAt", where);
  const model = fields.get("model");
  const source = fields.get("source");
  return {
    kind,
    model: model === undefined ? undefined : readIdentity(model, where),
    modelHint: optionalText(fields, "modelHint", where),
    method: text(fields, "method", where),
    concept: optionalText(fields, "concept", where),
    pairs: optionalCount(fields, "pairs", where),
    readAt: readAt === undefined ? undefined : parseReadPosition(readAt),
    seed: optionalCount(fields, "seed", where),
    trimtab: text(fields, "trimtab", where),
    ...(source === undefined ? {} : { source: readSource(source, where, depth) }),
  };
}

function readSource(value: unknown, where: string, depth: number): TransferSource {
  const fields = openRecord(value, where);
  const maps = fields.get("maps");
  return {
    vector: readProvenance(fields.get("vector"), where, depth + 1),
    maps: maps === undefined ? readSingleMap(fields.get("map"), where) : readMaps(maps, where),
    withBias: fields.get("withBias") === true,
  };
}

function readMaps(value: unknown, where: string): TransferMaps {
  const fields = openRecord(value, where);
  return {
    source: readModelName(fields.get("source"), "name", where),
    target: readModelName(fields.get("target"), "name", where),
    sites: readList(fields.get("sites"), where).map((joined) => {
      const ends = openRecord(joined, where);
      const sources = readList(ends.get("sources"), where).map((site) => readSite(site, where));
      return { sources, target: readSite(ends.get("target"), where) };
    }),
  };
}

/** Until a vector could be carried by several maps, it named the one with a site at either end. */
function readSingleMap(value: unknown, where: string): TransferMaps {
  const fields = openRecord(value, where);
  const [source, target] = [fields.get("source"), fields.get("target")];
  const siteOf = (end: unknown): string => readSite(openRecord(end, where).get("site"), where);
  return {
    source: readModelName(source, "model", where),
    target: readModelName(target, "model", where),
    sites: [{ sources: [siteOf(source)], target: siteOf(target) }],
  };
}

function readModelName(value: unknown, key: "name" | "model", where: string): ModelName {
  const fields = openRecord(value, where);
  return { name: text(fields, key, where), sha256: text(fields, "sha256", where) };
}

function readSite(value: unknown, where: string): string {
  if (typeof value !== "string") throw mismatch("bad-input", where, "a site as a string", showValue(value));
  return value;
}

function readList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxSites)
    throw mismatch("bad-input", where, `a list of 1 to ${maxSites} in the provenance`, showValue(value));
  return value;
}

function readIdentity(value: unknown, where: string): ModelIdentity {
  const fields = openRecord(value, where);
  return {
    name: text(fields, "name", where),
    sha256: text(fields, "sha256", where),
    architecture: text(fields, "architecture", where),
    width: count(fields, "width", where),
    blocks: count(fields, "blocks", where),
    quantisation: text(fields, "quantisation", where),
    tokenizerFingerprint: text(fields, "tokenizerFingerprint", where),
  };
}

type Fields = ReadonlyMap<string, unknown>;

function openRecord(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch("bad-input", where, "an object in the provenance", showValue(value));
  return new Map(Object.entries(value));
}

function text(fields: Fields, key: string, where: string): string {
  const value = fields.get(key);
  if (typeof value !== "string") throw mismatch("bad-input", where, `${key} as a string`, showValue(value));
  return value;
}

function optionalText(fields: Fields, key: string, where: string): string | undefined {
  return fields.get(key) === undefined ? undefined : text(fields, key, where);
}

function count(fields: Fields, key: string, where: string): number {
  const value = fields.get(key);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw mismatch("bad-input", where, `${key} as a whole number`, showValue(value));
  return value;
}

function optionalCount(fields: Fields, key: string, where: string): number | undefined {
  return fields.get(key) === undefined ? undefined : count(fields, key, where);
}
