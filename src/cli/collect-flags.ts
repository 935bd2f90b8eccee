import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  type Alignment,
  type CollectOptions,
  defaultLayerPair,
  describeAlignment,
  formatAlignment,
  formatRowSelection,
  isReadFrom,
  type LayerPlan,
  type ModelDescription,
  type PairSource,
  parseAlignment,
  parseLayerPlan,
  parseReadPosition,
  parseRowSelection,
  parseShard,
  type ResolvedLayerPlan,
  type RowSelection,
  readContrastSet,
  resolveAlignment,
  resolveCorpus,
  resolveLayerPlan,
  type Shard,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";
import { seedOf } from "./flags.ts";
import type { Progress } from "./progress.ts";

type CollectFlag =
  | "corpus"
  | "layers"
  | "context"
  | "align"
  | "rows"
  | "pairs"
  | "concept"
  | "read-at"
  | "special"
  | "max-rows"
  | "max-tokens"
  | "folds";

/** How rows of two models are paired. */
export const alignFlag: Readonly<Record<"align", Flag>> = {
  align: {
    type: "string",
    value: "HOW",
    description: "what makes a pair of rows: ids, spans, sentences, lines or documents (@mean or @last), or auto",
    default: "auto: ids for models with one tokenizer, else spans",
  },
};

/** What text is read and which rows of it are collected; with `seedFlag`. */
export const collectFlags: Readonly<Record<CollectFlag, Flag>> = {
  corpus: { type: "string", value: "PATH", description: "text to read, a file or a folder" },
  layers: {
    type: "string",
    value: "A:B,…",
    description: "layers to join: 8:12, 8:12,10:15, 0+1+2:3, 4-10:12, all:all or auto",
    default: "the middle, at equal relative depth",
  },
  context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
  ...alignFlag,
  rows: {
    type: "string",
    value: "RULES",
    description: "which positions give rows: all, last, pattern:/…/ and pairs, joined by commas, each with *WEIGHT",
    default: "all of --corpus, and pairs of --pairs",
  },
  pairs: { type: "string", value: "FILE", description: "contrast set that rows of the kind pairs are read from" },
  concept: { type: "string", value: "NAME", description: "concept to take from a --pairs file that holds several" },
  "read-at": {
    type: "string",
    value: "WHERE",
    description: "position of pairs: difference-mean, last, last-content, all-mean or end-N",
    default: "difference-mean",
  },
  special: { type: "boolean", description: "read <|…|> in the texts of --pairs as special tokens" },
  "max-rows": {
    type: "string",
    value: "N",
    description: "stop after this many rows; fit: 20 for each dimension, at least 20000",
  },
  "max-tokens": { type: "string", value: "N", description: "stop after this many tokens, whatever the rows" },
  folds: {
    type: "string",
    value: "K",
    description: "choose the penalty by cross-validation over K parts; the token table gets K−1 of them",
    default: "1: on one window of ten",
  },
};

/** Of commands that collect a part of the text. */
export const shardFlag: Readonly<Record<"shard", Flag>> = {
  shard: {
    type: "string",
    value: "I/N",
    description: "read only part I of N; limit the text by --max-tokens, not --max-rows",
  },
};

/** The options of a collection as far as they are known before the models are; layers need the models' depth. */
export interface CollectArguments
  extends Omit<CollectOptions, "layers" | "shard" | "checkpoint" | "signal" | "onProgress"> {
  /** Undefined for the middle pair; see {@link resolveLayers}. */
  readonly layerPlan: LayerPlan | undefined;
}

/**
 * Reads the `collectFlags` of a command line, the corpus and the contrast set among them, before any model is opened.
 *
 * @throws usage for text without rows to take from it, rows without text, and flags that would change nothing; bad-input, not-found and
 * io for the files
 */
export async function readCollectOptions(args: Arguments, command: string): Promise<CollectArguments> {
  const layers = args.text("layers");
  const layerPlan = layers === undefined ? undefined : parseLayerPlan(layers);
  const rows = readRowSelection(args, command);
  const align = readAlignment(args);
  const context = args.whole("context", 2, 1 << 20);
  const maxRows = args.whole("max-rows", 1, Number.MAX_SAFE_INTEGER);
  const maxTokens = args.whole("max-tokens", 1, Number.MAX_SAFE_INTEGER);
  const folds = args.whole("folds", 1, 100);
  const seed = seedOf(args);
  const pairs = await readPairs(args);
  const path = args.text("corpus");
  const corpus = path === undefined ? undefined : await resolveCorpus(path);
  return { corpus, pairs, rows, align, context, maxRows, maxTokens, folds, seed, layerPlan };
}

