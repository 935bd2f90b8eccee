import { mismatch } from "../errors.ts";
import { formatCsvField } from "../formats/csv.ts";
import { escapeHtml } from "./escape-html.ts";
import { formatNumber, formatProbability } from "./format-number.ts";
import type { Column, Row } from "./table.ts";

/** A column of numbers or words. */
export interface DataColumn {
  readonly title: string;
  /** Decimals that are shown; the CSV has all. Default 3; whole numbers are shown as they are. */
  readonly digits?: number;
  /** Its numbers are p-values: small ones are shown as `< 0.001`. */
  readonly isProbability?: boolean;
}

/** The numbers behind a figure, as they are: the page rounds them, the CSV does not. */
export interface DataTable {
  readonly columns: readonly DataColumn[];
  /** A cell for each column; `null` where a number is not defined. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** An interval as two cells. */
export function lowHigh(
  interval: { readonly low: number; readonly high: number } | null | undefined,
): (number | null)[] {
  return [interval?.low ?? null, interval?.high ?? null];
}

/**
 * Renders a table of numbers as HTML. Words stand left, numbers right; the box scrolls sideways by keyboard too, and has a name.
 *
 * @throws internal if a row has not one cell a column
 */
export function renderDataTable(table: DataTable, name: string): string {
  const rows = checkRows(table);
  const isNumber = table.columns.map((_, k) => rows.some((row) => typeof row[k] === "number"));
  const attribute = (k: number): string => (isNumber[k] ? ' class="number"' : "");
  const head = table.columns.map(({ title }, k) => `<th scope="col"${attribute(k)}>${escapeHtml(title)}</th>`).join("");
  const body = rows.map(
    (row) =>
      `<tr>${row
        .map((cell, k) => {
          const text = escapeHtml(show(cell, table.columns[k]));
          return k === 0 ? `<th scope="row"${attribute(k)}>${text}</th>` : `<td${attribute(k)}>${text}</td>`;
        })
        .join("")}</tr>`,
  );
  return `<div class="table" role="region" tabindex="0" aria-label="${escapeHtml(name)}"><table>
<thead><tr>${head}</tr></thead>
<tbody>${body.join("\n")}</tbody>
</table></div>`;
}

/** The same table for a terminal (`renderTable`): numbers rounded and to the right. @throws internal as above */
export function toTextCells(table: DataTable): { readonly columns: readonly Column[]; readonly rows: readonly Row[] } {
  const rows = checkRows(table);
  const columns = table.columns.map(({ title }, k): Column => {
    const isNumber = rows.some((row) => typeof row[k] === "number");
    return { title, align: isNumber ? "right" : "left" };
  });
  return { columns, rows: rows.map((row) => row.map((cell, k) => show(cell, table.columns[k]))) };
}

/** Writes a table as CSV (RFC 4180), numbers in full, empty where not defined. @throws internal if a row has not one cell a column */
export function formatCsv(table: DataTable): string {
  return [table.columns.map(({ title }) => title), ...checkRows(table)]
    .map((row) => `${row.map(formatCsvField).join(",")}\r\n`)
    .join("");
}

function checkRows({ columns, rows }: DataTable): DataTable["rows"] {
  for (const row of rows)
    if (row.length !== columns.length)
      throw mismatch("internal", "internal: table row", `${columns.length} cells`, `${row.length}`);
  return rows;
}

function show(cell: string | number | null, { digits = 3, isProbability }: Partial<DataColumn> = {}): string {
  if (typeof cell === "string") return cell;
  if (isProbability) return formatProbability(cell);
  return formatNumber(cell, Number.isInteger(cell) ? 0 : digits);
}
