import { join } from "node:path";
import { mismatch } from "../errors.ts";
import {
  type Alignment,
  defaultLayerPair,
  defaultRows,
  demoData,
  type EngineModel,
  engineRelease,
  isOneTokenizer,
  openCellStore,
  parseAlignment,
  parseLayerPair,
  readContrastSet,
  readItems,
  resolveCorpus,
  studyTokenizers,
  type TokenizerArm,
  type TokenizerConcept,
  type TokenizerResult,
  toRunModel,
  toTokenizerReport,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { openUntrained } from "./open-untrained.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { parseStrengthList } from "./strength-list.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study tokenizers";

export const command: Command = {
  name,
  summary: "measure what it costs when two models read text in different tokens",
  usage: "study tokenizers SOURCE OTHER TARGET -o DIR [options]",
  description: `
    SOURCE shares TARGET's tokenizer, OTHER does not. A map is fitted from each to the target on as many rows of the same text: from SOURCE
    by token ids, and by spans, which must give the same map; from OTHER by spans, where a row is two tokens that end at the same byte; from
    both by sentences, where a row is the mean of a sentence's states. Each concept's vector is carried through each map and steers the target,
    beside the target's own vector and random directions.

    Of a map: how much of the text was usable, held-out R², what it explains beyond the current token, and nulls (shuffled pairs, a
    random rotation, a source that was never trained). Of a vector: cosine, Δr of the changes, slope ratio, z, with intervals.

    SOURCE and OTHER are different models too, so a difference between them is not the tokenizer's alone: choose two of one size, taught
    the same text.`,
  positionals: { least: 3, most: 3 },
  options: {
    ...studyFlags,
    corpus: { type: "string", value: "PATH", description: "text for the maps", default: "the stories of the demo" },
    data: {
      type: "string",
      value: "DIR",
      description: "folder with pairs/NAME.jsonl and items/NAME.jsonl of each concept",
      default: "the demo's",
    },
    concepts: {
      type: "string",
      value: "LIST",
      description: "concepts of that folder",
      default: "french,capitals,past",
    },
    layers: {
      type: "string",
      value: "A:B",
      description: "layers to join",
      default: "the middle, at equal relative depth",
    },
    "max-rows": {
      type: "string",
      value: "N",
      description: "rows of each map",
      default: "20 for each dimension, at least 20000",
    },
    items: { type: "string", value: "N", description: "items of each concept that are used", default: "60" },
    strengths: {
      type: "string",
      value: "LIST",
      description: "strengths in median row norms; their negatives are run too",
      default: "0.25n,0.5n",
    },
    random: { type: "string", value: "N", description: "random directions that z is taken against", default: "20" },
    "skip-untrained": { type: "boolean", description: "leave out the null of untrained sources" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study tokenizers demo:xs demo:xs1k demo:m --layers 1:1 -o tokenizers",
      explains: "Two small models of one size and text, one with the large model's tokenizer.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const { strengths, reference } = readStrengths(args);
    const folder = await checkStudyFolder(args, name);
    const corpus = await resolveCorpus(args.text("corpus") ?? demoData("corpus.jsonl.gz"));
    const concepts = await readConcepts(args);
    const seed = seedOf(args);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const context = undefined;
    const open = (at: number) => openModelOf(args.positionals[at]!, args, effects, { progress, context });
    await using source = await open(0);
    await using other = await open(1);
    await using target = await open(2);
    checkTokenizers(source, other, target);
    const asksUntrained = !args.isSet("skip-untrained");
    await using untrained = asksUntrained
      ? await openUntrained(source, args, effects, { progress, context, seed })
      : undefined;
    await using otherUntrained = asksUntrained
      ? await openUntrained(other, args, effects, { progress, context, seed })
      : undefined;
    await using cells = await openCellStore(join(folder, "cells.jsonl"));
    const settings = {
      maxRows:
        args.whole("max-rows", 1, Number.MAX_SAFE_INTEGER) ??
        defaultRows(Math.max(source.description.width, other.description.width)),
      seed,
      strengths,
      reference,
      random: args.whole("random", 2, 1000) ?? 20,
      resamples: 400,
    };
    const arm = (model: EngineModel, at: number, align: string): TokenizerArm => ({
      source: model,
      sourceName: args.positionals[at]!,
      untrained: (at === 0 ? untrained : otherUntrained)?.model,
      align: parseAlignment(align) satisfies Alignment,
      layers: layersOf(args, model, target),
    });
    const arms = [
      arm(source, 0, "ids"),
      arm(source, 0, "spans"),
      arm(other, 1, "spans"),
      arm(source, 0, "sentences"),
      arm(other, 1, "sentences"),
    ];
    const found = await studyTokenizers(target, arms, concepts, {
      ...settings,
      corpus,
      cells,
      identity: { sha256: await target.sha256(), engine: engineRelease },
      signal: effects.signal,
      onProgress: (stage, done, total) =>
        progress.update({ label: stage === "maps" ? "fitting" : "steering and measuring", done, total, unit: stage }),
    }).finally(() => progress.finish());
    const models = [];
    for (const [at, model] of [source, other, target].entries())
      models.push({ name: args.positionals[at]!, model: await toRunModel(model) });
    const run = toRunRecord(
      models.map(({ model }, at) => ({ role: at === 2 ? "target" : "source", model })),
      effects,
      { title: "What another tokenizer costs", seed, start, warnings: found.warnings },
    );
    const result: TokenizerResult = {
      format: "trimtab-tokenizers",
      version: 1,
      run,
      settings: { ...settings, corpus: corpus.name, concepts: concepts.map((concept) => concept.name) },
      models,
      arms: found.arms,
    };
    await showStudy(folder, { name: "tokenizers", result, report: toTokenizerReport(result) }, { args, effects });
    return 0;
  },
};

function checkTokenizers(source: EngineModel, other: EngineModel, target: EngineModel): void {
  const [a, b, c] = [source.description, other.description, target.description];
  if (!isOneTokenizer(a, c))
    throw mismatch("incompatible", `SOURCE ${a.name}`, `the tokenizer of ${c.name}`, "another", {
      hint: "the first model is the one to compare with: it reads text as the target does",
    });
  if (isOneTokenizer(b, c))
    throw mismatch("incompatible", `OTHER ${b.name}`, `another tokenizer than that of ${c.name}`, "the same");
}

function layersOf(args: Arguments, source: EngineModel, target: EngineModel): TokenizerArm["layers"] {
  const asked = args.text("layers");
  return asked === undefined
    ? defaultLayerPair(source.description.blocks, target.description.blocks)
    : parseLayerPair(asked);
}

function readStrengths(args: Arguments): { readonly strengths: readonly number[]; readonly reference: number } {
  const { unit, strengths } = parseStrengthList(args.text("strengths") ?? "0.25n,0.5n", "--strengths");
  if (unit !== "rms" || strengths.some((strength) => strength <= 0))
    throw mismatch("usage", "--strengths", "strengths above 0 in median row norms", args.text("strengths") ?? "", {
      hint: "such as 0.25n,0.5n; a length means something else in every model",
    });
  return { strengths: [...strengths.map((strength) => -strength), ...strengths], reference: Math.max(...strengths) };
}

async function readConcepts(args: Arguments): Promise<TokenizerConcept[]> {
  const folder = args.text("data");
  const [pairs, items] = ["pairs", "items"].map((part) => (folder === undefined ? demoData(part) : join(folder, part)));
  const most = args.whole("items", 2, 1_000_000) ?? 60;
  const concepts: TokenizerConcept[] = [];
  for (const word of (args.text("concepts") ?? "french,capitals,past").split(",").map((part) => part.trim()))
    concepts.push({
      name: word,
      pairs: await readContrastSet(join(pairs!, `${word}.jsonl`)),
      items: (await readItems(join(items!, `${word}.jsonl`))).slice(0, most),
    });
  return concepts;
}
