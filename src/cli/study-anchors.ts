import { join } from "node:path";
import { mismatch } from "../errors.ts";
import {
  type AnchorConcept,
  type AnchorStudy,
  defaultLayerPair,
  demoData,
  parseLayerGrid,
  readContrastSet,
  readItems,
  resolveCorpus,
  resolveLayerGrid,
  studyAnchors,
  toAnchorsReport,
  toRunModel,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { alignFlag, readAlignment, sayAlignment } from "./collect-flags.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags, threadsOf } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "study anchors";
const defaultCounts = [10, 25, 50, 100, 200, 400];
const defaultEffects = [25, 100];
const defaultConcepts = "french,capitals,past,happy,dog,indoor";

export const command: Command = {
  name,
  summary: "ask how many paired rows a map needs, when unpaired ones are plenty",
  usage: "study anchors SOURCE TARGET -o DIR [--layers A:B] [options]",
  description: `
    Hides which row of one model is which row of the other, but for a few anchors, and fits maps in three ways: a ridge on the anchors; a
    functional map, which matches the neighbourhood graphs of all rows from what the anchors tell; both together. Each is scored on rows of other
    documents, by the cosine of the directions it carries with the native ones, and by what those do to propensity items, beside a ridge on
    all rows, shuffled anchors and random directions.

    Between two models of one tokenizer every row is paired for nothing, and a ridge on all of them is the better map. Anchors are for where
    pairs are dear: other tokenizers, other languages, other modalities.`,
  positionals: { least: 2, most: 2 },
  options: {
    ...studyFlags,
    corpus: { type: "string", value: "PATH", description: "text to read", default: "the demo's stories" },
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layer, one pair",
      default: "the middle, at equal relative depth",
    },
    anchors: { type: "string", value: "LIST", description: "numbers of anchors", default: defaultCounts.join(",") },
    "effect-at": {
      type: "string",
      value: "LIST",
      description: "numbers of anchors at which directions steer, or none",
      default: defaultEffects.join(","),
    },
    data: {
      type: "string",
      value: "DIR",
      description: "folder with pairs/NAME.jsonl and items/NAME.jsonl of each concept",
      default: "the demo's",
    },
    concepts: {
      type: "string",
      value: "LIST",
      description: "concepts of that folder, or none",
      default: defaultConcepts,
    },
    items: { type: "string", value: "N", description: "items of each concept that are used", default: "32" },
    strength: {
      type: "string",
      value: "X",
      description: "strength in median row norms; its negative is run too",
      default: "0.5",
    },
    rows: { type: "string", value: "N", description: "rows of each model; memory grows with N²", default: "1500" },
    draws: { type: "string", value: "N", description: "draws of the anchors", default: "3" },
    neighbours: { type: "string", value: "N", description: "near rows that a row is joined to", default: "10" },
    random: { type: "string", value: "N", description: "random directions that z is taken against", default: "20" },
    ...alignFlag,
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab study anchors demo:s demo:m --layers 1:1 -o anchors",
      explains: "The package's own family, in a few minutes.",
    },
    {
      line: "trimtab study anchors 2b.gguf 9b.gguf --corpus pile/ --concepts none -o anchors",
      explains: "R² alone, on your models and text.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const seed = seedOf(args);
    const rows = args.whole("rows", 50, 5000) ?? 1500;
    const options = {
      rows,
      anchors: readCounts(args, "anchors", rows) ?? defaultCounts.filter((count) => count <= rows),
      draws: args.whole("draws", 1, 100),
      neighbours: args.whole("neighbours", 1, 1000),
      strength: args.number("strength", 1e-3, 100),
      randomCount: args.whole("random", 2, 1000),
      context: args.whole("context", 2, 1 << 20),
      threads: threadsOf(args),
    };
    const effectAt =
      readCounts(args, "effect-at", rows) ?? defaultEffects.filter((count) => options.anchors.includes(count));
    const pair = readPair(args);
    const asked = readAlignment(args);
    const folder = await checkStudyFolder(args, name);
    const corpus = await resolveCorpus(args.text("corpus") ?? demoData("corpus.jsonl.gz"));
    const concepts = await readConcepts(args, args.whole("items", 2, 100_000) ?? 32);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      const { context } = options;
      const [from, to] = args.positionals as [string, string];
      await using source = await openModelOf(from, args, effects, { progress, context });
      await using target = await openModelOf(to, args, effects, { progress, context });
      const layers = pair
        ? toPair(resolveLayerGrid(pair, source.description.blocks, target.description.blocks))
        : defaultLayerPair(source.description.blocks, target.description.blocks);
      const align = sayAlignment({ align: asked }, source.description, target.description, progress);
      const found = await studyAnchors(source, target, concepts, {
        ...options,
        effectAt,
        align,
        layers,
        corpus,
        seed,
        signal: effects.signal,
        onProgress: ({ label, done, total }) =>
          progress.update({ label, done, total, unit: label.startsWith("reading") ? "rows" : "parts" }),
      });
      progress.finish();
      const run = toRunRecord(
        [
          { role: "source", model: await toRunModel(source) },
          { role: "target", model: await toRunModel(target) },
        ],
        effects,
        { title: "How many paired rows a map needs", seed, start, warnings: found.warnings },
      );
      const result: AnchorStudy = { ...found, run };
      await showStudy(folder, { name: "anchors", result, report: toAnchorsReport(result) }, { args, effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};

/** A list of whole numbers, ascending, each once; none for the word. @throws usage */
function readCounts(args: Arguments, flag: "anchors" | "effect-at", rows: number): readonly number[] | undefined {
  const given = args.text(flag);
  if (given === undefined) return undefined;
  if (flag === "effect-at" && given === "none") return [];
  const counts = given.split(",").map((word) => (/^\d{1,6}$/.test(word) ? Number(word) : Number.NaN));
  if (counts.some((count) => !(count >= 5 && count <= rows)))
    throw mismatch(
      "usage",
      `--${flag}`,
      `numbers from 5 to ${rows}, the rows, joined by commas`,
      JSON.stringify(given),
    );
  return [...new Set(counts)].sort((a, b) => a - b);
}

function readPair(args: Arguments): ReturnType<typeof parseLayerGrid> | undefined {
  const layers = args.text("layers");
  return layers === undefined ? undefined : parseLayerGrid(layers);
}

/** @throws usage for more than one pair */
function toPair({ sources, targets }: { readonly sources: readonly number[]; readonly targets: readonly number[] }): {
  readonly source: number;
  readonly target: number;
} {
  const [source, target] = [sources[0], targets[0]];
  if (source === undefined || target === undefined || sources.length * targets.length !== 1)
    throw mismatch("usage", "--layers", "one pair of layers such as 8:12", `${sources.length * targets.length} pairs`);
  return { source, target };
}

async function readConcepts(args: Arguments, items: number): Promise<readonly AnchorConcept[]> {
  const list = args.text("concepts") ?? defaultConcepts;
  if (list === "none") return [];
  const data = args.text("data");
  const path = (part: "pairs" | "items", concept: string): string =>
    data === undefined ? demoData(`${part}/${concept}.jsonl`) : join(data, part, `${concept}.jsonl`);
  return await Promise.all(
    list.split(",").map(async (concept) => ({
      name: concept,
      pairs: await readContrastSet(path("pairs", concept)),
      items: (await readItems(path("items", concept))).slice(0, items),
    })),
  );
}
