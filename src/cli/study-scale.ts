import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mismatch } from "../errors.ts";
import {
  demoData,
  openCellStore,
  parseAlignment,
  parseReadPosition,
  type ReadPosition,
  type RunRecord,
  readContrastSet,
  readItems,
  resolveCorpus,
  resolveModel,
  type ScaleConceptInput,
  type ScaleModel,
  type ScaleProgress,
  type ScaleResult,
  studyScale,
  toScaleReport,
  writeUntrainedCopy,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress, type Progress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { parseStrengthList } from "./strength-list.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study scale";
const cellsFile = "cells.jsonl";
/** Of the memory that is free, for open models; the rest is for what is collected and fitted. */
const shareForModels = 0.6;

export const command: Command = {
  name,
  summary: "measure how carrying vectors goes with the sizes of the two models",
  usage: "study scale MODEL MODEL… -o DIR [options]",
  description: `
    Takes every ordered pair of the models: fits a map from the one's hidden states to the other's, carries each concept's vector through
    it, and steers the other by it, beside the vector found there and random directions. Small to large is what the method is
    for; large to small, and a model with itself (--self), say what it costs and what could be reached at best.

    Of a map: held-out R², what it explains beyond the current token, and nulls (shuffled pairs, a source that was never trained).
    Of a vector: cosine with the native one, the paper's r, Δr of the changes, slope ratio, z among random directions, with intervals. Each score is
    set against the ratio of parameters. Three models of one recipe do not make a law, and the p beside each correlation says so: it deals the
    sizes out among the models anew, and few models can be dealt in few ways.

    A text is read once for both directions of a pair, a vector found once a model, random directions run once a target. What cannot be
    measured, such as a model that is not there, is a row with its reason; models of different tokenizers are joined by spans of text. Everything finished is kept in DIR/${cellsFile}: the same
    line goes on from there.`,
  positionals: { least: 1, most: 64 },
  options: {
    ...studyFlags,
    corpus: { type: "string", value: "PATH", description: "text for the maps", default: "the stories of the demo" },
    data: {
      type: "string",
      value: "DIR",
      description: "folder with pairs/NAME.jsonl and items/NAME.jsonl of each concept",
      default: "the demo's",
    },
    concepts: { type: "string", value: "LIST", description: "concepts of that folder", default: "all" },
    "read-at": {
      type: "string",
      value: "WHERE",
      description: "where pairs are read: difference-mean, last, last-content, all-mean or end-N",
      default: "difference-mean",
    },
    layers: {
      type: "string",
      value: "WHICH",
      description: "equal: all models at one depth; best: each pair at the layers that its map explains best",
      default: "equal",
    },
    align: {
      type: "string",
      value: "HOW",
      description: "pair rows by ids or spans",
      default: "ids; spans where tokenizers differ",
    },
    depth: { type: "string", value: "X", description: "share of the blocks passed, for equal", default: "0.5" },
    "max-rows": {
      type: "string",
      value: "N",
      description: "rows of each map",
      default: "20 for each dimension, at least 20000",
    },
    "map-seeds": {
      type: "string",
      value: "N",
      description: "maps of each pair, with splits of their own",
      default: "3",
    },
    items: { type: "string", value: "N", description: "items of each concept that are used", default: "60" },
    strengths: {
      type: "string",
      value: "LIST",
      description: "strengths in median row norms; their negatives are run too",
      default: "0.25n,0.5n",
    },
    random: { type: "string", value: "N", description: "random directions that z is taken against", default: "20" },
    self: { type: "boolean", description: "each model with itself too: the ceiling" },
    "skip-untrained": { type: "boolean", description: "leave out the null of untrained sources, which reads thrice" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study scale demo:xs demo:s demo:m --self -o scale",
      explains: "All nine pairs of the package's own family, in a few minutes.",
    },
    {
      line: "trimtab study scale a.gguf b.gguf c.gguf --corpus pile/ --data sets/ --layers best -o scale",
      explains: "Your models, text and concepts; each pair at its own layers.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const options = readOptions(args);
    const folder = await checkFolder(args);
    const corpus = await resolveCorpus(args.text("corpus") ?? demoData("corpus.jsonl.gz"));
    const concepts = await readConcepts(args, options.items);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const copies = await mkdtemp(join(tmpdir(), "trimtab-scale-"));
    try {
      await using cells = await openCellStore(join(folder, cellsFile));
      if (cells.resumed > 0) progress.note(`going on from ${cells.resumed} finished measurements`);
      const models = args.positionals.map((reference) => toModel(reference, { args, effects, progress, copies }));
      const { warnings, ...found } = await studyScale(models, concepts, {
        ...options,
        corpus,
        cells,
        roomBytes: shareForModels * effects.freeBytes(),
        signal: effects.signal,
        onProgress: (state) => progress.update(toState(state)),
        onNote: (text) => progress.note(text),
      });
      progress.finish();
      const run = toRunRecord(toRoles(found.models), effects, {
        title: "How carrying vectors goes with size",
        seed: options.seeds[0]!,
        start,
        warnings,
      });
      const result: ScaleResult = { ...found, run };
      await showStudy(folder, { name: "scale", result, report: toScaleReport(result) }, { args, effects });
      return result.pairs.some(({ problem }) => problem === null) ? 0 : 1;
    } finally {
      progress.finish();
      await rm(copies, { recursive: true, force: true });
    }
  },
};

function readOptions(args: Arguments) {
  const { unit, strengths } = parseStrengthList(args.text("strengths") ?? "0.25n,0.5n", "--strengths");
  if (unit !== "rms" || strengths.some((strength) => strength < 0))
    throw mismatch("usage", "--strengths", "strengths above 0 in median row norms", args.text("strengths") ?? "", {
      hint: "such as 0.25n,0.5n; a length means something else in every model",
    });
  const layers = args.choice("layers", ["equal", "best"]);
  if (layers === "best" && args.isSet("depth"))
    throw mismatch("usage", "--depth", "--layers equal with it", "--layers best");
  const align = args.choice("align", ["ids", "spans"]);
  const seed = seedOf(args);
  const count = args.whole("map-seeds", 1, 100) ?? 3;
  return {
    layers,
    align: align === undefined ? undefined : parseAlignment(align),
    depth: args.number("depth", 0.01, 1),
    maxRows: args.whole("max-rows", 1, Number.MAX_SAFE_INTEGER),
    seeds: Array.from({ length: count }, (_, i) => seed + i),
    items: args.whole("items", 2, 1_000_000) ?? 60,
    strengths: [...strengths.map((strength) => -strength), ...strengths],
    reference: Math.max(...strengths),
    random: args.whole("random", 2, 1000) ?? 20,
    resamples: 400,
    self: args.isSet("self"),
  };
}

/** A folder with finished measurements of such a study is gone on with. */
async function checkFolder(args: Arguments): Promise<string> {
  const path = args.text("output");
  const hasCells =
    path !== undefined &&
    (await stat(join(path, cellsFile)).then(
      (found) => found.isFile(),
      () => false,
    ));
  return hasCells ? path : checkStudyFolder(args, name);
}

async function readConcepts(args: Arguments, most: number): Promise<ScaleConceptInput[]> {
  const folder = args.text("data");
  const [pairs, items] = ["pairs", "items"].map((part) => (folder === undefined ? demoData(part) : join(folder, part)));
  const known = await conceptsIn(pairs!, items!);
  const asked =
    args
      .text("concepts")
      ?.split(",")
      .map((word) => word.trim()) ?? known;
  const readAt: ReadPosition | undefined = args.isSet("read-at") ? parseReadPosition(args.text("read-at")!) : undefined;
  const concepts: ScaleConceptInput[] = [];
  for (const concept of asked) {
    if (!known.includes(concept))
      throw mismatch("usage", "--concepts", `some of ${known.join(", ")}`, JSON.stringify(concept));
    concepts.push({
      name: concept,
      pairs: await readContrastSet(join(pairs!, `${concept}.jsonl`)),
      items: (await readItems(join(items!, `${concept}.jsonl`))).slice(0, most),
      readAt,
    });
  }
  return concepts;
}

/** Names of which there are both pairs and items. */
async function conceptsIn(pairs: string, items: string): Promise<string[]> {
  const namesIn = async (folder: string): Promise<string[]> => {
    const files = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
      throw mismatch(
        "not-found",
        folder,
        "a folder of NAME.jsonl, one for each concept",
        cause.code === "ENOENT" ? "no such folder" : cause.message,
        {
          hint: "--data DIR names the folder that holds pairs/ and items/",
          cause,
        },
      );
    });
    return files.filter((file) => file.endsWith(".jsonl")).map((file) => basename(file, ".jsonl"));
  };
  const others = new Set(await namesIn(items));
  const both = (await namesIn(pairs)).filter((concept) => others.has(concept)).sort();
  if (both.length > 0) return both;
  throw mismatch("bad-input", pairs, `a concept with pairs here and items in ${items}`, "none");
}

