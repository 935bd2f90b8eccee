/** Renders names and values in two columns; a value of several lines keeps its column. */
export function renderList(rows: readonly (readonly [name: string, value: string])[]): string {
  const pad = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(pad)}${value.replaceAll("\n", `\n${" ".repeat(pad)}`)}\n`).join("");
}
