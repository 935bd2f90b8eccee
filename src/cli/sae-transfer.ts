import { access, mkdir, readdir } from "node:fs/promises";
import { mismatch } from "../errors.ts";
import { carrySae, checkCarryingMaps, formatNumber, formatSite, readMaps, readSae, writeSae } from "../index.ts";
import type { Command } from "./command.ts";
import { outputFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";

const name = "sae transfer";

export const command: Command = {
  name,
  summary: "carry a sparse autoencoder into another model through maps both ways",
  usage: "sae transfer SAE --map FORWARD --back BACKWARD -o DIR [options]",
  description: `
    A sparse autoencoder of one model is carried to another by two maps. It reads the new model's state through the map back (x ≈ B y + q),
    with the same features, and writes what they would have written through the map forward (A x + p). The result is an autoencoder of
    the new model like any other: it encodes, scores, steers, and can be trained further.

    It explains no more than the maps keep, and its rank is at most the old width. trimtab study sae measures both, and what training
    from it saves. Both maps come from one reading: trimtab moments collect, then fit --moments, and once more with --reverse.

    Decoder rows are brought to length 1, the scale moved into encoder and thresholds, so that activations count in units of the new
    model's states. Of topk that would change which features are the largest, so they are left as they are unless --unit is given.`,
  positionals: { least: 1, most: 1 },
  options: {
    map: { type: "string", value: "FILE", description: "map from the autoencoder's model to the new one" },
    back: { type: "string", value: "FILE", description: "map from the new model back, at the same layers" },
    unit: { type: "boolean", description: "bring decoder rows to length 1 for topk too" },
    ...outputFlags,
    output: { type: "string", short: "o", value: "DIR", description: "folder to write, in SAELens' layout" },
    force: { type: "boolean", short: "f", description: "write into a folder that is not empty" },
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae transfer sae-s --map map.safetensors --back back.safetensors -o sae-m",
      explains: "The autoencoder in sae-s, for the large model.",
    },
  ],
  async run(args, effects) {
    const [map, back, output] = [args.text("map"), args.text("back"), args.text("output")];
    if (map === undefined || back === undefined)
      throw mismatch("usage", name, "--map FILE and --back FILE", map === undefined ? "no --map" : "no --back", {
        hint: "maps both ways: fit --moments FILE, and again with --reverse",
      });
    if (output === undefined) throw mismatch("usage", "--output", "a folder", "nothing", { hint: "add -o DIR" });
    const there = await readdir(output).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw mismatch("io", "--output", `the folder ${output}`, error.message, { cause: error });
    });
    if (there.length > 0 && !args.isSet("force"))
      throw mismatch("usage", "--output", `an empty folder, or none yet, at ${output}`, "one with files in it", {
        hint: "choose another name, or add --force to write into it",
      });
    const sae = await readSae(args.positionals[0]!);
    const { forward, backward, warnings } = checkCarryingMaps(sae, await readMaps(map), await readMaps(back));
    const { model, site } = forward.target;
    const carried = carrySae(
      sae,
      { forward, backward },
      {
        ...(args.isSet("unit") && { isUnit: true }),
        origin: { model: model.name, modelSha256: model.sha256, site },
      },
    );
    await mkdir(output, { recursive: true });
    await access(output);
    await writeSae(output, carried);
    const { r2 } = forward.scores;
    const shown = {
      features: carried.features,
      activation: carried.activation,
      width: { from: sae.width, to: carried.width },
      site: formatSite(site),
      model: model.name,
      r2: { forward: r2, backward: backward.scores.r2 },
    };
    if (args.isSet("json")) effects.stdout.write(`${JSON.stringify({ wrote: output, ...shown, warnings })}\n`);
    else
      effects.stdout.write(
        renderList([
          ["autoencoder", `${sae.activation}, ${sae.features} features`],
          ["from", `${forward.sources[0]!.model.name} at ${formatSite(forward.sources[0]!.site)}, width ${sae.width}`],
          ["to", `${model.name} at ${formatSite(site)}, width ${carried.width}`],
          ["maps", `forward R² ${formatNumber(r2, 3)}, back R² ${formatNumber(backward.scores.r2, 3)}, held out`],
          ["wrote", output],
        ]),
      );
    for (const warning of args.isSet("json") ? [] : warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};
