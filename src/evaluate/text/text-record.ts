import { mismatch } from "../../errors.ts";
import type { Estimate } from "../comparison.ts";
import { checkRunRecord, type RunRecord } from "../run-record.ts";
import type { MeasuredTexts, TextResult } from "./text-result.ts";

/** `text.json` of a run folder. */
export interface TextRecord extends TextResult {
  readonly format: "trimtab-text";
  readonly version: 1;
  readonly run: RunRecord;
}

/** Writes a record as JSON text. */
export function formatTextRecord(record: TextRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

/**
 * Reads what {@link formatTextRecord} wrote. Checks the run and the main parts, not every number: records are files of one's own.
 *
 * @throws bad-input for anything else; unsupported for a later version
 */
export function parseTextRecord(text: string, where: string): TextRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw mismatch("bad-input", where, "a text evaluation as JSON", JSON.stringify(text.slice(0, 40)), { cause });
  }
  const record = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (record["format"] !== "trimtab-text")
    throw mismatch("bad-input", where, 'a text evaluation ("format": "trimtab-text")', "something else");
  if (record["version"] !== 1)
    throw mismatch("unsupported", where, "version 1", `version ${JSON.stringify(record["version"])}`, {
      hint: "open it with the version of Trimtab that wrote it",
    });
  for (const key of ["scorers", "rows", "equalDamage", "breaks", "likeness", "warnings"])
    if (!Array.isArray(record[key])) throw mismatch("bad-input", `${where}: ${key}`, "a list", typeof record[key]);
  return { ...(record as unknown as TextRecord), run: checkRunRecord(record["run"], `${where}: run`) };
}

/** The rows as CSV: one line an arm and strength, each scorer in columns of its own, intervals as `_low` and `_high`; empty where undefined. */
export function toTextCsv({ rows, scorers }: Pick<TextResult, "rows" | "scorers">): string {
  const estimates = (row: MeasuredTexts | undefined): readonly (readonly [string, Estimate | undefined])[] => [
    ...scorers.flatMap(({ name }, s): [string, Estimate | undefined][] => [
      [name, row?.scores[s]?.value],
      [`${name} change`, row?.scores[s]?.change],
    ]),
    ["loss_nats", row?.lossNats],
    ["kl_nats", row?.klNats],
    ["repetition", row?.repetition],
  ];
  const head = [
    "arm",
    "kind",
    "strength",
    "texts",
    "tokens",
    ...estimates(undefined).flatMap(([name]) => [name, `${name}_low`, `${name}_high`]),
    "top1_agreement",
    "distinct_1",
    "distinct_2",
  ];
  const lines = rows.map((row) => [
    row.arm,
    row.kind,
    row.strength,
    row.texts,
    row.tokens,
    ...estimates(row).flatMap(([, estimate]) => [estimate?.value, estimate?.interval?.low, estimate?.interval?.high]),
    row.top1Agreement,
    row.distinct1,
    row.distinct2,
  ]);
  return [head, ...lines].map((fields) => `${fields.map(toField).join(",")}\r\n`).join("");
}

function toField(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
