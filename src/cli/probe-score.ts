import { mismatch } from "../errors.ts";
import {
  formatNumber,
  type LabelledText,
  readLines,
  readProbe,
  renderTable,
  scoreByProbe,
  scoreTexts,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { describeScores } from "./describe-probe.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { probeTextFlags, readProbeTexts } from "./probe-texts.ts";
import { createProgress } from "./progress.ts";

const name = "probe score";
/** More lines than anyone reads; a file beyond is a corpus. */
const maxLines = 100_000;

export const command: Command = {
  name,
  summary: "score texts by a probe",
  usage: "probe score MODEL PROBE --pairs FILE | --labelled FILE | --text TEXT … | --texts FILE [options]",
  description: `
    The model reads each text where the probe does, and the probe scores it: above 0 is yes; of a logistic probe the score is the log-odds.

    With labels (--pairs, --labelled) accuracy and AUROC are shown with 95 % intervals, beside 20 random directions. Texts that the probe was
    trained on would flatter it: hold some back.`,
  positionals: { least: 2, most: 2 },
  options: {
    ...probeTextFlags,
    text: { type: "string", value: "TEXT", multiple: true, description: "a text to score; may be given several times" },
    texts: { type: "string", value: "FILE", description: "a text on each line" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: 'trimtab probe score demo:s past.safetensors --text "Tom ran home." --text "Tom runs home."',
      explains: "Two texts.",
    },
    {
      line: "trimtab probe score demo:m past-m.safetensors --pairs held-out.jsonl",
      explains: "How well a carried probe does.",
    },
  ],
  async run(args, effects) {
    const labelled = await readProbeTexts(args, name);
    const plain = await readPlainTexts(args);
    if ((labelled === undefined) === (plain.length === 0))
      throw mismatch(
        "usage",
        name,
        "--pairs or --labelled, or --text or --texts",
        labelled ? "both kinds" : "none of them",
      );
    if (args.isSet("special") && !labelled)
      throw mismatch("usage", name, "--special with labelled texts", "--special alone");
    const seed = seedOf(args);
    const probe = await readProbe(args.positionals[1]!);
    const progress = createProgress(effects, { silent: isSilent(args) });
    await using model = await openModelOf(args.positionals[0]!, args, effects, { progress });
    const options = {
      ...(args.isSet("special") && { parseSpecial: true }),
      signal: effects.signal,
      onProgress: ({ done, total }: { done: number; total: number }) =>
        progress.update({ label: "reading texts", done, total, unit: "texts" }),
    };
    if (!labelled) {
      const scores = await scoreTexts(model, probe, plain, options).finally(() => progress.finish());
      showTexts(plain, scores);
      return 0;
    }
    const { source } = labelled;
    const found = await scoreByProbe(model, probe, source, { ...options, seed }).finally(() => progress.finish());
    if (args.isSet("json")) {
      effects.stdout.write(`${JSON.stringify({ ...found, scores: [...found.scores] })}\n`);
      return 0;
    }
    effects.stdout.write(
      renderList([
        ["texts", `${found.scores.length}, of ${found.groups} groups`],
        ["probe", describeScores(found.measured)],
        [
          "random directions",
          `AUROC ${formatNumber(Math.min(...found.random), 3)} to ${formatNumber(Math.max(...found.random), 3)} in ${found.random.length} draws`,
        ],
      ]),
    );
    for (const warning of found.warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;

    function showTexts(texts: readonly LabelledText[], scores: Float64Array): void {
      if (args.isSet("json"))
        effects.stdout.write(
          `${JSON.stringify({ texts: texts.map(({ text }, i) => ({ text, score: scores[i] })) })}\n`,
        );
      else
        effects.stdout.write(
          `${renderTable(
            [{ title: "score", align: "right" }, { title: "text" }],
            texts.map(({ text }, i) => [formatNumber(scores[i], 3), text.length > 80 ? `${text.slice(0, 79)}…` : text]),
          )}\n`,
        );
    }
  },
};

/** Texts without labels, of the command line and of a file. */
async function readPlainTexts(args: Arguments): Promise<LabelledText[]> {
  const found = args.texts("text").map((text, i) => ({ text, where: `--text ${i + 1}` }));
  const path = args.text("texts");
  if (path !== undefined)
    for await (const { text, line } of readLines(path)) {
      if (text.trim() === "") continue;
      if (found.length === maxLines)
        throw mismatch("bad-input", `${path}:${line}`, `at most ${maxLines} texts`, "one more");
      found.push({ text, where: `${path}:${line}` });
    }
  if (path !== undefined && found.length === 0) throw mismatch("bad-input", path, "at least one text", "none");
  return found.map((text) => ({ ...text, label: false, group: undefined }));
}
