import { stat } from "node:fs/promises";
import { join } from "node:path";
import { mismatch } from "../errors.ts";
import {
  checkSaeModel,
  estimateTraining,
  readSae,
  residPost,
  resolveTrainSettings,
  type Sae,
  type SaeScores,
  scoreSae,
  type TrainOptions,
  type TrainProgress,
  type TrainSettings,
  trainModelSae,
  writeSae,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { checkpointOf } from "./checkpoint.ts";
import type { Command } from "./command.ts";
import { describeSaeScores } from "./describe-sae-scores.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress, type Progress } from "./progress.ts";
import { readSaeCorpus, saeTextFlags } from "./sae-text.ts";
import { checkStudyFolder, studyFlags } from "./study-output.ts";
import { formatBytes } from "./units.ts";

const name = "sae train";
/** Held-out tokens that the scores at the end are taken on, at most. */
const scoredTokens = 20_000;

export const command: Command = {
  name,
  summary: "train a sparse autoencoder on a model's hidden states",
  usage: "sae train MODEL -o DIR [--layer L] [--corpus PATH] [options]",
  description: `
    A hidden state holds many things at once, laid over each other. A sparse autoencoder learns a long list of directions, its features, so
    that every state is nearly the sum of a few of them. The model reads the text; each of its hidden states after block L is one row
    to learn from.

    --kind says what keeps features few: topk takes the K largest of a row; batchtopk K a row on average; jumprelu gives each feature a threshold
    of its own and learns it, drawn to --l0 active features a row. More active features explain more and mean less.
    Features that stay silent are drawn to what the others leave unexplained.

    Of every ten documents one is held out. At the end the autoencoder is scored there, beside an untrained one, one with its features
    shuffled, and the mean row; trimtab sae score does the same later. Steps beyond one pass go over the rows again in another order. Rows that
    do not fit --buffer are read anew in each pass, and shuffled within the buffer.

    The run is saved about once a minute as DIR.partial, and when it is interrupted: the same command goes on from there, to the same
    result. DIR is a folder that SAELens reads too.`,
  positionals: { least: 1, most: 1 },
  options: {
    layer: { type: "string", value: "L", description: "block whose output is coded, from 0", default: "the middle" },
    ...saeTextFlags,
    from: {
      type: "string",
      value: "PATH",
      description: "autoencoder to start from, such as one of sae transfer; kind, features and layer are its own",
    },
    kind: { type: "string", value: "KIND", description: "topk, jumprelu or batchtopk", default: "topk" },
    features: { type: "string", value: "N", description: "directions to learn", default: "4096" },
    k: { type: "string", value: "K", description: "active features a row, of topk and batchtopk", default: "32" },
    l0: { type: "string", value: "N", description: "active features a row to be drawn to, of jumprelu", default: "32" },
    steps: { type: "string", value: "N", description: "steps to take", default: "2000, or one pass if that is more" },
    epochs: { type: "string", value: "X", description: "passes over the rows, in place of --steps" },
    batch: { type: "string", value: "N", description: "rows of a step", default: "1024" },
    "learning-rate": { type: "string", value: "X", description: "step length of Adam", default: "by the features" },
    "dead-after": {
      type: "string",
      value: "N",
      description: "rows without activity after which a feature is revived",
      default: "100000",
    },
    buffer: { type: "string", value: "ROWS", description: "rows held and shuffled together", default: "1 GiB of them" },
    "no-loss": { type: "boolean", description: "do not measure the model's loss in the scores" },
    ...studyFlags,
    output: { type: "string", short: "o", value: "DIR", description: "folder to write the autoencoder to" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae train demo:s --layer 1 --features 1024 --k 32 -o sae-s",
      explains: "In the package's family, on its own stories.",
    },
    {
      line: "trimtab sae train demo:m --from sae-m --steps 400 -o sae-m-trained",
      explains: "Further, from one that was carried there.",
    },
    {
      line: "trimtab sae train gemma-2b.gguf --layer 12 --corpus pile/ --features 16384 --kind jumprelu --l0 64 -o sae",
      explains: "Thresholds that are learnt; the text is a folder.",
    },
  ],
  async run(args, effects) {
    const initial = await readInitial(args);
    const options = readTrainOptions(args, initial);
    const folder = await checkSaeFolder(args);
    const corpus = await readSaeCorpus(args, name);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const context = args.whole("context", 2, 1 << 20);
    try {
      await using model = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
      const { blocks, width } = model.description;
      const layer = args.whole("layer", 0, blocks - 1) ?? initial?.origin.site?.layer ?? (blocks - 1) >> 1;
      const site = initial
        ? checkSaeModel(initial, model.description, { site: residPost(layer) }).site
        : residPost(layer);
      // Wrong settings, and what cannot fit, are named before the text is read.
      checkTrainingMemory(resolveTrainSettings(options, width), width, effects);
      const text = { site, corpus, context, maxTokens: args.whole("max-tokens", 1, Number.MAX_SAFE_INTEGER) };
      const checkpoint = checkpointOf(folder, effects);
      const trained = await trainModelSae(model, {
        ...text,
        ...options,
        initial,
        checkpoint: checkpoint.options,
        signal: effects.signal,
        onResume: (step) => effects.stderr.write(`going on from step ${step} of an earlier run\n`),
        onProgress: (state) => progress.update(toProgress(state)),
      });
      const scores = await scoreSae(model, trained, {
        ...text,
        maxTokens: Math.min(text.maxTokens ?? scoredTokens, scoredTokens),
        part: "held-out",
        seed: options.seed ?? 0,
        hasLoss: !args.isSet("no-loss"),
        signal: effects.signal,
        onProgress: (state) => progress.update({ label: "scoring", ...state, unit: "steps" }),
      });
      const sae: Sae = { ...trained, origin: { ...trained.origin, facts: { ...trained.origin.facts, scores } } };
      await writeSae(folder, sae, { signal: effects.signal });
      await checkpoint.remove();
      progress.finish();
      show(sae, scores, { folder, args, effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};

/** The autoencoder that training starts from. @throws usage for settings that it decides */
async function readInitial(args: Arguments): Promise<Sae | undefined> {
  const path = args.text("from");
  if (path === undefined) return undefined;
  for (const flag of ["kind", "features"])
    if (args.isSet(flag))
      throw mismatch("usage", name, `--from or --${flag}`, "both", { hint: "the autoencoder says which it is" });
  return readSae(path);
}

const kinds = ["topk", "jumprelu", "batchtopk"] as const;

function kindOf({ activation }: Sae): (typeof kinds)[number] {
  const kind = kinds.find((each) => each === activation);
  if (kind === undefined)
    throw mismatch(
      "unsupported",
      "--from",
      `an autoencoder of a kind that is trained: ${kinds.join(", ")}`,
      activation,
    );
  return kind;
}

/** The settings of a command line; those not given are left to the library. */
function readTrainOptions(args: Arguments, initial: Sae | undefined): TrainOptions {
  const kind = initial ? kindOf(initial) : (args.choice("kind", kinds) ?? "topk");
  const [ours, other] = kind === "jumprelu" ? (["l0", "k"] as const) : (["k", "l0"] as const);
  if (args.isSet(other))
    throw mismatch("usage", `--kind ${kind}`, `--${ours}`, `--${other}`, { hint: "each kind has its own measure" });
  if (args.isSet("steps") && args.isSet("epochs"))
    throw mismatch("usage", name, "--steps or --epochs", "both", { hint: "either says how long to train" });
  const features = initial?.features ?? args.whole("features", 2, 2 ** 22) ?? 4096;
  const k = (kind === "topk" ? args.whole("k", 1, features) : args.number(ours, 0.01, features)) ?? initial?.k;
  return {
    kind,
    features,
    k,
    steps: args.whole("steps", 1, 2 ** 40),
    epochs: args.number("epochs", 1e-6, 1e6),
    batch: args.whole("batch", 1, 2 ** 20),
    learningRate: args.number("learning-rate", 1e-9, 10),
    deadAfter: args.whole("dead-after", 1, 2 ** 50),
    bufferRows: args.whole("buffer", 1, 2 ** 40),
    seed: seedOf(args),
  };
}

/** Refuses what would end when the system runs out of memory, hours later. @throws unsupported */
function checkTrainingMemory(settings: TrainSettings, width: number, { freeBytes }: Effects): void {
  const { parameters, batch } = estimateTraining(settings, width);
  const free = freeBytes();
  if (parameters + batch > free)
    throw mismatch(
      "unsupported",
      "memory",
      `${formatBytes(parameters + batch)} free for ${settings.features} features of width ${width}`,
      formatBytes(free),
      { hint: "fewer --features, or a smaller --batch" },
    );
}

/** The folder to write, checked before the work. @throws usage, io */
async function checkSaeFolder(args: Arguments): Promise<string> {
  const folder = args.text("output");
  if (folder === undefined)
    throw mismatch("usage", name, "-o DIR", "none", { hint: "the folder gets cfg.json and sae_weights.safetensors" });
  await checkStudyFolder(args, name);
  // With --force files are replaced; a folder with other things in it stays what it is.
  const there = await stat(join(folder, "cfg.json")).catch(() => undefined);
  if (there?.isDirectory()) throw mismatch("usage", "--output", "no folder cfg.json in it", folder);
  return folder.replace(/\/+$/, "");
}

function toProgress({
  step,
  steps,
  loss,
  explained,
  l0,
  dead,
  rows,
}: TrainProgress): Parameters<Progress["update"]>[0] {
  const batch = rows / step;
  const now = `loss ${loss.toFixed(3)}, explained ${explained.toFixed(3)}, active ${l0.toFixed(1)}, dead ${(100 * dead).toFixed(0)} %`;
  return { label: "training", done: rows, total: Math.round(steps * batch), unit: "rows", detail: now };
}

function show(
  sae: Sae,
  scores: SaeScores,
  { folder, args, effects }: { readonly folder: string; readonly args: Arguments; readonly effects: Effects },
): void {
  if (args.isSet("json")) {
    const { width, features, activation, k, origin } = sae;
    effects.stdout.write(
      `${JSON.stringify({ wrote: folder, autoencoder: { width, features, activation, k, origin } })}\n`,
    );
    return;
  }
  effects.stdout.write(`${describeSaeScores(scores)}\nwrote ${folder}\n`);
  for (const warning of scores.warnings) effects.stderr.write(`warning: ${warning}\n`);
}
