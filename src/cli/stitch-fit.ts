import { mismatch } from "../errors.ts";
import { resolveCorpus, type StitchLoss, tuneFromText, writeTunedStitch } from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, outputFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";
import { readStitchMap } from "./stitch-map.ts";

const name = "stitch fit";

export const command: Command = {
  name,
  summary: "tune a map on the loss of the stitched model",
  usage: "stitch fit SOURCE TARGET --map FILE --corpus PATH -o FILE [options]",
  description: `
    Least squares brings the mapped states near the large model's own, whatever they mean to the blocks behind. This starts from such a map
    and changes it so that the stitched model's next-token loss falls: in rounds, by the measured response of the final states to small changes,
    the exact loss of the output head, and a step whose length the real stitched model decides on validation documents.

    Other documents are held out and tell what it brought, beside the source alone. The result is for trimtab stitch; it carries no vectors.`,
  positionals: { least: 2, most: 2 },
  options: {
    map: {
      type: "string",
      value: "FILE",
      description: "map from trimtab fit, from one layer of SOURCE to one of TARGET",
    },
    layer: { type: "string", value: "L", description: "target layer to take, of a file of several maps" },
    corpus: { type: "string", value: "PATH", description: "text to tune, choose and score on" },
    "held-out": { type: "string", value: "N", description: "documents that are scored", default: "40" },
    validation: { type: "string", value: "N", description: "documents that choose", default: "20" },
    "tune-on": { type: "string", value: "N", description: "documents to tune on", default: "200" },
    rounds: { type: "string", value: "N", description: "rounds at most", default: "3" },
    steps: { type: "string", value: "N", description: "steps of descent in a round", default: "150" },
    ...outputFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab stitch fit demo:s demo:m --map map.safetensors --corpus stories.txt -o tuned.safetensors",
      explains: "Then: trimtab stitch demo:s demo:m --map tuned.safetensors",
    },
  ],
  async run(args, effects) {
    const output = await checkOutput(args, [".safetensors"], "output");
    const path = args.text("corpus");
    if (path === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
    const map = await readStitchMap(args, name);
    const options = {
      seed: seedOf(args),
      heldOut: args.whole("held-out", 2, 1_000_000),
      validation: args.whole("validation", 1, 1_000_000),
      tuning: args.whole("tune-on", 1, 1_000_000),
      rounds: args.whole("rounds", 1, 1000),
      steps: args.whole("steps", 1, 1_000_000),
    };
    const corpus = await resolveCorpus(path);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      await using source = await openModelOf(args.positionals[0]!, args, effects, { progress });
      await using target = await openModelOf(args.positionals[1]!, args, effects, { progress });
      let round = 0;
      const { stitch, ...scores } = await tuneFromText(source, target, {
        ...options,
        corpus,
        map,
        signal: effects.signal,
        onRound: ({ kept, validationNats }) =>
          progress.note(
            `round ${++round}: kept ${kept} of the step, ${validationNats.toFixed(3)} nats on validation text`,
          ),
      });
      await writeTunedStitch(output, stitch, { signal: effects.signal });
      const { tuning } = stitch;
      if (args.isSet("json")) {
        effects.stdout.write(`${JSON.stringify({ wrote: output, ...scores, tuning })}\n`);
        return 0;
      }
      const show = ({ nats, low, high }: StitchLoss): string =>
        `${nats.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
      effects.stdout.write(
        `held out, ${tuning.documents.heldOut} documents, nats per token:\n` +
          `  least squares   ${show(scores.plain)}\n` +
          `  tuned           ${show(scores.tuned)}, change ${show(scores.gain)}\n` +
          `  ${source.description.name} alone ${tuning.heldOut.sourceNats.toFixed(3)}, tuned less that ${show(scores.againstSource)}\n` +
          `wrote ${output}\n`,
      );
      return 0;
    } finally {
      progress.finish();
    }
  },
};
