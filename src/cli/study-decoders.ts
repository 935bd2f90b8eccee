import {
  checkSameTokenizer,
  defaultLayerPair,
  fitMap,
  formatSite,
  residPost,
  resolveCorpus,
  studyDecoders,
  toDecodersReport,
  toRunModel,
} from "../index.ts";
import { codedModelOf, readCodedWords, trainingFlags } from "./coded-models.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { showStudy, studyFlags } from "./study-output.ts";

const name = "study decoders";

export const command: Command = {
  name,
  summary: "ask whether the decoder of one model's autoencoder is a linear image of another's",
  usage: "study decoders SOURCE TARGET --corpus PATH -o DIR [options]",
  description: `
    If both models write the same features into their hidden states, each in its own basis, then the decoder matrices of their sparse
    autoencoders are linear images of one another. Both models read the same text; features are matched by when they are active, never by
    what they write; and the matched rows of one decoder are fitted on those of the other by least squares.

    A matrix fits a share of anything that it sees, so rows are held out, and the same is done with features permuted and with random
    matrices. A map between the hidden states, fitted from the same text, is asked whether it carries a decoder direction to its match.

    Autoencoders are trained here unless --source-sae and --target-sae name some.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: { type: "string", value: "PATH", description: "text to read, a file or a folder" },
    "source-sae": { type: "string", value: "DIR", description: "autoencoder of SOURCE", default: "trained here" },
    "target-sae": { type: "string", value: "DIR", description: "autoencoder of TARGET", default: "trained here" },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layer",
      default: "the middle, at equal depth",
    },
    least: {
      type: "string",
      value: "R",
      description: "correlation at which two features count as one",
      default: "0.3",
    },
    "max-rows": { type: "string", value: "N", description: "rows that features are matched on", default: "20000" },
    draws: { type: "string", value: "N", description: "draws of each null", default: "20" },
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    ...trainingFlags,
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study decoders demo:s demo:m --corpus stories.txt --layers 1:1 -o decoders",
      explains: "Trains both autoencoders, matches their features, relates their decoders.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const { folder, path, pair, context, seed } = await readCodedWords(args, name);
    const least = args.number("least", 0.01, 1);
    const draws = args.whole("draws", 2, 1000);
    const maxRows = args.whole("max-rows", 100, Number.MAX_SAFE_INTEGER) ?? 20_000;
    const corpus = await resolveCorpus(path);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using small = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      await using large = await openModelOf(args.positionals[1]!, args, effects, { progress, context });
      // Before autoencoders are trained, not when the map between the models is fitted.
      checkSameTokenizer(small.description, large.description);
      const layers = pair ?? defaultLayerPair(small.description.blocks, large.description.blocks);
      const shared = { isAsked: pair !== undefined, corpus, context, progress, effects };
      const source = await codedModelOf(small, args, { ...shared, flag: "source-sae", site: residPost(layers.source) });
      const target = await codedModelOf(large, args, { ...shared, flag: "target-sae", site: residPost(layers.target) });
      progress.note(`fitting a map ${formatSite(source.coded.site)} to ${formatSite(target.coded.site)}`);
      const { map } = await fitMap(small, large, {
        corpus,
        sourceSite: source.coded.site,
        targetSite: target.coded.site,
        context,
        seed,
        signal: effects.signal,
      });
      const study = await studyDecoders(source.coded, target.coded, {
        corpus,
        maxRows,
        context,
        least,
        draws,
        map,
        seed,
        signal: effects.signal,
        onProgress: ({ rows }) =>
          progress.update({ label: "matching features", done: rows, total: maxRows, unit: "rows" }),
      });
      progress.finish();
      const models = [
        { role: "source", model: await toRunModel(small) },
        { role: "target", model: await toRunModel(large) },
      ] as const;
      const warnings = [...source.warnings, ...target.warnings];
      const run = toRunRecord(models, effects, { title: "Decoders of two models", seed, start, warnings });
      await showStudy(
        folder,
        { name: "decoders", result: study, report: toDecodersReport(study, run) },
        { args, effects },
      );
    } finally {
      progress.finish();
    }
    return 0;
  },
};
