import { mismatch } from "../errors.ts";
import { parseLayerGrid, resolveCorpus, studyStitch, toRunModel, toStitchReport } from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags, threadsOf } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { openUntrained } from "./open-untrained.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study stitch";

export const command: Command = {
  name,
  summary: "measure stitched models at every pair of cut points: loss against cost",
  usage: "study stitch SOURCE TARGET --corpus PATH -o DIR [options]",
  description: `
    Early blocks of the small model, a map, late blocks of the large one. At every pair of cut points: held-out loss in nats per token with
    an interval over documents, beside both models alone and nulls: a map of shuffled pairs, a constant row, a table by the current token
    alone, a source that was never trained (--untrained). And what it costs: parameters, bytes, compute, measured time per token.

    One reading of the text fits all maps by least squares. The pairs that do best on validation documents are then tuned on the loss
    itself, and scored again on the documents held out.

    Expect a stitched model to be worse than the small model alone: the answer says so where it is.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: {
      type: "string",
      value: "PATH",
      description: "text to fit, choose and score on: .txt, .jsonl, .gz, a folder",
    },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layers to cut at, each with each: 4-10:8-20",
      default: "all:all",
    },
    "max-rows": { type: "string", value: "N", description: "rows that maps are fitted on", default: "40000" },
    "held-out": { type: "string", value: "N", description: "documents that are scored", default: "40" },
    validation: { type: "string", value: "N", description: "documents that choose", default: "20" },
    tune: { type: "string", value: "N", description: "maps to tune, 0 for none", default: "3" },
    "tune-on": { type: "string", value: "N", description: "documents to tune on", default: "200" },
    untrained: { type: "boolean", description: "also from a source that was never trained: reads the text again" },
    tail: {
      type: "string",
      value: "WAY",
      description: "how the late blocks are run: auto, memory, file or whole (see trimtab stitch --help)",
      default: "auto",
    },
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study stitch demo:s demo:m --corpus models/data/corpus.jsonl.gz -o stitch",
      explains: "All 24 pairs of the package's own models.",
    },
    {
      line: "trimtab study stitch 2b.gguf 9b.gguf --corpus pile/ --layers 8-20:12-36 --tune 0 -o stitch",
      explains: "The middle of two large ones, by least squares only.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const folder = await checkStudyFolder(args, name);
    const path = args.text("corpus");
    if (path === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
    const grid = args.isSet("layers") ? parseLayerGrid(args.text("layers")!) : undefined;
    const seed = seedOf(args);
    const options = {
      grid,
      seed,
      maxRows: args.whole("max-rows", 1, Number.MAX_SAFE_INTEGER),
      heldOut: args.whole("held-out", 2, 1_000_000),
      validation: args.whole("validation", 1, 1_000_000),
      tune: args.whole("tune", 0, 10_000),
      tuning: args.whole("tune-on", 1, 1_000_000),
      way: args.choice("tail", ["auto", "memory", "file", "whole"]),
      threads: threadsOf(args),
    };
    const corpus = await resolveCorpus(path);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using source = await openModelOf(args.positionals[0]!, args, effects, { progress });
      await using target = await openModelOf(args.positionals[1]!, args, effects, { progress });
      await using untrained = args.isSet("untrained")
        ? await openUntrained(source, args, effects, { progress, context: source.context, seed })
        : undefined;
      const result = await studyStitch(source, target, {
        ...options,
        corpus,
        untrained: untrained?.model,
        clock: effects.clock,
        signal: effects.signal,
        onProgress: ({ label, done, total }) => progress.update({ label, done, total, unit: "" }),
      });
      progress.finish();
      const models = [
        { role: "source", model: await toRunModel(source) },
        { role: "target", model: await toRunModel(target) },
      ] as const;
      const run = toRunRecord(models, effects, { title: "Stitched models", seed, start, warnings: [] });
      await showStudy(folder, { name: "stitch", result, report: toStitchReport(result, run) }, { args, effects });
      return 0;
    } finally {
      progress.finish();
    }
  },
};
