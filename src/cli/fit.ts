import { mismatch } from "../errors.ts";
import {
  type Collection,
  type EngineModel,
  type FitMapsOptions,
  fitCollection,
  fitMaps,
  formatLayers,
  parseLayerPlan,
  type ResolvedLayerPlan,
  readCollection,
  resolveLayerPlan,
  reverseCollection,
  type SolvedMaps,
  writeMaps,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { checkpointOf } from "./checkpoint.ts";
import { collectFlags, readCollectOptions, resolveLayers, sayAlignment } from "./collect-flags.ts";
import type { Command } from "./command.ts";
import { describeMaps } from "./describe-maps.ts";
import type { Effects } from "./effects.ts";
import { fitFlags, readFitOptions } from "./fit-flags.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { openUntrained } from "./open-untrained.ts";
import { checkNotInput, checkOutput } from "./output-path.ts";
import { createProgress, type Progress } from "./progress.ts";

export const command: Command = {
  name: "fit",
  summary: "learn maps from a small model's hidden states to a large one's",
  usage: "fit SOURCE TARGET --corpus PATH -o map.safetensors [options]",
  description: `
    Both models read the same text. At one layer of each, the hidden states of every token are paired, and an affine map
    y = A x + p is fitted that predicts the large model's from the small one's: by ridge regression unless --fit says otherwise, exactly,
    in one pass. Of every ten documents eight fit the map, one chooses the penalty, and one gives the score; long documents are
    cut into runs of eight windows first. What stands in the corpus twice may stand on both sides.

    --layers joins many layers at once: pairs (8:12,10:15), one map from several layers (0+1+2:3), every target layer from all
    (all:all), or each target layer from the source layer that predicts it best (auto). A vector of many layers then travels whole.

    Read the score beside its nulls: what the mean alone, wrongly paired rows and a random rotation reach, and with --untrained a
    source that never learned anything. Much of R² is the current token, so what the map explains beyond a table by token id stands
    there too. In the end behaviour decides: a map with a good score may still carry a concept badly. Fit on rows like those that
    your vectors are read from (--rows); ten rows for each dimension of the small model are the least.

    Models that share a tokenizer are paired token by token. Others, by --align spans, where a token of each ends at the same byte of the
    text, or by --align sentences, where a row is the mean of a sentence's states; what is used is said, and stands in the map's file.

    A run that was killed goes on from OUTPUT.partial when it is started again. --moments fits from what trimtab moments
    collected, without reading anything again. Corpora: .txt (<|endoftext|> divides documents), .jsonl
    with a "text" field, .gz of these, or a folder of them, read from the beginning until there are enough rows.`,
  positionals: { least: 0, most: 2 },
  options: {
    ...collectFlags,
    ...fitFlags,
    untrained: { type: "boolean", description: "score an untrained copy of the small model too; reads the text twice" },
    moments: { type: "string", value: "FILE", description: "fit from collected moments; no models, no corpus" },
    reverse: { type: "boolean", description: "with --moments: from the target to the source" },
    ...outputFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab fit demo:s demo:m --corpus stories.txt -o map.safetensors",
      explains: "Small to large in the package's family, at the middle layers.",
    },
    {
      line: "trimtab fit gemma-2b.gguf gemma-9b.gguf --corpus pile/ --layers auto -o all.safetensors",
      explains: "Every layer of the large model; the text is a folder of .txt and .jsonl.gz files.",
    },
    {
      line: "trimtab fit demo:s demo:m --corpus stories.txt --pairs happy.jsonl --rows all,pairs*4 -o happy.safetensors",
      explains: "Rows of the contrast set weigh more.",
    },
  ],
  async run(args, effects) {
    const progress = createProgress(effects, { silent: isSilent(args) });
    // Words that cannot be right are refused before files are looked at.
    parseLayerPlan(args.text("layers") ?? "auto");
    readFitOptions(args);
    const output = await checkOutput(args, [".safetensors"]);
    await checkNotInput(output, [...args.texts("moments"), ...args.texts("pairs"), ...args.texts("corpus")]);
    const { maps, warnings, notes } = args.isSet("moments")
      ? await fitFromMoments(args, effects, output)
      : await fitFromText(args, effects, { output, progress }).finally(() => progress.finish());
    const { rows, json } = describeMaps(maps);
    if (args.isSet("json")) effects.stdout.write(`${JSON.stringify({ wrote: output, warnings, notes, map: json })}\n`);
    else effects.stdout.write(renderList([...rows, ["wrote", output]]));
    if (!args.isSet("json")) for (const note of notes) effects.stderr.write(`${note}\n`);
    for (const warning of args.isSet("json") ? [] : warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};

async function fitFromMoments(args: Arguments, effects: Effects, output: string): Promise<SolvedMaps> {
  const unused = [...Object.keys(collectFlags), "seed", "untrained", "gpu-layers", "library", "offline"];
  const refused = unused.find((flag) => flag !== "layers" && args.isSet(flag));
  if (args.positionals.length > 0 || refused !== undefined)
    throw mismatch(
      "usage",
      "fit --moments",
      "no models and nothing that is read with them",
      refused ? `--${refused}` : args.positionals.join(" "),
      {
        hint: "the moments say which models, text and rows they are of",
      },
    );
  const options = readFitOptions(args);
  if (options.method === "adamw")
    throw mismatch("usage", "fit --moments", "a fit from moments", "--fit adamw", {
      hint: "descent reads the text itself",
    });
  const found = await readCollection(args.text("moments")!);
  const collection = args.isSet("reverse") ? reverseCollection(found) : found;
  const { method, ...choice } = options;
  const layers = layersOf(args, collection);
  checkMaxSources(args, layers);
  const solved = fitCollection(collection, { ...choice, method, layers });
  await writeMaps(output, solved.maps, { signal: effects.signal });
  return solved;
}

/** The layers asked for, or the one pair that was collected. */
function layersOf(args: Arguments, { plan }: Collection): ResolvedLayerPlan {
  const [sources, targets] = [plan.sourceSites, plan.targetSites].map((sites) => sites.map(({ layer }) => layer));
  const asked = args.text("layers");
  if (asked !== undefined) return resolveLayerPlan(parseLayerPlan(asked), plan.source.blocks, plan.target.blocks);
  if (sources!.length === 1 && targets!.length === 1)
    return { kind: "pairs", maps: [{ sources: sources!, target: targets![0]! }] };
  throw mismatch("usage", "fit --moments", "--layers", "none", {
    hint: `collected were layers ${sources!.join(", ")} of ${plan.source.name} and ${targets!.join(", ")} of ${plan.target.name}`,
  });
}

async function fitFromText(
  args: Arguments,
  effects: Effects,
  { output, progress }: { output: string; progress: Progress },
): Promise<SolvedMaps> {
  const [source, target] = args.positionals;
  if (source === undefined || target === undefined)
    throw mismatch("usage", "fit", command.usage, args.positionals.length === 0 ? "nothing" : "one model", {
      hint: "trimtab fit --help explains it",
    });
  if (args.isSet("reverse"))
    throw mismatch("usage", "--reverse", "--moments with it", "two models", {
      hint: "name the models the other way round",
    });
  const reading = await readCollectOptions(args, "fit");
  const choice = readFitOptions(args);
  const { context } = reading;
  await using small = await openModelOf(source, args, effects, { progress, context });
  await using large = await openModelOf(target, args, effects, { progress, context });
  sayAlignment(reading, small.description, large.description, progress);
  const layers = resolveLayers(reading, small.description, large.description);
  checkMaxSources(args, layers);
  await using untrained = args.isSet("untrained")
    ? await openUntrained(small, args, effects, { progress, context, seed: reading.seed ?? 0 })
    : undefined;
  progress.note(`fitting ${describeLayers(layers)} on ${nameText(reading)}`);
  const checkpoint = checkpointOf(output, effects);
  const { layerPlan: _, ...collect } = reading;
  const solved = await fitMaps(small, large, {
    ...collect,
    ...choice,
    adamw: {
      ...choice.adamw,
      onEpoch: (epoch, loss) => progress.note(`epoch ${epoch + 1}: mean squared error ${loss.toPrecision(4)}`),
    },
    layers,
    ...(untrained && { untrained: untrained.model }),
    checkpoint: checkpoint.options,
    signal: effects.signal,
    onResume: (tokens) => effects.stderr.write(`going on from ${tokens} tokens of an earlier run\n`),
    onProgress: showReading(progress, untrained?.model),
  });
  await writeMaps(output, solved.maps, { signal: effects.signal });
  await checkpoint.remove();
  return solved;
}

/** A choice among source layers must have some to choose among. */
function checkMaxSources(args: Arguments, layers: ResolvedLayerPlan): void {
  if (!args.isSet("max-sources")) return;
  if (layers.kind === "auto" || layers.maps.every(({ sources }) => sources.length === 1))
    throw mismatch("usage", "--max-sources", "a map from several layers", describeLayers(layers), {
      hint: "such as --layers 0+1+2:3 or all:all",
    });
}

/** Shows how far the reading is; the text is read again for an untrained source. */
function showReading(
  progress: Progress,
  untrained: EngineModel | undefined,
): NonNullable<FitMapsOptions["onProgress"]> {
  let before = 0;
  let pass = 1;
  return ({ rows, fraction }) => {
    if (rows < before) pass++;
    before = rows;
    progress.update({
      label: `reading hidden states${untrained && pass > 1 ? ", untrained source" : ""}`,
      done: rows,
      // A corpus may end before the rows asked for; the share of the work gives the number there will be.
      total: fraction > 0 ? Math.round(rows / fraction) : undefined,
      unit: "rows",
    });
  };
}

function describeLayers(layers: ResolvedLayerPlan): string {
  if (layers.kind === "auto") return "every target layer from its best source layer";
  const names = layers.maps.map(formatLayers);
  return names.length > 8 ? `${names.length} maps` : `layers ${names.join(", ")}`;
}

function nameText({ corpus, pairs }: Pick<FitMapsOptions, "corpus" | "pairs">): string {
  const name = typeof corpus === "string" ? corpus : corpus?.name;
  return [name, pairs?.name].filter((part) => part !== undefined).join(" and ");
}
