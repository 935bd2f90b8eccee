import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mismatch } from "../errors.ts";
import { writeFileAtomic } from "../formats/write-file.ts";
import { formatCsv } from "./data-table.ts";
import { toStandaloneSvg } from "./plots/standalone.ts";
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
  options: WriteReportOptions = {},
): Promise<{ readonly report: Report; readonly wrote: readonly string[] }> {
  const report = toReport(folder);
  return { report, wrote: await writeReportFiles(folder.path, report, options) };
}

/**
 * Writes what a study found: its result as `<name>.json`, the page, `report.json`, the table of each figure as `tables/<figure>.csv` and its
 * drawing as `figures/<figure>.svg`.
 *
 * @param study.result - plain data; numbers that are not finite become null
 * @returns the files that were written, the page first
 * @throws io, aborted
 */
export async function writeStudy(
  path: string,
  { name, result, report }: { readonly name: string; readonly result: unknown; readonly report: Report },
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const wrote = [...(await writeReportFiles(path, report, { ...(signal && { signal }) }))];
  const write = async (file: string, text: string): Promise<void> => {
    await writeFileAtomic(file, new TextEncoder().encode(text), { signal });
    wrote.push(file);
  };
  await write(join(path, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`);
  const figures = await makeFolder(join(path, "figures"));
  for (const { id, svg } of report.sections.flatMap((section) => section.figures))
    if (svg !== undefined) await write(join(figures, `${id}.svg`), `${toStandaloneSvg(svg)}\n`);
  return wrote;
}

async function writeReportFiles(
  path: string,
  report: Report,
  { output = join(path, "report.html"), signal }: WriteReportOptions,
): Promise<readonly string[]> {
  const wrote: string[] = [];
  const write = async (file: string, text: string): Promise<void> => {
    await writeFileAtomic(file, new TextEncoder().encode(text), { signal });
    wrote.push(file);
  };
  const tables = await makeFolder(join(path, "tables"));
  await write(output, renderReport(report));
  await write(join(path, "report.json"), formatReport(report));
  for (const { id, table } of report.sections.flatMap(({ figures }) => figures))
    await write(join(tables, `${id}.csv`), formatCsv(table));
  return wrote;
}

async function makeFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw mismatch("io", path, "a folder to write in", error.message, { cause: error });
  });
  return path;
}

/** Writes a report as JSON text, without its drawings: they are made of the tables that stand there. */
export function formatReport(report: Report): string {
  return `${JSON.stringify(report, (key, value: unknown) => (key === "svg" ? undefined : value), 1)}\n`;
}
