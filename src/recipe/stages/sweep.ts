import { readCollection } from "../../maps/collect/collection-file.ts";
import { resolveLayerGrid } from "../../maps/layer-grid.ts";
import { sweepLayers } from "../../maps/score/sweep-layers.ts";
import { formatSweepFile } from "../../report/results/sweep-file.ts";
import type { Recipe } from "../recipe.ts";
import type { Stage } from "../stage.ts";
import { collectionFile, collectStageName } from "./collect.ts";

/** Scores every layer of the one model with every layer of the other, from what was collected. */
export function sweepStage(recipe: Recipe, { corpus, layers }: NonNullable<Recipe["sweep"]>): Stage {
  return {
    name: "sweep",
    needs: [collectStageName(corpus)],
    version: 1,
    options: JSON.stringify(layers),
    files: [],
    models: [],
    outputs: ["sweep.json"],
    estimate: async () => ({ about: "scores pairs of layers; no model is run" }),
    async run(bench) {
      const collection = await readCollection(bench.path(collectionFile(corpus)));
      const { source, target } = collection.plan;
      const grid = resolveLayerGrid(layers, source.blocks, target.blocks);
      const sweep = await sweepLayers(collection, {
        sources: grid.sources,
        targets: grid.targets,
        ...(bench.signal && { signal: bench.signal }),
        onPair: (done, total) => bench.onProgress({ label: "scoring pairs of layers", done, total, unit: "pairs" }),
      });
      const run = await bench.record(`${recipe.title}: layers`, []);
      await bench.write("sweep.json", formatSweepFile({ format: "trimtab-sweep", version: 1, run, sweep }));
      return [];
    },
  };
}
