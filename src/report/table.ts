import { mismatch } from "../errors.ts";
import { escapeHtml } from "./escape-html.ts";

/** A column of a table. Cells are ready text: formatting is the caller's. */
export interface Column {
  readonly title: string;
  /** Numbers stand to the right. Default left. */
  readonly align?: "left" | "right";
}

/** One row: a cell for each column. */
export type Row = readonly string[];

/**
 * Renders a table for a terminal: columns two spaces apart, titles over a rule, numbers flush right.
 *
 * Widths count characters as a terminal shows them: combining marks take no place, East Asian wide characters and emoji two. Line breaks and control
 * characters inside cells become spaces, so that text from a model cannot move the cursor.
 *
 * @throws internal if a row has not one cell a column
 */
export function renderTable(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = checkRows(columns, rows).map((row) => row.map((cell) => cell.replace(/\p{Cc}+/gu, " ")));
  const widths = columns.map(({ title }, k) => Math.max(...[title, ...cells.map((row) => row[k]!)].map(displayWidth)));
  const line = (row: Row): string =>
    columns
      .map(({ align }, k) => {
        const space = " ".repeat(widths[k]! - displayWidth(row[k]!));
        return align === "right" ? space + row[k]! : row[k]! + space;
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(columns.map(({ title }) => title)), rule, ...cells.map(line)].join("\n");
}

/** Renders the same table as HTML, every cell escaped; `caption` says what it shows. First cells are row headers. */
export function renderHtmlTable(columns: readonly Column[], rows: readonly Row[], caption?: string): string {
  const attribute = (k: number): string => (columns[k]?.align === "right" ? ' class="number"' : "");
  const head = columns.map(({ title }, k) => `<th scope="col"${attribute(k)}>${escapeHtml(title)}</th>`).join("");
  const body = checkRows(columns, rows).map(
    (row) =>
      `<tr>${row
        .map((cell, k) => {
          const text = escapeHtml(cell);
          return k === 0 ? `<th scope="row"${attribute(k)}>${text}</th>` : `<td${attribute(k)}>${text}</td>`;
        })
        .join("")}</tr>`,
  );
  return [
    // Not a <caption>: in a table wider than a phone it would scroll out of sight.
    ...(caption === undefined ? [] : [`<p class="note">${escapeHtml(caption)}</p>`]),
    '<div class="table"><table>',
    `<thead><tr>${head}</tr></thead>`,
    `<tbody>${body.join("\n")}</tbody>`,
    "</table></div>",
  ].join("\n");
}

/** A row with a cell too few or too many would put numbers under the wrong titles: a mistake of ours. */
function checkRows(columns: readonly Column[], rows: readonly Row[]): readonly Row[] {
  for (const row of rows)
    if (row.length !== columns.length)
      throw mismatch("internal", "internal: table row", `${columns.length} cells`, `${row.length}`);
  return rows;
}

/** Terminal columns a text takes. */
function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text))
    width +=
      /^(?:\p{Emoji_Presentation}|\p{sc=Han}|\p{sc=Hiragana}|\p{sc=Katakana}|\p{sc=Hangul}|[\uff01-\uff60])/u.test(
        segment,
      )
        ? 2
        : 1;
  return width;
}
