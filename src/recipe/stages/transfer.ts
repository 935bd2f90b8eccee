import { readMaps } from "../../maps/map-file.ts";
import { transferVector } from "../../vectors/transfer.ts";
import { readVector, writeVector } from "../../vectors/vector-file.ts";
import type { Recipe } from "../recipe.ts";
import type { Stage } from "../stage.ts";
import { extractStageName, shuffledVectorFile, sourceVectorFile } from "./extract.ts";
import { fitStageName, mapFile } from "./fit.ts";

/** Name of the stage that carries a vector of the recipe. */
export function transferStageName(vector: string): string {
  return `transfer ${vector}`;
}

/** The vector as the target gets it, and, k from 1, the control of shuffled labels. */
export function transferredVectorFile(vector: string, shuffled?: number): string {
  return `vectors/${vector}.transferred${shuffled === undefined ? "" : `-shuffled-${shuffled}`}.safetensors`;
}

/** Carries a vector, and those from shuffled labels, through its map. */
export function transferStage(recipe: Recipe, name: string): Stage {
  const { map, withBias, shuffled } = recipe.vectors.get(name)!;
  const files = [
    [sourceVectorFile(name), transferredVectorFile(name)] as const,
    ...Array.from(
      { length: shuffled },
      (_, k) => [shuffledVectorFile(name, k + 1), transferredVectorFile(name, k + 1)] as const,
    ),
  ];
  return {
    name: transferStageName(name),
    needs: [fitStageName(map), extractStageName(name)],
    version: 1,
    options: { withBias },
    files: [],
    models: [],
    outputs: files.map(([, to]) => to),
    estimate: async () => ({ about: `carries ${name} through the map ${map}; no model is run` }),
    async run(bench) {
      const maps = await readMaps(bench.path(mapFile(map)));
      const said: string[] = [];
      for (const [from, to] of files) {
        const { vector, warnings } = transferVector(await readVector(bench.path(from)), maps, { withBias });
        await writeVector(bench.path(to), vector, bench.signal ? { signal: bench.signal } : {});
        if (from === sourceVectorFile(name)) said.push(...warnings.map((warning) => `${name}: ${warning}`));
      }
      return said;
    },
  };
}
