import { mismatch } from "../errors.ts";
import { showValue } from "../formats/show-value.ts";

/** Fields of a configuration by name, each checked as it is asked for. A field that is null counts as missing. */
export interface ConfigFields {
  /** Everything that the file says. */
  readonly all: Readonly<Record<string, unknown>>;
  /** The first of these fields that is there. */
  any(...names: readonly string[]): unknown;
  text(...names: readonly string[]): string | undefined;
  flag(name: string, otherwise: boolean): boolean;
  number(name: string): number | undefined;
  /** An integer above 0. @throws bad-input if it is missing */
  count(name: string): number;
  object(name: string): Readonly<Record<string, unknown>> | undefined;
}

/** Longer strings than any of a configuration are not carried along. */
const maxText = 4096;

/**
 * Opens a configuration parsed from JSON. Fields are looked for at the top, then inside the objects named in `within`.
 *
 * @throws bad-input if it is not an object; its functions if a field is of another kind
 */
export function openFields(value: unknown, path: string, within: readonly string[] = []): ConfigFields {
  if (!isObject(value)) throw mismatch("bad-input", path, "an object", showValue(value));
  const places = [
    value,
    ...within.flatMap((name) => (value[name] == null ? [] : [checkObject(value[name], `${path}: ${name}`)])),
  ];
  const any = (...names: readonly string[]): unknown => {
    for (const name of names)
      for (const place of places) if (Object.hasOwn(place, name) && place[name] != null) return place[name];
    return undefined;
  };
  return {
    all: value,
    any,
    text(...names) {
      const found = any(...names);
      if (found === undefined || (typeof found === "string" && found.length <= maxText)) return found;
      throw mismatch(
        "bad-input",
        `${path}: ${names[0]}`,
        `a string of at most ${maxText} characters`,
        showValue(found),
      );
    },
    flag(name, otherwise) {
      const found = any(name) ?? otherwise;
      if (typeof found === "boolean") return found;
      throw mismatch("bad-input", `${path}: ${name}`, "true or false", showValue(found));
    },
    number(name) {
      const found = any(name);
      if (found === undefined || (typeof found === "number" && Number.isFinite(found))) return found;
      throw mismatch("bad-input", `${path}: ${name}`, "a number", showValue(found));
    },
    count(name) {
      const found = any(name);
      if (typeof found === "number" && Number.isSafeInteger(found) && found > 0) return found;
      throw mismatch("bad-input", `${path}: ${name}`, "an integer above 0", showValue(found));
    },
    object(name) {
      const found = any(name);
      return found === undefined ? undefined : checkObject(found, `${path}: ${name}`);
    },
  };
}

function checkObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw mismatch("bad-input", where, "an object", showValue(value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
