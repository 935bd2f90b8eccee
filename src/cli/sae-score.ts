import { mismatch } from "../errors.ts";
import { type CorpusPart, corpusDigest, readSae, residPost, type Sae, scoreSae } from "../index.ts";
import type { Command } from "./command.ts";
import { describeSaeScores } from "./describe-sae-scores.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { readSaeCorpus, saeTextFlags } from "./sae-text.ts";

const name = "sae score";

export const command: Command = {
  name,
  summary: "score a sparse autoencoder: what it explains, and what is left of the model",
  usage: "sae score MODEL --sae DIR [--corpus PATH] [options]",
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
    sae: { type: "string", value: "DIR", description: "the autoencoder: a folder or file that readers know" },
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
      line: "trimtab sae score gemma-2b.gguf --sae gemma-scope/layer_12/width_16k/average_l0_82 --corpus pile/ --layer 12",
      explains: "Somebody else's autoencoder on your text.",
    },
  ],
  async run(args, effects) {
    const path = args.text("sae");
    if (path === undefined) throw mismatch("usage", name, "--sae DIR", "none", { hint: "trimtab sae train makes one" });
    const asked = args.choice("part", ["held-out", "training", "all"] as const);
    const sae = await readSae(path);
    const corpus = await readSaeCorpus(args, name);
    const layer = args.whole("layer", 0, 1 << 20);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const trained = trainingText(sae);
    const context = args.whole("context", 2, 1 << 20) ?? trained?.context;
    try {
      await using model = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      const isSame = trained !== undefined && trained.corpusSha256 === (await corpusDigest(corpus));
      const part: CorpusPart = asked ?? (isSame ? "held-out" : "all");
      const scores = await scoreSae(model, sae, {
        ...(layer !== undefined && { site: residPost(layer) }),
        corpus,
        context,
        part,
        maxTokens: args.whole("max-tokens", 1, Number.MAX_SAFE_INTEGER),
        // The split is that of the training, whatever the seed of this command draws.
        seed: args.isSet("seed") || !trained ? seedOf(args) : trained.splitSeed,
        hasLoss: !args.isSet("no-loss"),
        signal: effects.signal,
        onProgress: (state) => progress.update({ label: "scoring", ...state, unit: "steps" }),
      });
      progress.finish();
      if (args.isSet("json")) effects.stdout.write(`${JSON.stringify(scores)}\n`);
      else effects.stdout.write(describeSaeScores(scores));
      if (!args.isSet("json")) for (const warning of scores.warnings) effects.stderr.write(`warning: ${warning}\n`);
    } finally {
      progress.finish();
    }
    return 0;
  },
};

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
