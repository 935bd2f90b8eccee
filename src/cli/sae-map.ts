import { join } from "node:path";
import { mismatch } from "../errors.ts";
import {
  checkSaeModel,
  defaultRows,
  equalRelativeDepth,
  fitFeatureMap,
  formatLayerPair,
  parseLayerPair,
  readSae,
  residPost,
  resolveCorpus,
  writeFeatureMap,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { describeFeatureMap, toPlainFeatureMap } from "./describe-feature-map.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkNotInput, checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";

const name = "sae map";
/** What an autoencoder's folder may hold that ends as a map does. */
const weightFiles = [
  "sae_weights.safetensors",
  "params.safetensors",
  "checkpoints/pruned.safetensors",
  "checkpoints/final.safetensors",
];

export const command: Command = {
  name,
  summary: "learn a map from an autoencoder's features to a large model's hidden states",
  usage: "sae map SOURCE TARGET --sae DIR --corpus PATH -o FILE [options]",
  description: `
    Both models read the same text. The small model's hidden states are coded by its autoencoder, and the map learns what each feature, by its
    index, adds to the large model's hidden states: y = f B + p. So a feature of the small model becomes a direction of the large one in
    one step (trimtab sae vector), without going through the small model's hidden states.

    Only features that are active together cost anything, so an autoencoder of 16 thousand features is no obstacle. Of every ten documents
    one is held out for the score and one chooses the penalty, as in trimtab fit: with the same text, seed and rows, its score can be
    set beside that of a map between hidden states. Beside the score stand its nulls: the mean, pairs without a relation, and a table
    by token id.`,
  positionals: { least: 2, most: 2 },
  options: {
    sae: {
      type: "string",
      value: "DIR",
      description: "autoencoder of SOURCE: a folder or file that sae train or others wrote",
    },
    corpus: { type: "string", value: "PATH", description: "text to read, a file or a folder" },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layer",
      default: "the autoencoder's own, to equal relative depth",
    },
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    "max-rows": {
      type: "string",
      value: "N",
      description: "stop after this many rows",
      default: "20 for each dimension, at least 20000",
    },
    lambda: {
      type: "string",
      value: "L",
      multiple: true,
      description: "penalty to use; several are chosen from",
      default: "chosen from 0.001 to 3",
    },
    ...outputFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae map demo:s demo:m --sae sae-s --corpus stories.txt -o s2l.safetensors",
      explains: "From the features of sae-s to the states of demo:m.",
    },
  ],
  async run(args, effects) {
    const [saePath, corpusPath] = [args.text("sae"), args.text("corpus")];
    if (saePath === undefined)
      throw mismatch("usage", name, "--sae DIR", "none", { hint: "trimtab sae train makes one" });
    if (corpusPath === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
    const output = await checkOutput(args, [".safetensors"]);
    await checkNotInput(output, [corpusPath, saePath, ...weightFiles.map((file) => join(saePath, file))]);
    const lambdas = readLambdas(args);
    const sae = await readSae(saePath);
    const corpus = await resolveCorpus(corpusPath);
    const context = args.whole("context", 2, 1 << 20);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using small = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      await using large = await openModelOf(args.positionals[1]!, args, effects, { progress, context });
      const asked = args.text("layers");
      const pair = asked === undefined ? undefined : parseLayerPair(asked);
      const { site, warnings } = checkSaeModel(sae, small.description, {
        ...(pair && { site: residPost(pair.source) }),
        sha256: await small.sha256(),
      });
      const target = pair?.target ?? equalRelativeDepth(site.layer, small.description.blocks, large.description.blocks);
      progress.note(`mapping ${sae.features} features, layers ${formatLayerPair({ source: site.layer, target })}`);
      const map = await fitFeatureMap(small, large, {
        sae,
        saeName: saePath,
        sourceSite: site,
        targetSite: residPost(target),
        corpus,
        context,
        maxRows: args.whole("max-rows", 1, Number.MAX_SAFE_INTEGER) ?? defaultRows(small.description.width),
        lambdas,
        seed: seedOf(args),
        signal: effects.signal,
        onProgress: ({ rows, fraction }) =>
          progress.update({
            label: "reading hidden states",
            done: rows,
            total: fraction > 0 ? Math.round(rows / fraction) : undefined,
            unit: "rows",
          }),
      });
      await writeFeatureMap(output, map, { signal: effects.signal });
      progress.finish();
      if (args.isSet("json"))
        effects.stdout.write(`${JSON.stringify({ wrote: output, warnings, ...toPlainFeatureMap(map) })}\n`);
      else {
        effects.stdout.write(renderList([...describeFeatureMap(map), ["wrote", output]]));
        for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
      }
    } finally {
      progress.finish();
    }
    return 0;
  },
};

function readLambdas(args: Arguments): readonly number[] | undefined {
  const texts = args.texts("lambda").flatMap((text) => text.split(","));
  if (texts.length === 0) return undefined;
  return texts.map((text) => {
    const value = Number(text);
    if (text.trim() !== "" && value > 0 && Number.isFinite(value)) return value;
    throw mismatch("usage", "--lambda", "numbers above 0", JSON.stringify(text));
  });
}
