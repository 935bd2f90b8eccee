import { mismatch } from "../errors.ts";
import {
  type AffineMap,
  type CarriedDirection,
  formatLayers,
  formatSite,
  isSameSite,
  readMaps,
  readVector,
  type Site,
  type SteeringVector,
  transferVector,
  type UnusedMap,
  writeVector,
} from "../index.ts";
import type { Command } from "./command.ts";
import { describePaired } from "./describe-alignment.ts";
import { describeLength } from "./describe-vector.ts";
import { outputFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { checkNotInput, checkOutput } from "./output-path.ts";

export const command: Command = {
  name: "transfer",
  summary: "carry a vector into another model through a map",
  usage: "transfer VECTOR --map MAP -o OUT [options]",
  description: `
    The vector of the small model becomes one of the large model: A v. A direction is a difference of hidden states, and in a
    difference the map's bias p cancels; with p added, what is common to all text drowns the concept. --with-bias adds it all the
    same, as the paper writes it.

    The vector must be of the map's source model and hold a direction at the map's source layer. A file of many maps carries a
    vector of many layers, such as a control vector made by repeng or llama.cpp: every map whose source layers the vector has gives
    the direction at its target layer. The result is written as .safetensors, or as .gguf, a control vector that llama.cpp and
    other programs load.`,
  positionals: { least: 1, most: 1 },
  options: {
    map: { type: "string", value: "FILE", description: "the map or maps, from trimtab fit" },
    "with-bias": { type: "boolean", description: "A v + p instead of A v" },
    ...outputFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab transfer happy.safetensors --map map.safetensors -o happy-9b.gguf",
      explains: "A control vector for the large model.",
    },
    {
      line: "trimtab transfer repeng.gguf --map maps.safetensors -o repeng-9b.gguf",
      explains: "Every layer of a control vector, through maps of fit --layers 8:12,10:15.",
    },
  ],
  async run(args, effects) {
    const mapPath = args.text("map");
    if (mapPath === undefined) throw mismatch("usage", "transfer", "--map FILE", "none");
    const output = await checkOutput(args, [".safetensors", ".gguf"]);
    await checkNotInput(output, [...args.positionals, ...args.texts("map")]);
    const [vector, maps] = [await readVector(args.positionals[0]!), await readMaps(mapPath)];
    const { useful, warnings: unwritable } = leaveOutLayer0(maps, output);
    const withBias = args.isSet("with-bias");
    const transfer = transferVector(vector, useful, { withBias });
    await writeVector(output, transfer.vector, { signal: effects.signal });
    const warnings = [...unwritable, ...transfer.warnings];
    const { carried, unused } = transfer;
    const leftOut = transfer.leftOut.map(formatSite);
    if (args.isSet("json")) {
      const { provenance } = transfer.vector;
      const shown = { wrote: output, carried: carried.map(toPlain), unused: unused.map(toPlain) };
      effects.stdout.write(`${JSON.stringify({ ...shown, leftOut, warnings, provenance })}\n`);
      return 0;
    }
    const [{ sources, target, fit }] = useful as readonly [AffineMap];
    const ratios = carried.map(({ biasRatio }) => biasRatio);
    const [least, most] = [Math.min(...ratios).toFixed(1), Math.max(...ratios).toFixed(1)];
    effects.stdout.write(
      renderList([
        ["from", sources[0]!.model.name],
        ["to", target.model.name],
        ...(fit.alignment ? describePaired(fit.alignment) : []),
        ...carried.map((entry) => [nameOf(entry), describe(entry, { maps: useful, vector })] as const),
        [
          "bias",
          `‖p‖ is ${least === most ? least : `${least} to ${most}`} times ‖A v‖; ${withBias ? "added" : "not added"}`,
        ],
        ...unused.map((map) => [nameOf(map), whyUnused(map)] as const),
        ...(leftOut.length > 0 ? [["left out", `${leftOut.join(", ")}, where no map starts`] as const] : []),
        ["wrote", output],
      ]),
    );
    for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
    return 0;
  },
};

/** A control vector has no layer 0: of several maps the one there is left out, and a single one is refused when it is written. */
function leaveOutLayer0(
  maps: readonly AffineMap[],
  output: string,
): { readonly useful: readonly AffineMap[]; readonly warnings: readonly string[] } {
  const useful = maps.filter(({ target }) => target.site.layer > 0);
  if (!/\.gguf$/i.test(output) || useful.length === 0 || useful.length === maps.length)
    return { useful: maps, warnings: [] };
  return {
    useful,
    warnings: ["a control vector cannot hold layer 0; the map to it was not used. Write .safetensors to keep it"],
  };
}

function nameOf({ sources, target }: { readonly sources: readonly Site[]; readonly target: Site }): string {
  return formatLayers({ sources: sources.map(({ layer }) => layer), target: target.layer });
}

function describe(
  { sources, target, sourceNorm, targetNorm }: CarriedDirection,
  { maps, vector }: { readonly maps: readonly AffineMap[]; readonly vector: SteeringVector },
): string {
  const map = maps.find(({ target: { site } }) => site.layer === target.layer)!;
  const own = vector.directions.find(({ site }) => isSameSite(site, sources[0]!));
  // Several directions together have no unit of their own. One has that of its file, which trimtab vector and inspect show.
  const unit = sources.length === 1 ? (own?.medianNorm ?? map.sources[0]!.medianNorm) : undefined;
  const after = describeLength(targetNorm, map.target.medianNorm).replace("length ", "");
  return `${describeLength(sourceNorm, unit)} → ${after}`;
}

function whyUnused({ missing }: UnusedMap): string {
  return missing.length === 0
    ? "not used: it knows nothing of this direction"
    : `not used: the vector has no direction at ${missing.map(formatSite).join(", ")}`;
}

/** Sites as they are written. */
function toPlain<T extends CarriedDirection | UnusedMap>(entry: T): object {
  const missing = "missing" in entry ? { missing: entry.missing.map(formatSite) } : {};
  return { ...entry, sources: entry.sources.map(formatSite), target: formatSite(entry.target), ...missing };
}
