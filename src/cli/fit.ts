import { mismatch } from "../errors.ts";
import {
  defaultLayerPair,
  fitMap,
  formatLayerPair,
  parseLayerPair,
  residPost,
  resolveCorpus,
  writeMap,
} from "../index.ts";
import type { Command } from "./command.ts";
import { describeMap } from "./describe-map.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";

export const command: Command = {
  name: "fit",
  summary: "learn a map from a small model's hidden states to a large one's",
  usage: "fit SOURCE TARGET --corpus PATH -o map.safetensors [options]",
  description: `
    Both models read the same text. At one layer of each, the hidden states of every token are paired, and an affine map
    y = A x + p is fitted by ridge regression that predicts the large model's from the small one's. Of every ten windows of text
    eight fit the map, one chooses the penalty, and one gives the score: held-out windows, and new text as far as the corpus does
    not repeat itself.

    Read the score beside its nulls: what the mean alone, wrongly paired rows and a random rotation reach. Much of R² is the
    current token, so what the map explains beyond a table by token id stands there too. In the end behaviour decides: a map with
    a good score may still carry a concept badly.

    The models must share a tokenizer. Fit on text like that which the vectors are read from; ten rows for each dimension of the
    small model are the least. Corpora: .txt (<|endoftext|> divides documents), .jsonl with a "text" field, .gz of these, or a folder of them, read from
    the beginning until there are enough rows.`,
  positionals: { least: 2, most: 2 },
  options: {
    corpus: { type: "string", value: "PATH", description: "text to read, a file or a folder" },
    layers: {
      type: "string",
      value: "A:B",
      description: "layer of the small and of the large model",
      default: "the middle, at equal relative depth",
    },
    context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
    rows: {
      type: "string",
      value: "N",
      description: "rows to read at most",
      default: "20 for each dimension of the small model, at least 20000",
    },
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
      line: "trimtab fit gemma-2b.gguf gemma-9b.gguf --corpus pile/ --layers 12:20 -o 12-20.safetensors",
      explains: "Chosen layers; the text is a folder of .txt and .jsonl.gz files.",
    },
  ],
  async run(args, effects) {
    const [source, target] = [args.positionals[0]!, args.positionals[1]!];
    const path = args.text("corpus");
    if (path === undefined)
      throw mismatch("usage", "fit", "--corpus PATH", "none", {
        hint: "a .txt, .jsonl or .gz file, or a folder",
      });
    const pair = args.text("layers") === undefined ? undefined : parseLayerPair(args.text("layers")!);
    const context = args.whole("context", 2, 1 << 20);
    const rows = args.whole("rows", 1, Number.MAX_SAFE_INTEGER);
    const seed = seedOf(args);
    const output = await checkOutput(args, [".safetensors"]);
    const corpus = await resolveCorpus(path);

    const progress = createProgress(effects, { silent: isSilent(args) });
    await using small = await openModelOf(source, args, effects, { progress, context });
    await using large = await openModelOf(target, args, effects, { progress, context });
    const layers = pair ?? defaultLayerPair(small.description.blocks, large.description.blocks);
    progress.note(`fitting layers ${formatLayerPair(layers)} on ${corpus.name}`);
    const { map, warnings } = await fitMap(small, large, {
      corpus,
      sourceSite: residPost(layers.source),
      targetSite: residPost(layers.target),
      context,
      maxRows: rows,
      seed,
      signal: effects.signal,
      onProgress: ({ rows: done, fraction }) =>
        progress.update({
          label: "reading hidden states",
          done,
          // A corpus may end before the rows asked for; the share of the work gives the number there will be.
          total: fraction > 0 ? Math.round(done / fraction) : undefined,
          unit: "rows",
        }),
    }).finally(() => progress.finish());
    await writeMap(output, map, { signal: effects.signal });
    const { rows: lines, json } = describeMap(map);
    if (args.isSet("json")) effects.stdout.write(`${JSON.stringify({ wrote: output, warnings, map: json })}\n`);
    else effects.stdout.write(renderList([...lines, ["wrote", output]]));
    for (const warning of args.isSet("json") ? [] : warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};
