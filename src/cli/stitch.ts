import { mismatch } from "../errors.ts";
import {
  type EngineModel,
  type GenerateOptions,
  modelCost,
  openStitched,
  readNeutralText,
  readWeights,
  resolveModel,
  type StitchedModel,
  stitchCost,
  type Weights,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, shownFlags, threadsOf } from "./flags.ts";
import { openModelOf, showDownload } from "./open-model.ts";
import { toPlainText } from "./plain-text.ts";
import { createProgress, type Progress } from "./progress.ts";
import { readSampling, samplingFlags } from "./sampling-flags.ts";
import { readStitchMap } from "./stitch-map.ts";
import { formatBytes } from "./units.ts";

const name = "stitch";
const defaultPrompt = "Once upon a time";

export const command: Command = {
  name,
  summary: "write and score with early blocks of one model and late blocks of another",
  usage: 'stitch SOURCE TARGET --map FILE ["PROMPT"] [options]',
  description: `
    The source's blocks up to the map's source layer, the map, the target's blocks behind the map's target layer with its norm and output
    head: one model, that writes. Below the text stand its time per token and its weights, and with --compare its loss on neutral text, beside
    both models alone.

    Of the target only its late blocks are loaded, from its own file and without a copy on disk (--tail memory). --tail file writes them as a
    GGUF file, once, into the cache or to --tail-file; --delete-tail removes it afterwards. --tail whole runs the whole target and replaces its
    rows at the layer: right for every model, and it saves nothing. By default memory is tried and proven: its logits on the target's own
    states must be the target's own to 1e-4, else the whole is run, and the command says so.

    A stitched model is usually worse than the source alone. trimtab study stitch measures by how much, at every pair of layers.`,
  positionals: { least: 2, most: 3 },
  options: {
    map: {
      type: "string",
      value: "FILE",
      description: "map from trimtab fit or stitch fit, from SOURCE to TARGET",
    },
    layer: { type: "string", value: "L", description: "target layer to take, of a file of several maps" },
    compare: { type: "boolean", description: "score all three models on neutral text and time all three" },
    tail: { type: "string", value: "WAY", description: "auto, memory, file or whole", default: "auto" },
    "tail-file": { type: "string", value: "FILE", description: "where to write the late blocks, for --tail file" },
    "delete-tail": { type: "boolean", description: "remove that file at the end" },
    ...samplingFlags,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: 'trimtab stitch demo:s demo:m --map map.safetensors "Once upon a time"',
      explains: "A story begun by the small model and told by the large one.",
    },
    {
      line: "trimtab stitch 2b.gguf 9b.gguf --map map.safetensors --tail file --tail-file late.gguf",
      explains: "The late blocks in a file of their own.",
    },
  ],
  async run(args, effects) {
    const way = args.choice("tail", ["auto", "memory", "file", "whole"]) ?? "auto";
    const file = args.text("tail-file");
    if (way !== "file" && (file !== undefined || args.isSet("delete-tail")))
      throw mismatch("usage", name, "--tail file with --tail-file or --delete-tail", `--tail ${way}`);
    const map = await readStitchMap(args, name);
    const { seed, ...sampling } = readSampling(args);
    const prompt = args.positionals[2] ?? defaultPrompt;
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using source = await openModelOf(args.positionals[0]!, args, effects, { progress });
      const { path } = await resolveModel(args.positionals[1]!, {
        env: effects.env,
        signal: effects.signal,
        onProgress: (step) => showDownload(progress, step),
        ...(args.isSet("offline") && { offline: true }),
      });
      const gpuLayers = args.whole("gpu-layers", -1, 100_000);
      const variant = args.choice("library", ["auto", "cpu", "cuda", "vulkan", "metal"]);
      await using stitched = await openStitched({
        source,
        target: path,
        map,
        way,
        threads: threadsOf(args) ?? source.threads,
        context: source.context,
        ...(gpuLayers !== undefined && { gpuLayers }),
        ...(variant !== undefined && { variant }),
        signal: effects.signal,
        file: {
          path: file,
          isTemporary: args.isSet("delete-tail"),
          onWrite: (place, sizeBytes) => progress.note(`writing ${formatBytes(sizeBytes)} to ${place}`),
          onBytes: (done, total) => progress.update({ label: "writing late blocks", done, total, unit: "bytes" }),
        },
      });
      progress.finish();
      const options = { ...sampling, seed, signal: effects.signal };
      const written = await write(stitched, prompt, options, { args, effects });
      const facts = await measure({ source, stitched, path, written, options, prompt }, { args, effects, progress });
      show(facts, stitched, written, { args, effects });
      return 0;
    } finally {
      progress.finish();
    }
  },
};

interface Written {
  readonly text: string;
  readonly tokens: number;
  readonly stopReason: string;
  readonly msPerToken: number | null;
}

