import { mismatch } from "../errors.ts";
import {
  allRows,
  type Collection,
  collectMoments,
  defaultRows,
  estimateMemory,
  formatLayerPair,
  type LayerGrid,
  nearest,
  parseLayerGrid,
  readCollection,
  renderHeatMapText,
  renderSweepPlot,
  resolveLayerGrid,
  type SweepCriterion,
  type SweepResult,
  sweepCriteria,
  sweepLayers,
  toStandaloneSvg,
  toSweepMatrix,
  wholeGrid,
  writeCollection,
  writeFileAtomic,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { checkMemory } from "./check-memory.ts";
import { checkpointOf } from "./checkpoint.ts";
import { collectFlags, readCollectOptions, sayAlignment } from "./collect-flags.ts";
import type { Command } from "./command.ts";
import { describeSweep } from "./describe-sweep.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress, type Progress } from "./progress.ts";
import { toShellWord } from "./shell-word.ts";
import { timeReading } from "./time-reading.ts";

export const command: Command = {
  name: "sweep",
  summary: "compare every layer of one model with every layer of another",
  usage: "sweep SOURCE TARGET --corpus PATH [-o sweep.json] [options]",
  description: `
    Both models read the text once. Every layer of the one is then scored with every layer of the other, by four criteria: held-out R² of
    the map that fit would make; what such a map explains beyond a table by token id; linear CKA; SVCCA. Beside each stands what it
    finds in shuffled pairs, where there is nothing to find.

    Read R² down a column: which source layer predicts this target layer best. Along a row it also tells how predictable target layers
    are: early ones are mostly the current token, which a vector does not need a map for. R² beyond token identity leaves that out. CKA
    and SVCCA say how alike two layers are, not whether a map carries anything; use them to see, not to choose.

    The best of many pairs looks better than it is. The pair to fit is picked on rows that the scores shown have not seen. It is still a
    pair for maps in general: for one concept, compare a few pairs by what their vectors do.

    With -o, a run that was killed goes on from OUTPUT.partial when it is started again. --save-moments keeps what was collected, so that fit
    --moments makes maps of any pairs, and sweep --moments this table again, without reading.`,
  positionals: { least: 0, most: 2 },
  options: {
    ...collectFlags,
    layers: {
      type: "string",
      value: "A:B",
      description: "source and target layers to compare, each with each: 4-10:8-20, 0,2:all",
      default: "all:all",
    },
    "max-rows": {
      type: "string",
      value: "N",
      description: "stop after this many rows",
      default: "20 for each dimension of the small model, at least 20000, if rows are all",
    },
    show: {
      type: "string",
      value: "WHAT",
      multiple: true,
      description: "maps to print: r2, beyond, cka, svcca or all, joined by commas",
      default: "r2",
    },
    moments: { type: "string", value: "FILE", description: "sweep collected moments; no models, no corpus" },
    "save-moments": { type: "string", value: "FILE", description: "write what was collected, for fit --moments" },
    svg: { type: "string", value: "FILE", description: "write the four maps as a drawing" },
    ...outputFlags,
    output: { type: "string", short: "o", value: "FILE", description: "write all numbers as JSON" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sweep demo:s demo:m --corpus stories.txt --svg sweep.svg",
      explains: "All pairs of two small models, and a drawing of them.",
    },
    {
      line: "trimtab sweep 2b.gguf 9b.gguf --corpus pile/ --layers 8-16:12-28 --save-moments mid.safetensors",
      explains: "The middle of two large ones, kept to fit from afterwards.",
    },
  ],
  async run(args, effects) {
    const show = readShow(args);
    const layers = args.text("layers");
    const grid = layers === undefined ? wholeGrid : parseLayerGrid(layers);
    const outputs = await checkOutputs(args);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const fromFile = args.isSet("moments");
    try {
      const collection = fromFile
        ? await openMoments(args)
        : await collect(args, effects, { grid, output: outputs.json, progress });
      const { plan } = collection;
      const chosen = resolveLayerGrid(grid, plan.source.blocks, plan.target.blocks);
      const sweep = await sweepLayers(collection, {
        // Of a file, all layers are those that were collected.
        sources: grid.sources === "all" ? undefined : chosen.sources,
        targets: grid.targets === "all" ? undefined : chosen.targets,
        signal: effects.signal,
        onPair: (done, total) => progress.update({ label: "scoring", done, total, unit: "pairs" }),
      });
      const { signal } = effects;
      if (outputs.moments !== undefined) await writeCollection(outputs.moments, collection, { signal });
      const write = (path: string, text: string) => writeFileAtomic(path, new TextEncoder().encode(text), { signal });
      if (outputs.svg !== undefined) await write(outputs.svg, `${toStandaloneSvg(renderSweepPlot(sweep))}\n`);
      if (outputs.json !== undefined) {
        await write(outputs.json, `${JSON.stringify(sweep, null, 1)}\n`);
        if (!fromFile) await checkpointOf(outputs.json, effects).remove();
      }
      progress.finish();
      const wrote = Object.values(outputs).filter((path) => path !== undefined);
      if (args.isSet("json")) effects.stdout.write(`${JSON.stringify({ wrote, sweep })}\n`);
      else print(sweep, { show, wrote, next: nextCommand(args, sweep), effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};

interface Outputs {
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly moments: string | undefined;
}

async function checkOutputs(args: Arguments): Promise<Outputs> {
  const check = async (name: string, ending: string): Promise<string | undefined> =>
    args.isSet(name) ? checkOutput(args, [ending], name) : undefined;
  return {
    json: await check("output", ".json"),
    svg: await check("svg", ".svg"),
    moments: await check("save-moments", ".safetensors"),
  };
}

function readShow(args: Arguments): readonly SweepCriterion[] {
  const words = args.texts("show").flatMap((text) => text.split(","));
  if (words.length === 0) return ["r2"];
  return words.flatMap((word) => {
    if (word === "all") return sweepCriteria;
    const found = sweepCriteria.find((criterion) => criterion === word);
    if (found) return [found];
    const near = nearest(word, sweepCriteria);
    throw mismatch("usage", "--show", `${sweepCriteria.join(", ")} or all`, JSON.stringify(word), {
      hint: near && `did you mean ${near}?`,
    });
  });
}

async function openMoments(args: Arguments): Promise<Collection> {
  const refused = [...Object.keys(collectFlags), "seed", "save-moments"].find(
    (flag) => flag !== "layers" && args.isSet(flag),
  );
  if (args.positionals.length > 0 || refused !== undefined)
    throw mismatch(
      "usage",
      "sweep --moments",
      "no models and nothing that is read with them",
      refused ? `--${refused}` : args.positionals.join(" "),
      { hint: "the moments say which models, text and rows they are of" },
    );
  return readCollection(args.text("moments") as string);
}

interface CollectOptions {
  readonly grid: LayerGrid;
  readonly output: string | undefined;
  readonly progress: Progress;
}

async function collect(
  args: Arguments,
  effects: Effects,
  { grid, output, progress }: CollectOptions,
): Promise<Collection> {
  const [source, target] = args.positionals;
  if (source === undefined || target === undefined)
    throw mismatch("usage", "sweep", command.usage, args.positionals.length === 0 ? "nothing" : "one model", {
      hint: "trimtab sweep --help explains it",
    });
  // Its layers are a grid, not a plan of maps: the same signs with another meaning.
  const withoutLayers = { ...args, text: (name: string) => (name === "layers" ? undefined : args.text(name)) };
  const { layerPlan: _, ...reading } = await readCollectOptions(withoutLayers, "sweep");
  const { context, folds, rows = allRows, maxTokens } = reading;
  await using small = await openModelOf(source, args, effects, { progress, context });
  await using large = await openModelOf(target, args, effects, { progress, context });
  const [from, to] = [small.description, large.description];
  sayAlignment(reading, from, to, progress);
  const layers = resolveLayerGrid(grid, from.blocks, to.blocks);
  const isAll = rows.every(({ kind }) => kind === "all");
  const limit = isAll && maxTokens === undefined ? defaultRows(from.width) : undefined;
  const options = { ...reading, maxRows: reading.maxRows ?? limit, layers, hasCurve: false, signal: effects.signal };

  const { sources, targets } = layers;
  const pairs = `${sources.length * targets.length} pairs: ${sources.length} layers of ${from.name} with ${targets.length} of ${to.name}`;
  progress.note(`comparing ${pairs}`);
  const memory = estimateMemory(from, to, { layers, folds, hasCurve: false });
  // Scoring keeps the products of the held-out rows, and all of them about the token means: those of two parts once more, and again.
  const scoring = 2 * memory.moments;
  checkMemory({ ...memory, moments: memory.moments + scoring, total: memory.total + scoring }, effects, progress);
  if (!isSilent(args)) progress.note(await timeReading(small, large, options, effects));
  const checkpoint = output === undefined ? undefined : checkpointOf(output, effects);
  return await collectMoments(small, large, {
    ...options,
    checkpoint: checkpoint?.options,
    onResume: (tokens) => effects.stderr.write(`going on from ${tokens} tokens of an earlier run\n`),
    onProgress: ({ rows: done, fraction }) =>
      progress.update({
        label: "reading hidden states",
        done,
        // A corpus may end before the rows asked for; the share of the work gives the number there will be.
        total: fraction > 0 ? Math.round(done / fraction) : undefined,
        unit: "rows",
      }),
  });
}

interface PrintOptions {
  readonly show: readonly SweepCriterion[];
  readonly wrote: readonly string[];
  readonly next: string | undefined;
  readonly effects: Effects;
}

function print(sweep: SweepResult, { show, wrote, next, effects }: PrintOptions): void {
  const { stdout, isTerminal, env, columns } = effects;
  const isColour = isTerminal.stdout && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  const width = Math.max(40, columns);
  for (const criterion of new Set(show)) {
    const text = renderHeatMapText(toSweepMatrix(sweep, criterion), { width, shade: isColour ? "colour" : "none" });
    stdout.write(`${text}\n\n`);
  }
  const files = wrote.map((path) => ["wrote", path] as const);
  stdout.write(renderList([...describeSweep(sweep), ...files, ...(next ? [["next", next] as const] : [])]));
}

/** The line that fits the picked pair from what was read. */
function nextCommand(args: Arguments, { picked }: SweepResult): string | undefined {
  if (!picked) return undefined;
  const moments = args.text("moments") ?? args.text("save-moments");
  const kept = [...Object.keys(collectFlags), "seed"].filter((flag) => flag !== "layers" && args.isSet(flag));
  const words =
    moments === undefined
      ? [...args.positionals, ...kept.flatMap((flag) => toWords(args, flag))]
      : ["--moments", moments];
  const line = ["trimtab", "fit", ...words, "--layers", formatLayerPair(picked), "-o", "map.safetensors"];
  return line.map(toShellWord).join(" ");
}

function toWords(args: Arguments, flag: string): string[] {
  return flag === "special" ? [`--${flag}`] : [`--${flag}`, args.text(flag) as string];
}
