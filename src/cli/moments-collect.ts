import {
  type CollectionHeader,
  collectMoments,
  estimateMemory,
  toCollectedLayers,
  toCollectionHeader,
  writeCollection,
} from "../index.ts";
import { checkMemory } from "./check-memory.ts";
import { checkpointOf } from "./checkpoint.ts";
import {
  collectFlags,
  readCollectOptions,
  readShard,
  resolveLayers,
  sayAlignment,
  shardFlag,
} from "./collect-flags.ts";
import type { Command } from "./command.ts";
import { describeMoments } from "./describe-moments.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";

const name = "moments collect";

export const command: Command = {
  name,
  summary: "collect once what many fits need, in parts and over many runs",
  usage: "moments collect SOURCE TARGET --corpus PATH -o part.safetensors [options]",
  description: `
    Both models read the text; of their hidden states means and products are summed, and a bounded sample is held out. From that file
    trimtab fit --moments makes any map between the layers collected, by any method, without reading again. Memory and file do not grow
    with the text.

    All of the text is read unless it is limited. The run is saved beside its output about once a minute, as OUTPUT.partial: ended at any
    moment, the same command goes on from there, to the same result.

    To share the work, give each machine one part, --shard 1/4 to 4/4, and join the parts with trimtab moments merge. More text can be
    merged later. Which rows fit, choose and score is decided by --seed and the place in the corpus, whoever reads them.`,
  positionals: { least: 2, most: 2 },
  options: {
    ...collectFlags,
    ...shardFlag,
    "no-curve": { type: "boolean", description: "keep no learning curve: the moments take a third of the memory" },
    ...outputFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab moments collect demo:s demo:m --corpus stories.txt --layers auto -o all.safetensors",
      explains: "Every pair of layers; fit chooses the best for each layer of the large model.",
    },
    {
      line: "trimtab moments collect 2b.gguf 9b.gguf --corpus pile/ --layers 12:20 --shard 1/8 -o 1.safetensors",
      explains: "The first of eight parts, each on a machine of its own.",
    },
  ],
  async run(args, effects) {
    const { layerPlan, ...reading } = await readCollectOptions(args, name);
    const shard = readShard(args, name);
    const hasCurve = !args.isSet("no-curve");
    const output = await checkOutput(args, [".safetensors"]);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const { context, folds } = reading;
    await using small = await openModelOf(args.positionals[0]!, args, effects, { progress, context });
    await using large = await openModelOf(args.positionals[1]!, args, effects, { progress, context });
    const [from, to] = [small.description, large.description];
    sayAlignment(reading, from, to, progress);
    const layers = toCollectedLayers(resolveLayers({ layerPlan }, from, to), from.blocks, to.blocks);
    checkMemory(estimateMemory(from, to, { layers, folds, hasCurve }), effects, progress);
    const checkpoint = checkpointOf(output, effects);
    const collection = await collectMoments(small, large, {
      ...reading,
      layers,
      shard,
      hasCurve,
      checkpoint: checkpoint.options,
      signal: effects.signal,
      onResume: (tokens) => effects.stderr.write(`going on from ${tokens} tokens of an earlier run\n`),
      onProgress: ({ tokens, fraction }) =>
        progress.update({
          label: "reading hidden states",
          done: tokens,
          total: fraction > 0 ? Math.round(tokens / fraction) : undefined,
          unit: "tokens",
        }),
    }).finally(() => progress.finish());
    await writeCollection(output, collection, { signal: effects.signal });
    await checkpoint.remove();
    showWritten(toCollectionHeader(collection), output, { asJson: args.isSet("json"), effects });
    return 0;
  },
};

/** Says what stands in a file of moments that was just written. */
export function showWritten(
  header: CollectionHeader,
  output: string,
  { asJson, effects }: { readonly asJson: boolean; readonly effects: Effects },
): void {
  const { rows, json } = describeMoments(header);
  effects.stdout.write(
    asJson ? `${JSON.stringify({ wrote: output, moments: json })}\n` : renderList([...rows, ["wrote", output]]),
  );
}
