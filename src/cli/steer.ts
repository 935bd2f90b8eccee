import { mismatch } from "../errors.ts";
import {
  checkVectorFits,
  type EngineModel,
  formatStrength,
  type GenerateOptions,
  type Generation,
  type LayerAddition,
  parseVectorArgument,
  readVector,
  type SteeringVector,
  toAdditions,
  type VectorArgument,
  warnOfStrength,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { renderBeside } from "./beside.ts";
import type { Command } from "./command.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, shownFlags } from "./flags.ts";
import { parseLayers } from "./layer-range.ts";
import { parseLora } from "./lora-flag.ts";
import { openModelOf } from "./open-model.ts";
import { toPlainText } from "./plain-text.ts";
import { createProgress } from "./progress.ts";
import { readSampling, samplingFlags } from "./sampling-flags.ts";

export const command: Command = {
  name: "steer",
  summary: "let a model write with vectors added",
  usage: 'steer MODEL --vector FILE=STRENGTH "PROMPT" [options]',
  description: `
    At each of its layers, the vector is added to the hidden state of every token while the model reads the prompt and writes.
    Several vectors add up; a negative strength reverses.

    A strength is a length: 8 adds a vector of length 8. 0.5n adds half a median row norm of that layer, which means the same in
    every model: text changes from about 0.25n and breaks near 1n. 1.5x multiplies the vector as it is in its file, as llama.cpp
    does. A vector of n layers is added n times and wants 1/n to 1/√n of the strength of one.

    --phase generation steers only what is written and leaves the reading of the prompt alone. --compare shows the same text
    unsteered beside it, with the same seed.`,
  positionals: { least: 2, most: 2 },
  options: {
    vector: {
      type: "string",
      short: "v",
      value: "FILE=STRENGTH",
      multiple: true,
      description: "a vector and how hard",
    },
    layers: {
      type: "string",
      value: "A-B",
      description: "steer only at these layers of the vectors",
      default: "all they have",
    },
    lora: {
      type: "string",
      value: "FILE[=SCALE]",
      multiple: true,
      description: "open the model with a low-rank adapter, GGUF",
    },
    phase: { type: "string", value: "WHEN", description: "all, or generation", default: "all" },
    chat: { type: "boolean", description: "put the prompt as a user's message into the model's chat template" },
    compare: { type: "boolean", description: "show the unsteered text too" },
    ...samplingFlags,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: 'trimtab steer demo:m --vector happy.gguf=0.5n "Once upon a time"',
      explains: "Half a median row norm towards happy.",
    },
    {
      line: 'trimtab steer demo:m -v happy.gguf=-0.5n --compare "Once upon a time"',
      explains: "The other way, beside what the model writes by itself.",
    },
    {
      line: 'trimtab steer llama-8b.gguf -v calm.gguf=4 -v formal.gguf=2 --chat --temperature 0 "My train is late."',
      explains: "Two vectors, a chat model, greedy.",
    },
  ],
  async run(args, effects) {
    const given = args.texts("vector").map(parseVectorArgument);
    if (given.length === 0)
      throw mismatch("usage", "steer", "--vector FILE=STRENGTH", "none", {
        hint: "make one with trimtab vector; --compare shows the unsteered text as well",
      });
    const layers = args.isSet("layers") ? parseLayers(args.text("layers")!, "--layers") : undefined;
    const sampling = readSampling(args);
    const lora = args.texts("lora").map((text) => parseLora(text, "--lora"));
    const steerPhase = args.choice("phase", ["all", "generation"]) ?? "all";
    const vectors: SteeringVector[] = [];
    for (const { path } of given) vectors.push(await readVector(path));

    const progress = createProgress(effects, { silent: isSilent(args) });
    await using model = await openModelOf(args.positionals[0]!, args, effects, { progress, lora });
    const tooHard = given.flatMap(({ path, strength: { value, unit } }, i) => {
      const warning = warnOfStrength(vectors[i]!, { strength: value, unit, layers });
      return warning === undefined ? [] : [`${path}: ${warning}`];
    });
    const warnings = [...(await checkFit(model, vectors, given)), ...tooHard];
    for (const warning of args.isSet("json") ? [] : warnings) effects.stderr.write(`warning: ${warning}\n`);
    const steering = given.flatMap(({ strength }, i) => toLayerAdditions(vectors[i]!, strength, layers));
    const { text, tokens } = await toPrompt(model, args);
    const options: GenerateOptions = { ...sampling, steerPhase, signal: effects.signal };
    const report = { prompt: text, vectors: given.map(describe), phase: steerPhase, seed: sampling.seed, warnings };

    if (args.isSet("json")) {
      const unsteered = args.isSet("compare") ? await generateAll(model, tokens, options) : undefined;
      const steered = await generateAll(model, tokens, { ...options, steering });
      effects.stdout.write(
        `${JSON.stringify({ ...report, steered: toPlain(steered), ...(unsteered && { unsteered: toPlain(unsteered) }) })}\n`,
      );
      return 0;
    }
    const lead = args.isSet("chat") ? "" : args.positionals[1]!;
    if (args.isSet("compare")) {
      const unsteered = await generateAll(model, tokens, options);
      const steered = await generateAll(model, tokens, { ...options, steering });
      const titles = ["unsteered", given.map(describe).join(" + ")] as const;
      effects.stdout.write(renderBeside(titles, [lead + unsteered.text, lead + steered.text], effects.columns));
      return 0;
    }
    await stream(model, tokens, { ...options, steering }, { lead, args, effects });
    return 0;
  },
};

