import { toPlainText } from "./plain-text.ts";

/** Renders names and values in two columns; a value of several lines keeps its column. Control characters become spaces. */
export function renderList(rows: readonly (readonly [name: string, value: string])[]): string {
  const pad = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows
    .map(([name, value]) => `${name.padEnd(pad)}${toPlainText(value).replaceAll("\n", `\n${" ".repeat(pad)}`)}\n`)
    .join("");
}
