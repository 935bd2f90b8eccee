import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { mismatch } from "../errors.ts";
import { type Report, renderTable, toTextCells, writeStudy } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";
import type { Effects } from "./effects.ts";

/** Where a study goes: every study command has these. */
export const studyFlags: Readonly<Record<"output" | "force", Flag>> = {
  output: { type: "string", short: "o", value: "DIR", description: "folder for the page, figures, tables and JSON" },
  force: { type: "boolean", short: "f", description: "write into a folder that is not empty" },
};

/**
 * Checks, before the work, where a study will be written: `-o` is given, is a folder that is empty or not there yet (unless `--force`), and may
 * be written. Returns its path.
 *
 * @throws usage, io
 */
export async function checkStudyFolder(args: Arguments, command: string): Promise<string> {
  const path = args.text("output");
  if (path === undefined)
    throw mismatch("usage", command, "-o DIR", "none", { hint: "the folder gets the page, figures, tables and JSON" });
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw mismatch("io", "--output", `to look at ${path}`, error.message, { cause: error });
  });
  if (found && !found.isDirectory()) throw mismatch("usage", "--output", "a folder", `the file ${path}`);
  if (found && (await readdir(path)).length > 0 && !args.isSet("force"))
    throw mismatch("usage", "--output", `an empty folder, or none yet, at ${path}`, "one with files in it", {
      hint: "choose another name, or add --force to write into it",
    });
  const holder = found ? path : dirname(path);
  await access(holder, constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
    const got = cause.code === "ENOENT" ? "nothing there" : "no permission";
    throw mismatch("io", "--output", `to write in ${holder}`, got, { cause });
  });
  return path;
}

export interface StudyOutput {
  /** Name of the result's file, without `.json`. */
  readonly name: string;
  /** The result as plain data. */
  readonly result: unknown;
  readonly report: Report;
}

/** Writes a study into its folder and shows it: every table, the answer, warnings, where it is; or all of it as JSON. */
export async function showStudy(
  folder: string,
  study: StudyOutput,
  { args, effects }: { readonly args: Arguments; readonly effects: Effects },
): Promise<void> {
  const { report, result } = study;
  const wrote = await writeStudy(folder, study, { signal: effects.signal });
  if (args.isSet("json")) {
    effects.stdout.write(`${JSON.stringify({ wrote, answer: report.answer, warnings: report.warnings, result })}\n`);
    return;
  }
  for (const { title, table, basis } of report.sections.flatMap(({ figures }) => figures)) {
    const { columns, rows } = toTextCells(table);
    effects.stdout.write(`\n${title}\n${renderTable(columns, rows)}\n${basis}\n`);
  }
  effects.stdout.write(`\n${report.answer.join("\n")}\n\nwrote ${wrote[0]}\n`);
  for (const warning of report.warnings) effects.stderr.write(`warning: ${warning}\n`);
}