interface ModelContext {
  readonly args: Arguments;
  readonly effects: Effects;
  readonly progress: Progress;
  /** Folder for untrained copies. */
  readonly copies: string;
}

function toModel(reference: string, { args, effects, progress, copies }: ModelContext): ScaleModel {
  const find = () =>
    resolveModel(reference, {
      env: effects.env,
      signal: effects.signal,
      ...(args.isSet("offline") && { offline: true }),
    });
  return {
    name: reference,
    files: async () => (await find()).files,
    open: () => openModelOf(reference, args, effects, { progress }),
    ...(!args.isSet("skip-untrained") && {
      openUntrained: async () => {
        const path = join(await mkdtemp(join(copies, "copy-")), "untrained.gguf");
        await writeUntrainedCopy((await find()).path, path, { seed: seedOf(args), signal: effects.signal });
        return openModelOf(path, args, effects, { progress });
      },
    }),
  };
}

const stages: Readonly<Record<ScaleProgress["stage"], { readonly label: string; readonly unit: string }>> = {
  vectors: { label: "finding vectors", unit: "vectors" },
  maps: { label: "fitting maps", unit: "readings" },
  steering: { label: "steering and measuring", unit: "vectors" },
};

function toState({ stage, done, total }: ScaleProgress) {
  return { ...stages[stage], done, total };
}

/** The page names one model as the source and one as the target: the smallest and the largest. */
function toRoles(models: ScaleResult["models"]): RunRecord["models"] {
  const [smallest, ...others] = models
    .flatMap(({ model }) => (model ? [model] : []))
    .toSorted((a, b) => a.parameters - b.parameters);
  if (smallest === undefined) return [];
  return [
    { role: "source", model: smallest },
    ...others.reverse().map((model) => ({ role: "target" as const, model })),
  ];
}
