import { checkSameTokenizer } from "../../activations/windows.ts";
import { mismatch } from "../../errors.ts";
import { toRunModel } from "../../evaluate/run-record.ts";
import type { Recipe } from "../recipe.ts";
import type { Stage } from "../stage.ts";

/** Name of the stage, and of the file it writes. */
export const modelsStageName = "models";
export const modelsFile = "models.json";

/** Opens both models once, checks that they can be read and steered and share a tokenizer, and writes down what they are. */
export function modelsStage({ models }: Recipe): Stage {
  return {
    name: modelsStageName,
    needs: [],
    version: 1,
    options: null,
    files: [],
    models: ["source", "target"],
    outputs: [modelsFile],
    estimate: async () => ({ about: `opens ${models.source} and ${models.target} and checks them` }),
    async run(bench) {
      const [source, target] = [await bench.open("source"), await bench.open("target")];
      checkSameTokenizer(source.description, target.description);
      for (const { description } of [source, target])
        if (!description.capabilities.tap)
          throw mismatch("unsupported", description.name, "a model whose states can be read", "one that cannot", {
            hint: description.capabilities.reason,
          });
      if (!target.description.capabilities.steer)
        throw mismatch("unsupported", target.description.name, "a model that can be steered", "one that cannot", {
          hint: target.description.capabilities.reason,
        });
      const record = { source: await toRunModel(source), target: await toRunModel(target) };
      await bench.write(modelsFile, `${JSON.stringify(record, null, 1)}\n`);
      return [];
    },
  };
}