function describe({ path, strength }: VectorArgument): string {
  return `${path}=${formatStrength(strength)}`;
}

async function checkFit(model: EngineModel, vectors: readonly SteeringVector[], given: readonly VectorArgument[]) {
  // The digest reads the whole file; it is worth that only if a vector says which file it was made on.
  const named = vectors.some(({ provenance }) => provenance.model !== undefined);
  const sha256 = named ? await model.sha256() : undefined;
  return vectors.flatMap((vector, i) =>
    checkVectorFits(vector, model.description, sha256).map((warning) => `${given[i]!.path}: ${warning}`),
  );
}

function toLayerAdditions(
  vector: SteeringVector,
  { value, unit }: VectorArgument["strength"],
  layers: readonly number[] | undefined,
): LayerAddition[] {
  // A range may reach beyond a vector's layers; that none of them is in it is an error of toAdditions.
  const present = layers?.filter((layer) => vector.directions.some(({ site }) => site.layer === layer));
  const chosen = present !== undefined && present.length === 0 ? layers : present;
  return toAdditions(vector, { strength: value, unit, layers: chosen });
}

async function toPrompt(model: EngineModel, args: Arguments): Promise<{ text: string; tokens: Int32Array }> {
  const prompt = args.positionals[1]!;
  if (!args.isSet("chat")) return { text: prompt, tokens: await model.tokenize(prompt) };
  const text = model.chatPrompt([{ role: "user", content: prompt }], { addGenerationPrompt: true });
  const tokens = await model.tokenize(text, { addSpecial: false, parseSpecial: true });
  // Most templates write BOS themselves; where one does not, the tokenizer must.
  const { addsBos, bos } = model.description.tokenizer;
  const lacks = addsBos && bos !== undefined && tokens[0] !== bos;
  return { text, tokens: lacks ? Int32Array.from([bos, ...tokens]) : tokens };
}

async function generateAll(model: EngineModel, tokens: Int32Array, options: GenerateOptions): Promise<Generation> {
  const pieces = model.generate(tokens, options);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return checkNotAborted(value, options);
  }
}

async function stream(
  model: EngineModel,
  tokens: Int32Array,
  options: GenerateOptions,
  { lead, args, effects }: { readonly lead: string; readonly args: Arguments; readonly effects: Effects },
): Promise<void> {
  // With the first token and not before: a prompt that is refused should not be printed above the reason.
  let pending = lead;
  const start = effects.clock();
  const pieces = model.generate(tokens, options);
  for (;;) {
    const { done, value } = await pieces.next();
    effects.stdout.write(pending);
    pending = "";
    if (!done) {
      // What goes to a file or a pipe stays as the model wrote it.
      effects.stdout.write(effects.isTerminal.stdout ? toPlainText(value.text) : value.text);
      continue;
    }
    effects.stdout.write("\n");
    checkNotAborted(value, options);
    const seconds = (effects.clock() - start) / 1000;
    const rate = seconds > 0 ? `, ${Math.round(value.tokens.length / seconds)} tokens/s` : "";
    if (!args.isSet("quiet"))
      effects.stderr.write(`${value.tokens.length} tokens${rate}, ended by ${value.stopReason}\n`);
    return;
  }
}

function checkNotAborted(generation: Generation, { signal }: GenerateOptions): Generation {
  signal?.throwIfAborted();
  return generation;
}

function toPlain({ text, tokens, stopReason }: Generation) {
  return { text, tokens: [...tokens], stopReason };
}
