import { mismatch } from "../errors.ts";
import {
  defaultLayerPair,
  parseLayerPair,
  readSae,
  residPost,
  resolveCorpus,
  studySae,
  toSaeReport,
} from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study sae";

export const command: Command = {
  name,
  summary: "measure what a carried autoencoder explains, and what training from it saves",
  usage: "study sae SOURCE TARGET --corpus PATH -o DIR [options]",
  description: `
    A sparse autoencoder is trained on one model and carried to the other by maps both ways. How much of the other model's states does it
    explain without training? And if training goes on from there, how much is saved over training from scratch: with the same rows, the
    same order, the same steps? The maps and the first autoencoder cost something too; that is counted and shown apart.

    All scores are on documents that neither maps nor autoencoders have seen. Beside them stand what the maps alone keep, there and back,
    and nulls: carried through maps of wrongly paired rows, untrained directions, permuted decoder rows. The table of features says
    which of them are active on the same tokens in both models.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: { type: "string", value: "PATH", description: "text for maps, training and scores" },
    layers: {
      type: "string",
      value: "A:B",
      description: "layer of each model",
      default: "the middle, at equal relative depth",
    },
    sae: { type: "string", value: "PATH", description: "an autoencoder of SOURCE, instead of training one a seed" },
    kind: { type: "string", value: "NAME", description: "topk, batchtopk or jumprelu", default: "topk" },
    features: { type: "string", value: "N", description: "features", default: "512" },
    k: { type: "string", value: "N", description: "active features of a row", default: "16" },
    steps: { type: "string", value: "N", description: "steps of each training", default: "400" },
    batch: { type: "string", value: "N", description: "rows of a step", default: "512" },
    seeds: { type: "string", value: "N", description: "trainings of each kind", default: "2" },
    "max-tokens": { type: "string", value: "N", description: "tokens read of the corpus", default: "60000" },
    "no-loss": { type: "boolean", description: "do not measure the model's loss" },
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study sae demo:s demo:m --corpus stories.txt -o sae-study",
      explains: "Small to large in the package's family, in a few minutes.",
    },
    {
      line: "trimtab study sae 2b.gguf 9b.gguf --corpus pile/ --layers 12:20 --sae gemma-scope-2b -o sae-study",
      explains: "With an autoencoder that is there already.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const folder = await checkStudyFolder(args, name);
    const path = args.text("corpus");
    if (path === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
    const pair = args.isSet("layers") ? parseLayerPair(args.text("layers")!) : undefined;
    const saePath = args.text("sae");
    const settings = {
      kind: args.choice("kind", ["topk", "batchtopk", "jumprelu"]),
      features: args.whole("features", 2, 1 << 22),
      k: args.whole("k", 1, 1 << 20),
      steps: args.whole("steps", 2, 1e9),
      batch: args.whole("batch", 1, 1 << 20),
      seeds: args.whole("seeds", 1, 100),
    };
    for (const flag of ["kind", "features"] as const)
      if (saePath !== undefined && settings[flag] !== undefined)
        throw mismatch("usage", name, `--sae or --${flag}`, "both", { hint: "the autoencoder says which it is" });
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    const maxTokens = args.whole("max-tokens", 1000, Number.MAX_SAFE_INTEGER);
    const seed = seedOf(args);
    const corpus = await resolveCorpus(path);
    const sae = saePath === undefined ? undefined : await readSae(saePath);
    const progress = createProgress(effects, { silent: isSilent(args) });
    await using source = await openModelOf(args.positionals[0]!, args, effects, { progress });
    await using target = await openModelOf(args.positionals[1]!, args, effects, { progress });
    const layers = pair ?? defaultLayerPair(source.description.blocks, target.description.blocks);
    const sites = { source: sae?.origin.site ?? residPost(layers.source), target: residPost(layers.target) };
    if (sae?.origin.site && pair && sae.origin.site.layer !== pair.source)
      throw mismatch(
        "usage",
        "--layers",
        `source layer ${sae.origin.site.layer}, where the autoencoder reads`,
        `${pair.source}`,
      );
    const result = await studySae(source, target, {
      ...given,
      corpus,
      sites,
      sae,
      ...(maxTokens !== undefined && { maxTokens }),
      hasLoss: !args.isSet("no-loss"),
      seed,
      signal: effects.signal,
      onProgress: ({ label, done, total }) => progress.update({ label, done, total, unit: "steps" }),
    }).finally(() => progress.finish());
    const models = [
      { role: "source", model: result.source },
      { role: "target", model: result.target },
    ] as const;
    const run = toRunRecord(models, effects, {
      title: "A carried autoencoder",
      seed,
      start,
      warnings: result.warnings,
    });
    await showStudy(folder, { name: "sae", result, report: toSaeReport(result, run) }, { args, effects });
    return 0;
  },
};
