import { mismatch } from "../errors.ts";
import {
  checkSite,
  defaultLayerPair,
  formatNumber,
  formatSite,
  parseReadPosition,
  residPost,
  trainProbe,
  writeProbe,
} from "../index.ts";
import type { Command } from "./command.ts";
import { describeScores } from "./describe-probe.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { probeTextFlags, readProbeTexts } from "./probe-texts.ts";
import { createProgress } from "./progress.ts";

const name = "probe train";
const kinds = { logistic: "logistic", mean: "mean-difference" } as const;

export const command: Command = {
  name,
  summary: "train a linear probe: does a text have a property?",
  usage: "probe train MODEL --pairs FILE | --labelled FILE -o probe.safetensors [options]",
  description: `
    A linear probe scores a text by the model's hidden states at one layer: weights · h + bias, above 0 for yes. It is trained on half of
    the texts and scored on the others; the two texts of a pair stay together, so do labelled texts of one "group".

    logistic finds the weights by a penalised logistic regression; mean takes the difference of the class means, with the threshold
    halfway. Beside the score stand what the words alone tell without a model, and probes of shuffled labels.

    A text is read at the mean over its tokens unless --read says otherwise. difference-mean knows where the two texts of a pair begin to
    differ, which a text that stands alone does not say.`,
  positionals: { least: 1, most: 1 },
  options: {
    ...probeTextFlags,
    layer: { type: "string", value: "N", description: "layer to read", default: "the middle" },
    kind: { type: "string", value: "NAME", description: "logistic or mean", default: "logistic" },
    lambda: {
      type: "string",
      value: "X",
      description: "penalty of logistic, on standardised dimensions",
      default: "1",
    },
    read: {
      type: "string",
      value: "WHERE",
      description: "all-mean, difference-mean, last, last-content or end-N",
      default: "all-mean",
    },
    "held-out": { type: "string", value: "SHARE", description: "share of the texts that only score", default: "0.5" },
    ...outputFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab probe train demo:s --pairs past.jsonl -o past.safetensors",
      explains: "Is a story told in the past tense?",
    },
    {
      line: "trimtab probe train model.gguf --labelled toxic.jsonl --layer 14 --read last --kind mean -o tox.safetensors",
      explains: "From labelled texts, read at the last token.",
    },
  ],
  async run(args, effects) {
    const kind = kinds[args.choice("kind", ["logistic", "mean"]) ?? "logistic"];
    const lambda = args.number("lambda", 1e-9, 1e9);
    if (lambda !== undefined && kind !== "logistic")
      throw mismatch("usage", name, "--lambda with --kind logistic", "--lambda with --kind mean");
    const readAt = parseReadPosition(args.text("read") ?? "all-mean");
    const heldOut = args.number("held-out", 0.05, 0.95);
    const layer = args.whole("layer", 0, 9999);
    const output = await checkOutput(args, [".safetensors"]);
    const texts = await readProbeTexts(args, name);
    if (!texts) throw mismatch("usage", name, "--pairs FILE or --labelled FILE", "neither");
    const progress = createProgress(effects, { silent: isSilent(args) });
    await using model = await openModelOf(args.positionals[0]!, args, effects, { progress });
    const { blocks } = model.description;
    const site = checkSite(residPost(layer ?? defaultLayerPair(blocks, blocks).source), blocks, "--layer");
    const { probe, scores, tokens, shuffled, warnings } = await trainProbe(model, texts.source, {
      site,
      kind,
      lambda,
      readAt,
      parseSpecial: args.isSet("special"),
      name: texts.name,
      concept: args.text("concept"),
      heldOut,
      seed: seedOf(args),
      signal: effects.signal,
      onProgress: ({ done, total }) => progress.update({ label: "reading texts", done, total, unit: "texts" }),
    }).finally(() => progress.finish());
    await writeProbe(output, probe, { signal: effects.signal });
    const { provenance } = probe;
    if (args.isSet("json")) {
      effects.stdout.write(`${JSON.stringify({ wrote: output, scores, tokens, shuffled, warnings, provenance })}\n`);
      return 0;
    }
    effects.stdout.write(
      renderList([
        [
          "probe",
          `${kind}, ${formatSite(site)} of ${model.description.name}, trained on ${provenance.texts.trained} texts`,
        ],
        ["held out", `${provenance.texts.heldOut} texts: ${describeScores(scores)}`],
        ["words alone", describeScores(tokens)],
        [
          "labels shuffled",
          `AUROC ${formatNumber(Math.min(...shuffled), 3)} to ${formatNumber(Math.max(...shuffled), 3)} in ${shuffled.length} draws`,
        ],
        ["wrote", output],
      ]),
    );
    for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};
