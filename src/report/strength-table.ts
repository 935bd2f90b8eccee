import type { Comparison } from "../evaluate/comparison.ts";
import { formatNumber, formatPercent, formatSigned } from "./format-number.ts";
import type { Column, Row } from "./table.ts";

/** Columns and rows for {@link renderTable} or {@link renderHtmlTable}. */
export interface TableContent {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Lays a comparison out as a table, one row a strength: changes, shares moved right, agreement, z. */
export function toStrengthTable(comparison: Comparison): TableContent {
  const titles = [
    "strength",
    "change: native",
    "transferred",
    "random",
    "moved right: native",
    "transferred",
    "random",
    "Δr",
    "paper's r",
    "MSE, nats²",
    "MSE, probability",
    "z native / transferred",
  ];
  return {
    columns: titles.map((title) => ({ title, align: "right" })),
    rows: comparison.strengths.map((entry) => [
      formatSigned(entry.strength),
      formatSigned(entry.native.change),
      formatSigned(entry.transferred.change),
      formatSigned(entry.random?.change),
      formatPercent(entry.native.movedRight),
      formatPercent(entry.transferred.movedRight),
      formatPercent(entry.random?.movedRight),
      formatNumber(entry.deltaCorrelation),
      formatNumber(entry.correlation),
      formatNumber(entry.mse),
      formatNumber(entry.mseProbability, 4),
      `${formatNumber(entry.z.native, 1)} / ${formatNumber(entry.z.transferred, 1)}`,
    ]),
  };
}
