import { mismatch } from "../errors.ts";
import {
  corpusDigest,
  readSae,
  renderSaeScorePlot,
  residPost,
  type Sae,
  type ScoredSae,
  type ScoreSaeOptions,
  scoreSae,
  toStandaloneSvg,
  writeFileAtomic,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { describeSaeScores } from "./describe-sae-scores.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";
import { readSaeCorpus, saeTextFlags } from "./sae-text.ts";

const name = "sae score";
const parts = ["held-out", "training", "all"] as const;

export const command: Command = {
  name,
  summary: "score a sparse autoencoder: what it explains, and what is left of the model",
  usage: "sae score MODEL --sae DIR [--sae DIR …] [--corpus PATH] [options]",
  description: `
    The model reads the text, and the autoencoder codes its hidden states. Explained variance says how near the reconstructions come;
    active, how many features a row needs for that.

    A reconstruction may be near and still miss what the model goes on to use. So it is written into the model in place of the states, and
    the model's loss on the text is measured. Recovered is 1 if the model predicts as well as before and 0 if no better than with the mean
    row (or zeros) there; zeros break a model more, so the second number flatters.

    Beside it stand an untrained autoencoder with as many active features, scaled to fit best, and the autoencoder with the directions that
    its features write shuffled.

    Of the text that the autoencoder was trained on only the held-out documents are scored; of other text all are, up to --max-tokens.
    Autoencoders of others: all, and whether they were trained on the text is for you to know.`,
  positionals: { least: 1, most: 1 },
  options: {
    sae: {
      type: "string",
      value: "DIR",
      multiple: true,
      description: "the autoencoder: a folder or file that sae train or others wrote; several are scored in turn",
    },
    svg: { type: "string", value: "FILE", description: "draw the scores against the active features" },
    layer: { type: "string", value: "L", description: "block whose output it codes", default: "where it was trained" },
    ...saeTextFlags,
    "max-tokens": { type: "string", value: "N", description: "score at most this many tokens", default: "20000" },
    part: {
      type: "string",
      value: "PART",
      description: "held-out, training or all of the documents",
      default: "held-out on the text it was trained on, else all",
    },
    "no-loss": { type: "boolean", description: "do not measure the model's loss" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    { line: "trimtab sae score demo:s --sae sae-s", explains: "On the stories that training held out." },
    {
      line: "trimtab sae score demo:s --sae k8 --sae k32 --svg sae-scores.svg",
      explains: "Two beside each other, drawn against their active features.",
    },
    {
      line: "trimtab sae score gemma-2b.gguf --sae gemma-scope/layer_12/width_16k/average_l0_82 --corpus pile/ --layer 12",
      explains: "Somebody else's autoencoder on your text.",
    },
  ],
  async run(args, effects) {
    const paths = args.texts("sae");
    if (paths.length === 0) throw mismatch("usage", name, "--sae DIR", "none", { hint: "trimtab sae train makes one" });
    args.choice("part", parts);
    const svg = args.isSet("svg") ? await checkOutput(args, [".svg"], "svg") : undefined;
    const saes = await Promise.all(paths.map((path) => readSae(path)));
    const corpus = await readSaeCorpus(args, name);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const contexts = saes.map((sae) => trainingText(sae)?.context);
    const context = args.whole("context", 2, 1 << 20) ?? contexts.find((each) => each !== undefined);
    const scored: ScoredSae[] = [];
    try {
      await using model = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      const digest = await corpusDigest(corpus);
      for (const [at, sae] of saes.entries()) {
        const label = saes.length > 1 ? `scoring ${paths[at]}` : "scoring";
        const scores = await scoreSae(model, sae, {
          ...readScoreOptions(args, sae, digest),
          corpus,
          context,
          signal: effects.signal,
          onProgress: (state) => progress.update({ label, ...state, unit: "steps" }),
        });
        progress.finish();
        scored.push({ activation: sae.activation, features: sae.features, scores });
        if (args.isSet("json")) continue;
        if (saes.length > 1) effects.stdout.write(`${at > 0 ? "\n" : ""}${paths[at]}\n\n`);
        effects.stdout.write(describeSaeScores(scores));
        for (const warning of scores.warnings) effects.stderr.write(`warning: ${warning}\n`);
      }
      if (svg !== undefined)
        await writeFileAtomic(svg, Buffer.from(toStandaloneSvg(renderSaeScorePlot(scored))), {
          signal: effects.signal,
        });
      if (args.isSet("json")) {
        const results = scored.map((each, at) => ({ sae: paths[at], ...each.scores }));
        effects.stdout.write(`${JSON.stringify(results.length === 1 ? results[0] : results)}\n`);
      } else if (svg !== undefined) effects.stdout.write(`\nwrote ${svg}\n`);
    } finally {
      progress.finish();
    }
    return 0;
  },
};

/** Which documents are scored, how many tokens, and where; the split is that of the training, whatever else the seed draws. */
function readScoreOptions(args: Arguments, sae: Sae, corpusSha256: string): Omit<ScoreSaeOptions, "corpus"> {
  const trained = trainingText(sae);
  const isSame = trained?.corpusSha256 === corpusSha256;
  const layer = args.whole("layer", 0, 1 << 20);
  return {
    ...(layer !== undefined && { site: residPost(layer) }),
    part: args.choice("part", parts) ?? (isSame ? "held-out" : "all"),
    maxTokens: args.whole("max-tokens", 1, Number.MAX_SAFE_INTEGER),
    seed: args.isSet("seed") || !trained ? seedOf(args) : trained.splitSeed,
    hasLoss: !args.isSet("no-loss"),
  };
}

/** Text, window length and split that an autoencoder of ours was trained with, as its facts say; undefined if they do not. */
function trainingText({ origin }: Sae): { corpusSha256: string; context: number; splitSeed: number } | undefined {
  const source = field(field(origin.facts, "training"), "source");
  const [corpusSha256, context, splitSeed] = [
    field(source, "corpusSha256"),
    field(source, "context"),
    field(source, "splitSeed"),
  ];
  if (typeof corpusSha256 !== "string" || typeof context !== "number" || typeof splitSeed !== "number")
    return undefined;
  return { corpusSha256, context, splitSeed };
}

function field(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null ? (of as Readonly<Record<string, unknown>>)[key] : undefined;
}
