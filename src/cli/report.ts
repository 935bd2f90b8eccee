import { readRunFolder, writeReport } from "../index.ts";
import type { Command } from "./command.ts";
import { shownFlags } from "./flags.ts";
import { checkOutput } from "./output-path.ts";

export const command: Command = {
  name: "report",
  summary: "show the results of a run as one page",
  usage: "report FOLDER [-o FILE]",
  description: `
    Reads the results that evaluate, sweep and reproduce left in a folder and writes them as one page that needs nothing else: what was
    asked, with what, the answer in three sentences made from the numbers, and every figure with its table, n, seed and interval. The
    page has no scripts and fetches nothing; it can be read on a phone, printed and sent.

    Beside it report.json holds all numbers and sentences, and tables/ the table of each figure as CSV. Nothing is computed again: the
    page of a folder can be made anew at any time, also of folders from other machines.`,
  positionals: { least: 1, most: 1 },
  options: {
    output: { type: "string", short: "o", value: "FILE", description: "page to write", default: "FOLDER/report.html" },
    force: { type: "boolean", short: "f", description: "replace the page of -o if it is there" },
    ...shownFlags,
  },
  examples: [
    { line: "trimtab report runs/lrt-demo", explains: "Writes runs/lrt-demo/report.html." },
    { line: "trimtab report runs/lrt-demo -o result.html", explains: "The same page under another name." },
  ],
  async run(args, effects) {
    const output = args.isSet("output") ? await checkOutput(args, [".html"]) : undefined;
    const folder = await readRunFolder(args.positionals[0]!);
    const { report, wrote } = await writeReport(folder, {
      ...(output !== undefined && { output }),
      signal: effects.signal,
    });
    if (args.isSet("json")) {
      effects.stdout.write(`${JSON.stringify({ wrote, answer: report.answer, warnings: report.warnings })}\n`);
      return 0;
    }
    effects.stdout.write(`${report.answer.join("\n")}\n\nwrote ${wrote[0]}\n`);
    return 0;
  },
};
