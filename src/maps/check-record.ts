import { mismatch } from "../errors.ts";

/**
 * The shape of a plain record: `"string"`, `"number"` (finite), `"count"` (integer of at least 0), `"ratio"` (a number, or null for
 * infinity, which JSON lacks), `"boolean"`, `"true"`, a list `[schema]`, what may be `null` instead `["null", schema]`, or an object. A key
 * ending in `?` may be missing.
 */
export type Schema = Scalar | readonly [Schema] | readonly ["null", Schema] | { readonly [key: string]: Schema };

type Scalar = "string" | "number" | "count" | "ratio" | "boolean" | "true";

/** Longer strings and lists than any of ours are not read from strangers' files. */
const maxLength = 1 << 16;

/**
 * Checks a value parsed from JSON against a schema and returns a copy that has the schema's keys and no others.
 *
 * @throws bad-input naming the path of the first field that does not fit
 */
export function checkRecord(value: unknown, schema: Schema, where: string): unknown {
  if (typeof schema === "string") return checkScalar(value, schema, where);
  if (isOptional(schema)) return value === null ? null : checkRecord(value, schema[1], where);
  if (isList(schema)) {
    if (!Array.isArray(value) || value.length > maxLength)
      throw mismatch("bad-input", where, `a list of at most ${maxLength}`, show(value));
    return value.map((item, at) => checkRecord(item, schema[0], `${where}[${at}]`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch("bad-input", where, "an object", show(value));
  const result: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(schema)) {
    const key = name.replace(/\?$/, "");
    const field = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    if (field === undefined && name !== key) continue;
    result[key] = checkRecord(field, inner, `${where}.${key}`);
  }
  return result;
}

function checkScalar(value: unknown, schema: Scalar, where: string): unknown {
  if (schema === "string") {
    if (typeof value === "string" && value.length <= maxLength) return value;
    throw mismatch("bad-input", where, `a string of at most ${maxLength} characters`, show(value));
  }
  if (schema === "boolean") {
    if (typeof value === "boolean") return value;
    throw mismatch("bad-input", where, "true or false", show(value));
  }
  if (schema === "true") {
    if (value === true) return value;
    throw mismatch("bad-input", where, "true or nothing", show(value));
  }
  if (schema === "ratio" && value === null) return Number.POSITIVE_INFINITY;
  if (schema === "count" && Number.isSafeInteger(value) && (value as number) >= 0) return value;
  if (schema !== "count" && Number.isFinite(value)) return value;
  throw mismatch("bad-input", where, schema === "count" ? "an integer of at least 0" : "a finite number", show(value));
}

function isOptional(schema: Schema): schema is readonly ["null", Schema] {
  return Array.isArray(schema) && schema.length === 2;
}

function isList(schema: Schema): schema is readonly [Schema] {
  return Array.isArray(schema);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
