import { mismatch } from "../errors.ts";
import {
  carryProbe,
  formatNumber,
  formatSite,
  type ProbeTransfer,
  readMaps,
  readProbe,
  recalibrateProbe,
  writeProbe,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { Effects } from "./effects.ts";
import { isSilent, modelFlags, outputFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkNotInput, checkOutput } from "./output-path.ts";
import { probeTextFlags, readProbeTexts } from "./probe-texts.ts";
import { createProgress } from "./progress.ts";

const name = "probe transfer";

export const command: Command = {
  name,
  summary: "carry a probe into another model through a map",
  usage: "probe transfer PROBE --map FILE -o carried.safetensors [options]",
  description: `
    A probe w of one model is carried to another by a map between them, whichever way it goes. Backward, through a map from the new model
    to the old one (h_old ≈ B h_new + q), the new probe is Bᵀ w with the bias b + w·q: it scores what the old probe would on the states
    that the map predicts. Every probe can be carried so, and this is preferred.

    Forward, by a map from the old model to the new one, only a difference of means goes, as the difference of states that it is: A w, its
    threshold between the carried class means. The command says which way it went.

    A direction often arrives where its threshold does not. With --model and a few labelled texts the threshold is moved halfway between
    their mean scores; the direction stays, and the file says so.`,
  positionals: { least: 1, most: 1 },
  options: {
    map: { type: "string", value: "FILE", description: "map, or maps, from trimtab fit, from or to the probe's layer" },
    model: {
      type: "string",
      value: "MODEL",
      description: "the new model, to move the threshold on --pairs or --labelled",
    },
    ...probeTextFlags,
    ...outputFlags,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab probe transfer past.safetensors --map back.safetensors -o past-m.safetensors",
      explains: "Through a map from the new model to the probe's, as trimtab fit --reverse makes it.",
    },
    {
      line: "trimtab probe transfer p.safetensors --map b.safetensors --model demo:m --pairs few.jsonl -o m.safetensors",
      explains: "The same, with the threshold moved by a few labelled pairs.",
    },
  ],
  async run(args, effects) {
    const mapPath = args.text("map");
    if (mapPath === undefined) throw mismatch("usage", name, "--map FILE", "none");
    const texts = await readProbeTexts(args, name);
    if (args.isSet("model") !== (texts !== undefined))
      throw mismatch(
        "usage",
        name,
        "--model with --pairs or --labelled",
        args.isSet("model") ? "--model alone" : "texts alone",
        {
          hint: "labelled texts move the threshold, and the model reads them",
        },
      );
    if (args.isSet("special") && !texts) throw mismatch("usage", name, "--special with texts", "--special alone");
    const output = await checkOutput(args, [".safetensors"]);
    await checkNotInput(output, [...args.positionals, mapPath]);
    const transfer = carryProbe(await readProbe(args.positionals[0]!), await readMaps(mapPath));
    const probe = texts ? await recalibrated(transfer, texts.source, args, effects) : transfer.probe;
    await writeProbe(output, probe, { signal: effects.signal });
    const { by, map, warnings } = transfer;
    if (args.isSet("json")) {
      effects.stdout.write(
        `${JSON.stringify({ wrote: output, by, bias: probe.bias, movedBy: probe.bias - transfer.probe.bias, warnings, provenance: probe.provenance })}\n`,
      );
      return 0;
    }
    const [last] = probe.provenance.carried.slice(-1);
    effects.stdout.write(
      renderList([
        ["from", `${last!.from.name} at ${last!.from.site}`],
        ["to", `${probe.provenance.model.name} at ${formatSite(probe.site)}`],
        ["carried", by === "backward" ? "backward: Bᵀ w, b + w·q" : "forward: A w, threshold at A c + p"],
        ["map", `held-out R² ${formatNumber(map.scores.r2, 3)}, ${map.fit.corpus.name}`],
        ...(texts
          ? [
              [
                "threshold",
                `moved by ${formatNumber(transfer.probe.bias - probe.bias, 3)}, ${probe.provenance.recalibrated} labelled texts`,
              ] as const,
            ]
          : []),
        ["wrote", output],
      ]),
    );
    for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};

async function recalibrated(
  { probe }: ProbeTransfer,
  source: Parameters<typeof recalibrateProbe>[2],
  args: Arguments,
  effects: Effects,
): Promise<ProbeTransfer["probe"]> {
  const progress = createProgress(effects, { silent: isSilent(args) });
  await using model = await openModelOf(args.text("model")!, args, effects, { progress });
  return await recalibrateProbe(model, probe, source, {
    ...(args.isSet("special") && { parseSpecial: true }),
    signal: effects.signal,
  });
}