/** What `--align` asks for; undefined for `auto` and where it is not given. */
export function readAlignment(args: Arguments): Alignment | undefined {
  const asked = args.text("align");
  return asked === undefined || asked === "auto" ? undefined : parseAlignment(asked);
}

/**
 * Says how rows will be paired where it is not by token id, and that nobody asked where it is so. It is the first thing to know of the
 * result, so it is said even where nothing else is: on stderr, unless `--json` takes the place of all words.
 *
 * @throws incompatible for `ids` of different tokenizers
 */
export function sayAlignment(
  { align }: Pick<CollectArguments, "align">,
  source: ModelDescription,
  target: ModelDescription,
  progress: Progress,
): Alignment {
  const alignment = resolveAlignment(align, source, target);
  if (alignment.kind === "ids") return alignment;
  const why = align === undefined ? `${source.name} and ${target.name} have different tokenizers: ` : "";
  progress.note(`${why}${describeAlignment(alignment)} (--align ${formatAlignment(alignment)})`);
  return alignment;
}

/** Reads the `shardFlag` of a command line. @throws usage, for a limit of rows beside it too */
export function readShard(args: Arguments, command: string): Shard | undefined {
  const shard = args.text("shard");
  if (shard !== undefined && args.isSet("max-rows"))
    throw mismatch("usage", command, "--shard with --max-tokens", "--shard with --max-rows", {
      hint: "how many rows the other shards keep is not known here",
    });
  return shard === undefined ? undefined : parseShard(shard);
}

/** Names the maps that a command line asks for, for two models; the middle pair where it asks for none. @throws usage */
export function resolveLayers(
  { layerPlan }: Pick<CollectArguments, "layerPlan">,
  source: ModelDescription,
  target: ModelDescription,
): ResolvedLayerPlan {
  if (layerPlan) return resolveLayerPlan(layerPlan, source.blocks, target.blocks);
  const pair = defaultLayerPair(source.blocks, target.blocks);
  return { kind: "pairs", maps: [{ sources: [pair.source], target: pair.target }] };
}

/** Every flag must have something to act on: what is given and ignored would be taken for done. */
function readRowSelection(args: Arguments, command: string): RowSelection {
  const [hasCorpus, hasPairs] = [args.isSet("corpus"), args.isSet("pairs")];
  if (!hasCorpus && !hasPairs)
    throw mismatch("usage", command, "--corpus PATH", "none", { hint: "a .txt, .jsonl or .gz file, or a folder" });
  const readAt = args.text("read-at");
  const asked = args.text("rows") ?? [hasCorpus && "all", hasPairs && "pairs"].filter((rule) => rule).join(",");
  const rows = parseRowSelection(asked, readAt === undefined ? {} : { readAt: parseReadPosition(readAt) });
  const shown = `--rows ${formatRowSelection(rows)}`;
  const [fromCorpus, fromPairs] = [isReadFrom(rows, "corpus"), isReadFrom(rows, "pairs")];
  if (fromCorpus && !hasCorpus) throw mismatch("usage", command, `--corpus PATH with ${shown}`, "none");
  if (fromPairs && !hasPairs) throw mismatch("usage", command, `--pairs FILE with ${shown}`, "none");
  if (hasCorpus && !fromCorpus)
    throw mismatch("usage", command, `rows of --corpus or no --corpus`, shown, { hint: "such as --rows all,pairs" });
  if (hasPairs && !fromPairs)
    throw mismatch("usage", command, `rows of --pairs or no --pairs`, shown, { hint: "such as --rows all,pairs" });
  for (const flag of ["read-at", "concept", "special"])
    if (args.isSet(flag) && !hasPairs) throw mismatch("usage", command, `--${flag} with --pairs`, `--${flag} alone`);
  return rows;
}

async function readPairs(args: Arguments): Promise<PairSource | undefined> {
  const path = args.text("pairs");
  if (path === undefined) return undefined;
  const pairs = await readContrastSet(path, { concept: args.text("concept") });
  return { name: basename(path), pairs, parseSpecial: args.isSet("special") };
}
