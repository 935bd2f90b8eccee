import { type RunRecord, rowMeasures, studyWorld, toWorldReport, worldKnobs, worldMeasures } from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study world";

export const command: Command = {
  name,
  summary: "watch the affine map fail in a made-up world, one cause at a time",
  usage: "study world -o DIR [options]",
  description: `
    An affine map between two models exists if both read one sparse code over the same features, each through its own projection. Here is
    such a world, made up, so that the truth is known: one knob is turned at a time, from where the map is exact to where it fails. At each
    value a map is fitted and scored on rows that it did not see, beside the best map that there is; directions of features are carried and
    compared with the target's own; and measures of likeness are taken beside the same rows shuffled.

    No model is read. What a failure looks like here in the numbers is what to look for in those of trimtab fit, sweep and compare.

    Knobs: ${worldKnobs.map(({ name }) => name).join(", ")}.`,
  positionals: { least: 0, most: 0 },
  options: {
    knobs: { type: "string", value: "LIST", description: "knobs to turn", default: "all" },
    measures: {
      type: "string",
      value: "LIST",
      description: "measures of likeness, or all",
      default: `${worldMeasures.length} quick ones`,
    },
    worlds: { type: "string", value: "N", description: "worlds at each value, drawn anew", default: "3" },
    "max-rows": { type: "string", value: "N", description: "rows that measures of likeness see", default: "300" },
    shuffles: { type: "string", value: "N", description: "shuffles of the rows, for their nulls", default: "5" },
    ...studyFlags,
    ...seedFlag,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study world -o world",
      explains: "All knobs in three worlds: the figure of docs/guide/when-maps-exist.md.",
    },
    {
      line: "trimtab study world --knobs noise,sinks --measures linear-cka,mutual-neighbours -o world",
      explains: "Two knobs and two measures, in seconds.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const folder = await checkStudyFolder(args, name);
    const seed = seedOf(args);
    const listOf = (flag: string): readonly string[] | undefined =>
      args
        .text(flag)
        ?.split(",")
        .map((word) => word.trim());
    const asked = listOf("measures");
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      const study = await studyWorld({
        knobs: listOf("knobs"),
        measures: asked?.join() === "all" ? rowMeasures.map((measure) => measure.name) : asked,
        worlds: args.whole("worlds", 1, 1000),
        // Neighbourhood graphs look at 30 candidates a row.
        measuredRows: args.whole("max-rows", 40, 5000),
        shuffles: args.whole("shuffles", 2, 10_000),
        seed,
        signal: effects.signal,
        onProgress: (done, total) => progress.update({ label: "turning knobs", done, total, unit: "worlds" }),
      });
      progress.finish();
      const run: RunRecord = toRunRecord([], effects, {
        title: "When an affine map exists",
        seed,
        start,
        warnings: [],
      });
      await showStudy(folder, { name: "world", result: study, report: toWorldReport(study, run) }, { args, effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};
