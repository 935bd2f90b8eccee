import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mismatch } from "../errors.ts";
import { writeFileAtomic } from "../formats/write-file.ts";
import { formatCsv } from "./data-table.ts";
import { renderReport } from "./render-report.ts";
import type { Report } from "./report.ts";
import type { RunFolder } from "./run-folder.ts";
import { toReport } from "./to-report.ts";

export interface WriteReportOptions {
  /** Where the page goes; default `report.html` in the run folder. */
  readonly output?: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes the report of a run folder: the page, `report.json` with all of its numbers and sentences, and the table of each figure as
 * `tables/<figure>.csv`.
 *
 * @returns the report and the files that were written
 * @throws io, aborted
 */
export async function writeReport(
  folder: RunFolder,
  { output = join(folder.path, "report.html"), signal }: WriteReportOptions = {},
): Promise<{ readonly report: Report; readonly wrote: readonly string[] }> {
  const report = toReport(folder);
  const wrote: string[] = [];
  const write = async (path: string, text: string): Promise<void> => {
    await writeFileAtomic(path, new TextEncoder().encode(text), { signal });
    wrote.push(path);
  };
  const tables = join(folder.path, "tables");
  await mkdir(tables, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw mismatch("io", tables, "a folder to write tables in", error.message, { cause: error });
  });
  await write(output, renderReport(report));
  await write(join(folder.path, "report.json"), formatReport(report));
  for (const { figures } of report.sections)
    for (const { id, table } of figures) await write(join(tables, `${id}.csv`), formatCsv(table));
  return { report, wrote };
}

/** Writes a report as JSON text, without its drawings: they are made of the tables that stand there. */
export function formatReport(report: Report): string {
  return `${JSON.stringify(report, (key, value: unknown) => (key === "svg" ? undefined : value), 1)}\n`;
}