/** Writes a text, and shows it as it comes unless JSON is asked for. */
async function write(
  model: Pick<StitchedModel, "tokenize" | "generate">,
  prompt: string,
  options: GenerateOptions,
  { args, effects, isShown = !args.isSet("json") }: { args: Arguments; effects: Effects; isShown?: boolean },
): Promise<Written> {
  const pieces = model.generate(await model.tokenize(prompt), options);
  let pending = isShown ? prompt : "";
  let start: number | undefined;
  for (;;) {
    const { done, value } = await pieces.next();
    const now = effects.clock();
    if (isShown) effects.stdout.write(pending);
    pending = "";
    if (!done) {
      if (isShown) effects.stdout.write(effects.isTerminal.stdout ? toPlainText(value.text) : value.text);
      // The first token waits for the whole prompt.
      start ??= now;
      continue;
    }
    if (isShown) effects.stdout.write("\n");
    const tokens = value.tokens.length;
    const msPerToken = start !== undefined && tokens > 1 ? (now - start) / (tokens - 1) : null;
    return { text: value.text, tokens, stopReason: value.stopReason, msPerToken };
  }
}

/** What is said of one model. */
interface Facts {
  readonly name: string;
  readonly weights: Weights;
  readonly computeShare: number;
  readonly msPerToken: number | null;
  readonly lossNats: number | null;
}

interface Measured {
  readonly source: EngineModel;
  readonly stitched: StitchedModel;
  readonly path: string;
  readonly written: Written;
  readonly options: GenerateOptions;
  readonly prompt: string;
}

async function measure(
  { source, stitched, path, written, options, prompt }: Measured,
  { args, effects, progress }: { args: Arguments; effects: Effects; progress: Progress },
): Promise<Facts[]> {
  const small = await readWeights(source.description.path);
  const large = await readWeights(path);
  const { sources, target } = stitched.layers;
  const mapParameters = stitched.target.width * (sources.length * source.description.width + 1);
  const cost = stitchCost(small, large, { source: Math.max(...sources), target, mapParameters });
  const facts = (title: string, own: { weights: Weights; computeShare: number }): Facts => ({
    name: title,
    ...own,
    msPerToken: null,
    lossNats: null,
  });
  const found = [
    { ...facts("stitched", cost), msPerToken: written.msPerToken },
    facts(source.description.name, modelCost(small, large)),
    facts(stitched.target.name, modelCost(large, large)),
  ];
  if (!args.isSet("compare")) return found;
  const { windows } = await readNeutralText(source);
  const lossOf = async (model: EngineModel): Promise<number> => {
    const items = windows.map((tokens) => ({ prompt: tokens.slice(0, 1), continuations: [tokens.slice(1)] }));
    const rows = (await model.logProbabilities(items)).flat();
    return (
      -rows.flatMap((row) => [...row]).reduce((sum, value) => sum + value, 0) /
      rows.reduce((n, row) => n + row.length, 0)
    );
  };
  const quiet = { args, effects, isShown: false };
  await using whole = await openModelOf(path, args, effects, { progress, context: source.context });
  const [, alone, other] = found as [Facts, Facts, Facts];
  return [
    { ...found[0]!, lossNats: (await stitched.perplexity(windows)).lossNats },
    { ...alone, msPerToken: (await write(source, prompt, options, quiet)).msPerToken, lossNats: await lossOf(source) },
    { ...other, msPerToken: (await write(whole, prompt, options, quiet)).msPerToken, lossNats: await lossOf(whole) },
  ];
}

function show(
  facts: readonly Facts[],
  { layers, tail, source, target }: StitchedModel,
  written: Written,
  { args, effects }: { args: Arguments; effects: Effects },
): void {
  if (args.isSet("json")) {
    const { way, proof, notes } = tail;
    effects.stdout.write(`${JSON.stringify({ layers, tail: { way, proof, notes }, ...written, models: facts })}\n`);
    return;
  }
  if (args.isSet("quiet")) return;
  const ways = {
    memory: "its late blocks alone, in memory",
    file: "its late blocks alone, from a file",
    whole: "the whole model with its rows replaced, which saves nothing",
  } as const;
  const { stderr } = effects;
  stderr.write(
    `\n${source.name} to block ${layers.sources.join("+")}, ${target.name} from block ${layers.target + 1}: ${ways[tail.way]}\n`,
  );
  for (const note of tail.notes) stderr.write(`note: ${note}\n`);
  for (const { name: title, weights, computeShare, msPerToken, lossNats } of facts) {
    const parts = [
      `${formatBytes(weights.bytes)} of weights`,
      `${Math.round(100 * computeShare)} % of the compute`,
      ...(msPerToken === null ? [] : [`${msPerToken.toFixed(2)} ms a token`]),
      ...(lossNats === null ? [] : [`${lossNats.toFixed(3)} nats a token on neutral text`]),
    ];
    stderr.write(`${title}: ${parts.join(", ")}\n`);
  }
}
