import { mismatch } from "../errors.ts";
import { type FeatureWeight, featureVector, formatSite, readFeatureMap, vectorNorm, writeVector } from "../index.ts";
import type { Command } from "./command.ts";
import { describeLength } from "./describe-vector.ts";
import { outputFlags, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { checkNotInput, checkOutput } from "./output-path.ts";

const name = "sae vector";

export const command: Command = {
  name,
  summary: "make a vector for a large model from features of a small one, by their indices",
  usage: "sae vector MAP --feature N[=WEIGHT] -o OUT",
  description: `
    Row N of a feature map is what feature N of the small model's autoencoder, active by one, adds to the hidden states of the large model.
    That is a steering vector of the large model: steer and evaluate take it like any other. Several features add up, each with a weight,
    negative to take it away.

    trimtab sae features says which features tell the two sides of a contrast set apart, and trimtab sae examples what a feature
    is active on.`,
  positionals: { least: 1, most: 1 },
  options: {
    feature: {
      type: "string",
      value: "N[=W]",
      multiple: true,
      description: "index of a feature, and its weight (default 1)",
    },
    ...outputFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae vector s2l.safetensors --feature 412 -o dogs.gguf",
      explains: "A control vector from one feature.",
    },
    {
      line: "trimtab sae vector s2l.safetensors --feature 412 --feature 97=-0.5 -o v.safetensors",
      explains: "One feature, and half of another taken away.",
    },
  ],
  async run(args, effects) {
    const features = args.texts("feature").map(parseFeature);
    if (features.length === 0) throw mismatch("usage", name, "--feature N", "none");
    const output = await checkOutput(args, [".safetensors", ".gguf"]);
    await checkNotInput(output, args.positionals);
    const map = await readFeatureMap(args.positionals[0]!);
    const vector = featureVector(map, features);
    await writeVector(output, vector, { signal: effects.signal });
    const { site, vector: values, medianNorm } = vector.directions[0]!;
    const used = features.map(({ feature, weight = 1 }) => ({
      feature,
      weight,
      activeRows: map.active[feature]!,
      largest: map.largest[feature]!,
    }));
    if (args.isSet("json"))
      effects.stdout.write(
        `${JSON.stringify({ wrote: output, site: formatSite(site), length: vectorNorm(values), features: used, provenance: vector.provenance })}\n`,
      );
    else
      effects.stdout.write(
        renderList([
          ["for", `${map.target.model.name} at ${formatSite(site)}`],
          ...used.map(
            ({ feature, weight, activeRows, largest }) =>
              [
                `feature ${feature}`,
                `weight ${weight}; active in ${activeRows} of ${map.fit.rows.train} rows, at most ${largest.toPrecision(3)}`,
              ] as const,
          ),
          ["length", describeLength(vectorNorm(values), medianNorm)],
          ["wrote", output],
        ]),
      );
    return 0;
  },
};

function parseFeature(text: string): FeatureWeight {
  const [, feature, weight = "1"] = /^(\d{1,9})(?:=(-?\d*\.?\d+(?:e[+-]?\d+)?))?$/i.exec(text) ?? [];
  if (feature === undefined || Number(weight) === 0)
    throw mismatch("usage", "--feature", "an index, and a weight other than 0 after =", JSON.stringify(text), {
      hint: "such as --feature 412 or --feature 412=-0.5",
    });
  return { feature: Number(feature), weight: Number(weight) };
}
