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
 */
export function renderTable(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((_, k) => (row[k] ?? "").replace(/\p{Cc}+/gu, " ")));
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
  const body = rows.map(
    (row) =>
      `<tr>${columns
        .map((_, k) => {
          const text = escapeHtml(row[k] ?? "");
          return k === 0 ? `<th scope="row"${attribute(k)}>${text}</th>` : `<td${attribute(k)}>${text}</td>`;
        })
        .join("")}</tr>`,
  );
  return [
    '<div class="table"><table>',
    ...(caption === undefined ? [] : [`<caption>${escapeHtml(caption)}</caption>`]),
    `<thead><tr>${head}</tr></thead>`,
    `<tbody>${body.join("\n")}</tbody>`,
    "</table></div>",
  ].join("\n");
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
