import { mismatch } from "../../errors.ts";
import { checkRunRecord } from "../run-record.ts";
import type { PromptMean, RefusalResult, RefusalRow, RefusalSide } from "./refusal-result.ts";
import { promptClasses } from "./split-instructions.ts";

/** Writes a result as JSON text. */
export function formatRefusalResult(result: RefusalResult): string {
  return `${JSON.stringify(result, null, 1)}\n`;
}

/**
 * Reads what {@link formatRefusalResult} wrote. Checks the format, the run's record and that each row has its main parts, not every number:
 * results are files of one's own.
 *
 * @throws bad-input for anything else; unsupported for a later version
 */
export function parseRefusalResult(text: string, where: string): RefusalResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw mismatch("bad-input", where, "a result as JSON", "something else", { cause });
  }
  const result = value as Partial<RefusalResult> | null;
  if (typeof result !== "object" || result === null || result.format !== "trimtab-refusal")
    throw mismatch("bad-input", where, 'a refusal result ("format": "trimtab-refusal")', "something else");
  if (result.version !== 1)
    throw mismatch("unsupported", where, "version 1", `version ${JSON.stringify(result.version)}`, {
      hint: "it was written by another version of trimtab",
    });
  const run = checkRunRecord(result.run, `${where}: run`);
  for (const part of ["judges", "sides", "agreement"] as const)
    if (!Array.isArray(result[part])) throw mismatch("bad-input", where, `"${part}" as a list`, "something else");
  for (const [i, side] of result.sides!.entries()) {
    const rows: unknown = (side as Partial<RefusalSide> | null)?.rows;
    if (!Array.isArray(rows) || rows.length === 0)
      throw mismatch("bad-input", `${where}: sides[${i}]`, "at least one row", "none");
    for (const [k, row] of rows.entries())
      for (const part of ["kind", "strength", "harmful", "harmless", "change", "damage"] as const)
        if ((row as Partial<RefusalRow> | null)?.[part] === undefined)
          throw mismatch("bad-input", `${where}: sides[${i}].rows[${k}]`, `"${part}"`, "nothing");
  }
  return { ...(result as RefusalResult), run };
}

const meanCells = ({ value, standardError, interval }: PromptMean) => [
  value,
  standardError,
  interval?.low ?? null,
  interval?.high ?? null,
];

/**
 * Writes a result as CSV: one row for each model, arm, layer, strength, kind of prompts and judge. `yes` is the share that the judge answered with 1,
 * by its question; `_se` is a standard error, `_low` and `_high` a 95 % bootstrap interval, over prompts. Empty: not defined.
 */
export function toRefusalCsv({ sides, judges, unit, run }: RefusalResult): string {
  const header = [
    ...[
      "role",
      "model",
      "carried_from",
      "seed",
      "arm",
      "layer",
      "unit",
      "strength",
      "prompts_kind",
      "prompts",
      "responses",
    ],
    ...["judge", "question", "yes", "yes_se", "yes_low", "yes_high", "no", "no_se", "no_low", "no_high", "unanswered"],
    ...["broken", "broken_se", "broken_low", "broken_high", "log_odds", "tokens"],
    ...["refusal_change", "refusal_change_low", "refusal_change_high", "kl_nats", "top1_agreement"],
  ];
  const rows = sides.flatMap((side) =>
    side.rows.flatMap((row) =>
      promptClasses.flatMap((kind) =>
        judges.map(({ name, question }, j) => {
          const rates = row[kind];
          const { yes, no, unanswered } = rates.judges[j]!;
          const { value, interval } = row.change[kind];
          return [
            ...[side.role, side.model, side.carriedFrom, run.seed, row.name, row.layer, unit, row.strength],
            ...[kind, rates.prompts, rates.responses, name, question],
            ...[...meanCells(yes), ...meanCells(no), unanswered, ...meanCells(rates.broken)],
            ...[rates.odds?.value ?? null, rates.tokens, value, interval?.low ?? null, interval?.high ?? null],
            ...[row.damage.klNats, row.damage.top1Agreement],
          ];
        }),
      ),
    ),
  );
  return `${[header, ...rows].map((row) => row.map(toCell).join(",")).join("\n")}\n`;
}

/** RFC 4180: quoted where it must be. */
function toCell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
