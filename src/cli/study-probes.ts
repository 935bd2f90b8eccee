import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  defaultLayerPair,
  type ProbeConcept,
  parseLayerPair,
  parseReadPosition,
  readContrastSet,
  residPost,
  resolveCorpus,
  studyProbes,
  toProbeReport,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study probes";

export const command: Command = {
  name,
  summary: "measure what linear probes still tell when carried to the other model",
  usage: "study probes SOURCE TARGET --corpus PATH --pairs FILE … -o DIR [options]",
  description: `
    A probe tells from hidden states whether a text has a property. For each set of pairs a probe is trained on one model and carried to
    the other through a map that was fitted on running text: no label of the other model is used. It is measured there, on pairs that
    nothing has seen, beside a probe trained on that model itself. Both ways, for logistic probes and differences of means.

    Beside them stand random directions, probes of shuffled labels, a map fitted on wrongly paired rows, and what the words alone tell
    without any model. Where those words do as well as the probe, no probe shows more than that tokens were read.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: { type: "string", value: "PATH", description: "text that the maps are fitted on" },
    pairs: {
      type: "string",
      value: "FILE",
      multiple: true,
      description: "pairs of texts, a property each; may be given several times",
    },
    layers: {
      type: "string",
      value: "A:B",
      description: "layer of each model",
      default: "the middle, at equal relative depth",
    },
    read: {
      type: "string",
      value: "WHERE",
      description: "all-mean, difference-mean, last, last-content or end-N",
      default: "all-mean",
    },
    "held-out": { type: "string", value: "SHARE", description: "share of the pairs that only score", default: "0.5" },
    "max-rows": {
      type: "string",
      value: "N",
      description: "rows for the maps",
      default: "20 for each dimension, at least 20000",
    },
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study probes demo:s demo:m --corpus stories.txt --pairs past.jsonl --pairs french.jsonl -o probes",
      explains: "Two properties, both ways, in the package's family.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const folder = await checkStudyFolder(args, name);
    const path = args.text("corpus");
    if (path === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
    const pair = args.isSet("layers") ? parseLayerPair(args.text("layers")!) : undefined;
    const readAt = parseReadPosition(args.text("read") ?? "all-mean");
    const heldOut = args.number("held-out", 0.05, 0.95) ?? 0.5;
    const maxRows = args.whole("max-rows", 100, Number.MAX_SAFE_INTEGER);
    const seed = seedOf(args);
    const concepts = await readConcepts(args);
    const corpus = await resolveCorpus(path);
    const progress = createProgress(effects, { silent: isSilent(args) });
    await using source = await openModelOf(args.positionals[0]!, args, effects, { progress });
    await using target = await openModelOf(args.positionals[1]!, args, effects, { progress });
    const layers = pair ?? defaultLayerPair(source.description.blocks, target.description.blocks);
    const result = await studyProbes(source, target, {
      concepts,
      corpus,
      sites: { source: residPost(layers.source), target: residPost(layers.target) },
      readAt,
      heldOut,
      maxRows,
      seed,
      signal: effects.signal,
      onCollect: ({ rows, fraction }) =>
        progress.update({
          label: "reading hidden states",
          done: rows,
          total: fraction > 0 ? Math.round(rows / fraction) : undefined,
          unit: "rows",
        }),
      onConcept: (done, total) => progress.update({ label: "probing", done, total, unit: "concepts" }),
    }).finally(() => progress.finish());
    const models = [
      { role: "source", model: result.source },
      { role: "target", model: result.target },
    ] as const;
    const run = toRunRecord(models, effects, { title: "Carried probes", seed, start, warnings: result.warnings });
    await showStudy(folder, { name: "probes", result, report: toProbeReport(result, run) }, { args, effects });
    return 0;
  },
};

async function readConcepts(args: Arguments): Promise<ProbeConcept[]> {
  const files = args.texts("pairs");
  if (files.length === 0)
    throw mismatch("usage", name, "--pairs FILE", "none", { hint: "a file of pairs for each property" });
  const concepts: ProbeConcept[] = [];
  for (const file of files) {
    const concept = basename(file).replace(/\..*$/, "");
    if (concepts.some((other) => other.name === concept))
      throw mismatch("usage", "--pairs", "files of different names", `${concept} twice`);
    concepts.push({ name: concept, pairs: await readContrastSet(file) });
  }
  return concepts;
}
