import { mismatch } from "../errors.ts";
import {
  compareModels,
  defaultLayerPair,
  demoData,
  type LikenessMeasure,
  type LikenessStudy,
  nearest,
  parseLayerGrid,
  resolveCorpus,
  resolveLayerGrid,
  rowMeasures,
  toLikenessReport,
  toRunModel,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { alignFlag, readAlignment, sayAlignment } from "./collect-flags.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags, threadsOf } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { openUntrained } from "./open-untrained.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

/** Of many layer pairs: one of each kind, the quick ones, so that a grid of 24 takes minutes. */
const gridMeasures = ["linear-cka-debiased", "svcca", "mutual-neighbours", "relative-cosine", "find-cosine"];
const gridShuffles = 5;
/** A side holds some ten matrices of rows by rows: 2 GB at this many. */
const mostRows = 5000;

export const command: Command = {
  name: "compare",
  summary: "say how alike two models' hidden states are, by many measures",
  usage: "compare SOURCE TARGET -o DIR [--layers A:B] [options]",
  description: `
    Reads the same text with both models, draws rows from all of it, and asks many measures how alike the two sets of states are: kernels
    (CKA), subspaces (SVCCA), distances (RSA and its geo-topological form), neighbourhoods, relative coordinates (cosine, Euclidean,
    shortest paths, through the logits), functional maps. No one of them is the likeness of two models; each is blind to something.

    Every number stands beside its null, the same rows paired at random with documents kept together, and beside an untrained copy
    of the source. All is done once more with the mean state of each token taken off: much of what is alike in two models' states is
    that both know the current token.

    One pair of layers gives all measures; several pairs (--layers 0-3:all) give heat maps of a few. A measure says how alike two spaces are,
    not whether a vector can be carried: that is what fit, transfer and evaluate are for.`,
  positionals: { least: 2, most: 2 },
  options: {
    ...studyFlags,
    corpus: {
      type: "string",
      value: "PATH",
      description: "text to read, a file or a folder",
      default: "the demo's stories",
    },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layers, each with each: 8:12, 4-10:8-20, all:all",
      default: "the middle, at equal relative depth",
    },
    measures: {
      type: "string",
      value: "LIST",
      description: "measures, joined by commas, or all",
      default: "all; of several layer pairs five quick ones",
    },
    rows: { type: "string", value: "N", description: "rows to draw; memory and time grow with N²", default: "1500" },
    shuffles: {
      type: "string",
      value: "N",
      description: "random pairings for each null",
      default: "20; of several layer pairs 5",
    },
    neighbours: { type: "string", value: "N", description: "near rows, where a measure looks at such", default: "10" },
    anchors: { type: "string", value: "N", description: "rows that others are described by", default: "100" },
    intervals: { type: "boolean", description: "add 95 % intervals over documents, at ten times the cost" },
    "skip-untrained": { type: "boolean", description: "leave out the baseline of an untrained source" },
    "skip-beyond": { type: "boolean", description: "leave out the states less their token's mean" },
    ...alignFlag,
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab compare demo:s demo:m --layers 1:1 -o likeness",
      explains: "All measures of one pair of layers, with nulls, in a few minutes.",
    },
    {
      line: "trimtab compare demo:s demo:m --layers all:all --measures svcca,find-cosine -o grid",
      explains: "Heat maps of two measures over every pair of layers.",
    },
    {
      line: "trimtab compare 2b.gguf 9b.gguf --corpus pile/ --layers 12:20 --intervals -o 2b-9b",
      explains: "Your models and text, with intervals.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const numbers = readNumbers(args);
    const grid = parseGrid(args);
    const chosen = readMeasures(args);
    const asked = readAlignment(args);
    const folder = await checkStudyFolder(args, "compare");
    const corpus = await resolveCorpus(args.text("corpus") ?? demoData("corpus.jsonl.gz"));
    const seed = seedOf(args);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      const { context } = numbers;
      const [from, to] = args.positionals as [string, string];
      await using source = await openModelOf(from, args, effects, { progress, context });
      await using target = await openModelOf(to, args, effects, { progress, context });
      const layers = toLayers(grid, source.description.blocks, target.description.blocks);
      const isGrid = layers.sources.length * layers.targets.length > 1;
      const measures = chosen ?? rowMeasures.filter(({ name }) => !isGrid || gridMeasures.includes(name));
      const align = sayAlignment({ align: asked }, source.description, target.description, progress);
      await using bare = args.isSet("skip-untrained")
        ? undefined
        : await openUntrained(source, args, effects, { progress, context, seed });
      const found = await compareModels(source, target, {
        ...numbers,
        shuffles: numbers.shuffles ?? (isGrid ? gridShuffles : undefined),
        corpus,
        align,
        layers,
        measures,
        untrained: bare?.model,
        beyond: !args.isSet("skip-beyond"),
        intervals: args.isSet("intervals"),
        threads: threadsOf(args),
        seed,
        signal: effects.signal,
        onProgress: ({ label, done, total }) =>
          progress.update({ label, done, total, unit: label === "comparing" ? "numbers" : "rows" }),
      });
      progress.finish();
      const run = toRunRecord(
        [
          { role: "source", model: await toRunModel(source) },
          { role: "target", model: await toRunModel(target) },
        ],
        effects,
        {
          title: `How alike ${source.description.name} and ${target.description.name} are`,
          seed,
          start,
          warnings: found.warnings,
        },
      );
      const result: LikenessStudy = { ...found, run };
      await showStudy(folder, { name: "likeness", result, report: toLikenessReport(result) }, { args, effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};

function readNumbers(args: Arguments) {
  return {
    rows: args.whole("rows", 50, mostRows),
    shuffles: args.whole("shuffles", 1, 10_000),
    neighbours: args.whole("neighbours", 1, 1000),
    anchors: args.whole("anchors", 2, 10_000),
    context: args.whole("context", 2, 1 << 20),
  };
}

function parseGrid(args: Arguments): ReturnType<typeof parseLayerGrid> | undefined {
  const layers = args.text("layers");
  return layers === undefined ? undefined : parseLayerGrid(layers);
}

function toLayers(
  grid: ReturnType<typeof parseLayerGrid> | undefined,
  sourceBlocks: number,
  targetBlocks: number,
): { readonly sources: readonly number[]; readonly targets: readonly number[] } {
  if (grid) return resolveLayerGrid(grid, sourceBlocks, targetBlocks);
  const pair = defaultLayerPair(sourceBlocks, targetBlocks);
  return { sources: [pair.source], targets: [pair.target] };
}

function readMeasures(args: Arguments): readonly LikenessMeasure[] | undefined {
  const given = args.text("measures");
  if (given === undefined) return undefined;
  const names = rowMeasures.map(({ name }) => name);
  const found = given.split(",").flatMap((word) => {
    if (word === "all") return rowMeasures;
    const measure = rowMeasures.find(({ name }) => name === word);
    if (measure) return [measure];
    const near = nearest(word, names);
    throw mismatch("usage", "--measures", `all or some of ${names.join(", ")}`, JSON.stringify(word), {
      hint: near && `did you mean ${near}?`,
    });
  });
  return [...new Set(found)];
}
