/**
 * Names a parsed value in an error message, in a few words whatever its size. (`JSON.stringify` would overflow the stack on a value that
 * was nested deep on purpose.)
 */
export function showValue(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") {
    const keys = Object.keys(value);
    const shown = keys.slice(0, 5).map((key) => key.slice(0, 20));
    return keys.length === 0 ? "an empty object" : `an object with ${shown.join(", ")}${keys.length > 5 ? ", …" : ""}`;
  }
  return value === undefined ? "nothing" : String(value);
}
