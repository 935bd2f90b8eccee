import { mismatch } from "../errors.ts";
import { formatSite, readMap, readVector, transferVector, writeVector } from "../index.ts";
import type { Command } from "./command.ts";
import { outputFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { checkOutput } from "./output-path.ts";

export const command: Command = {
  name: "transfer",
  summary: "carry a vector into another model through a map",
  usage: "transfer VECTOR --map MAP -o OUT [options]",
  description: `
    The vector of the small model becomes one of the large model: A v. A direction is a difference of hidden states, and in a
    difference the map's bias p cancels; with p added, what is common to all text drowns the concept. --with-bias adds it all the
    same, as the paper writes it.

    The vector must be of the map's source model and hold a direction at the map's source layer. The result is written as
    .safetensors, or as .gguf, a control vector that llama.cpp and other programs load.`,
  positionals: { least: 1, most: 1 },
  options: {
    map: { type: "string", value: "FILE", description: "the map, from trimtab fit" },
    "with-bias": { type: "boolean", description: "A v + p instead of A v" },
    ...outputFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab transfer happy.safetensors --map map.safetensors -o happy-9b.gguf",
      explains: "A control vector for the large model.",
    },
  ],
  async run(args, effects) {
    const mapPath = args.text("map");
    if (mapPath === undefined) throw mismatch("usage", "transfer", "--map FILE", "none");
    const output = await checkOutput(args, [".safetensors", ".gguf"]);
    const [vector, map] = [await readVector(args.positionals[0]!), await readMap(mapPath)];
    const carried = transferVector(vector, map, { withBias: args.isSet("with-bias") });
    await writeVector(output, carried.vector, { signal: effects.signal });
    const { sourceNorm, targetNorm, biasRatio, leftOut, warnings } = carried;
    const source = map.sources[0]!;
    const left = leftOut.map(formatSite);
    if (args.isSet("json")) {
      const { provenance } = carried.vector;
      effects.stdout.write(
        `${JSON.stringify({ wrote: output, sourceNorm, targetNorm, biasRatio, leftOut: left, warnings, provenance })}\n`,
      );
      return 0;
    }
    const inUnits = (norm: number, unit: number) =>
      `${norm.toPrecision(4)}, ${(norm / unit).toPrecision(2)} median row norms`;
    effects.stdout.write(
      renderList([
        ["from", `${source.model.name} ${formatSite(source.site)}, length ${inUnits(sourceNorm, source.medianNorm)}`],
        [
          "to",
          `${map.target.model.name} ${formatSite(map.target.site)}, length ${inUnits(targetNorm, map.target.medianNorm)}`,
        ],
        ["bias", `‖p‖ is ${biasRatio.toFixed(1)} times ‖A v‖; ${args.isSet("with-bias") ? "added" : "not added"}`],
        ...(left.length > 0 ? [["left out", `${left.join(", ")}, where the map does not start`] as const] : []),
        ["wrote", output],
      ]),
    );
    for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};
