import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  checkSameTokenizer,
  defaultLayerPair,
  defaultRows,
  demoData,
  type FeatureConceptInput,
  fitFeatureMap,
  fitMap,
  readContrastSet,
  readNeutralText,
  readPrompts,
  residPost,
  resolveCorpus,
  resolveScorer,
  studyFeatures,
  toFeaturesReport,
  toRunModel,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { codedModelOf, readCodedWords, trainingFlags } from "./coded-models.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { parseStrengthList } from "./strength-list.ts";
import { showStudy, studyFlags } from "./study-output.ts";

const name = "study features";

export const command: Command = {
  name,
  summary: "steer a large model by features of a small one, in two ways, at equal damage",
  usage: "study features SOURCE TARGET --corpus PATH -o DIR [options]",
  description: `
    A feature of the small model's autoencoder can steer the large model in two ways. s2l: a map learned from feature activations straight to
    the large model's hidden states; its row for the feature is the vector. l2l: the feature's decoder direction, carried by a map between
    hidden states. Both maps are fitted here on the same rows.

    For each concept the feature that tells its pairs apart is chosen on the small model; the large model then writes with either vector, and
    what the texts show is set beside the damage on neutral text. Beside the two: the large model's own contrast vector, features drawn by
    chance and carried like the right one, and random directions, all of the same lengths.

    Without --pairs, the three concepts of the paper on the package's family: capitals, dog, french.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: { type: "string", value: "PATH", description: "text to train and fit on, a file or a folder" },
    sae: { type: "string", value: "DIR", description: "autoencoder of SOURCE", default: "trained here" },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layer",
      default: "the middle, at equal depth",
    },
    pairs: {
      type: "string",
      value: "FILE=SCORE",
      multiple: true,
      description: "a concept's pairs, and the score that counts it in text, as evaluate text has it",
    },
    prompts: { type: "string", value: "FILE", description: "beginnings to continue", default: "those of the package" },
    strengths: { type: "string", value: "LIST", description: "in median row norms", default: "0.25n,0.5n,0.75n,1n" },
    samples: { type: "string", value: "N", description: "texts of each prompt", default: "1" },
    random: { type: "string", value: "N", description: "random directions", default: "3" },
    wrong: { type: "string", value: "N", description: "features drawn by chance", default: "2" },
    "max-rows": {
      type: "string",
      value: "N",
      description: "rows that the maps are fitted on",
      default: "20 a dimension, at least 20000",
    },
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    ...trainingFlags,
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study features demo:s demo:m --corpus stories.txt --layers 1:1 -o features",
      explains: "Capitals, dogs and French, by features of the small model.",
    },
    {
      line: "trimtab study features 2b.gguf 9b.gguf --corpus pile/ --sae layer_12 --pairs fr.jsonl=language:fr -o fr",
      explains: "With a published autoencoder and a concept of your own.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const { folder, path, pair, context, seed } = await readCodedWords(args, name);
    const { unit, strengths } = parseStrengthList(args.text("strengths") ?? "0.25n,0.5n,0.75n,1n", "--strengths");
    if (unit !== "rms" || strengths.some((strength) => strength <= 0))
      throw mismatch(
        "usage",
        "--strengths",
        "strengths above 0 in median norms, such as 0.5n",
        args.text("strengths")!,
      );
    const concepts = await readConcepts(args);
    const prompts = await readPrompts(args.text("prompts") ?? demoData("prompts.jsonl"), { signal: effects.signal });
    const corpus = await resolveCorpus(path);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using small = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      await using large = await openModelOf(args.positionals[1]!, args, effects, { progress, context });
      // Before an autoencoder is trained, not when the maps are fitted.
      checkSameTokenizer(small.description, large.description);
      const layers = pair ?? defaultLayerPair(small.description.blocks, large.description.blocks);
      const { coded, warnings } = await codedModelOf(small, args, {
        flag: "sae",
        site: residPost(layers.source),
        isAsked: pair !== undefined,
        corpus,
        context,
        progress,
        effects,
      });
      const maxRows = args.whole("max-rows", 100, Number.MAX_SAFE_INTEGER) ?? defaultRows(small.description.width);
      const fitting = {
        corpus,
        sourceSite: coded.site,
        targetSite: residPost(layers.target),
        context,
        maxRows,
        seed,
        signal: effects.signal,
        onProgress: ({ rows }: { readonly rows: number }) =>
          progress.update({ label: "reading hidden states", done: rows, total: maxRows, unit: "rows" }),
      };
      progress.note("fitting the map from features and the map between hidden states");
      const s2l = await fitFeatureMap(small, large, { ...fitting, sae: coded.sae, saeName: coded.saeName });
      const { map: l2l, warnings: mapWarnings } = await fitMap(small, large, fitting);
      const study = await studyFeatures(coded, large, {
        concepts,
        s2l,
        l2l,
        prompts,
        strengths,
        neutral: await readNeutralText(large),
        samples: args.whole("samples", 1, 1000),
        random: args.whole("random", 0, 1000),
        wrong: args.whole("wrong", 0, 100),
        seed,
        signal: effects.signal,
        onProgress: ({ concept, done, total }) => progress.update({ label: concept, done, total, unit: "steps" }),
      });
      progress.finish();
      const models = [
        { role: "source", model: await toRunModel(small) },
        { role: "target", model: await toRunModel(large) },
      ] as const;
      const run = toRunRecord(models, effects, {
        title: "Steering by features",
        seed,
        start,
        warnings: [...warnings, ...mapWarnings],
      });
      await showStudy(
        folder,
        { name: "features", result: study, report: toFeaturesReport(study, run) },
        { args, effects },
      );
    } finally {
      progress.finish();
    }
    return 0;
  },
};

/** The concepts of the paper's third figure, as the package's family can show them. */
const ownConcepts = [
  ["capitals", "capitals"],
  ["dog", "words:lexicons.json:dog"],
  ["french", "language:fr"],
] as const;

async function readConcepts(args: Arguments): Promise<FeatureConceptInput[]> {
  const given = args.texts("pairs");
  if (given.length === 0)
    return Promise.all(
      ownConcepts.map(async ([concept, score]) => ({
        name: concept,
        pairs: await readContrastSet(demoData(`pairs/${concept}.jsonl`)),
        scorer: await resolveScorer(score.replace("lexicons.json", demoData("lexicons.json"))),
      })),
    );
  const concepts: FeatureConceptInput[] = [];
  for (const text of given) {
    const [, file, score] = /^(.+?)=(.+)$/s.exec(text) ?? [];
    if (file === undefined || score === undefined)
      throw mismatch("usage", "--pairs", "FILE=SCORE", JSON.stringify(text), { hint: "such as fr.jsonl=language:fr" });
    const concept = basename(file).replace(/\..*$/, "");
    if (concepts.some((other) => other.name === concept))
      throw mismatch("usage", "--pairs", "files of different names", `${concept} twice`);
    concepts.push({ name: concept, pairs: await readContrastSet(file), scorer: await resolveScorer(score) });
  }
  return concepts;
}
