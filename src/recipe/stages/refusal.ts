import { engineRelease } from "../../engine/library.ts";
import { defaultSampling } from "../../engine/sampling.ts";
import { openLogOddsJudge } from "../../evaluate/judges/log-odds-judge.ts";
import { phraseJudge } from "../../evaluate/judges/phrase-judge.ts";
import { evaluateRefusal } from "../../evaluate/refusal/evaluate-refusal.ts";
import { resolveFrame } from "../../evaluate/refusal/instruction-frame.ts";
import { toJudgeAgreement } from "../../evaluate/refusal/judge-agreement.ts";
import { readInstructions } from "../../evaluate/refusal/read-instructions.ts";
import { formatRefusalResult, toRefusalCsv } from "../../evaluate/refusal/refusal-file.ts";
import type { RefusalResult } from "../../evaluate/refusal/refusal-result.ts";
import { extractRefusalVectors, neededLayers, toRefusalLayers } from "../../evaluate/refusal/refusal-vectors.ts";
import type { RefusalJudge, ResponseSampling } from "../../evaluate/refusal/response-cell.ts";
import { splitInstructions } from "../../evaluate/refusal/split-instructions.ts";
import type { ModelRole } from "../../evaluate/run-record.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { readMaps } from "../../maps/map-file.ts";
import type { Recipe, RefusalRecipe } from "../recipe.ts";
import type { Bench, Stage } from "../stage.ts";
import { fitStageName, mapFile } from "./fit.ts";
import { modelsStageName } from "./models.ts";

/**
 * Measures how the target's refusals change under its own direction, the source's, carried, and random ones. Judges are offline; responses
 * are not kept.
 */
export function refusalStage(recipe: Recipe, name: string, task: RefusalRecipe): Stage {
  const { map, harmless, harmful, strengths, random, test, samples, maxTokens } = task;
  const { kind: _, harmless: __, harmful: ___, ...options } = task;
  return {
    name: `task ${name}`,
    needs: [modelsStageName, fitStageName(map)],
    version: 1,
    options: { ...options, seed: recipe.seed },
    files: [harmless, harmful],
    models: ["source", "target"],
    outputs: [`${name}.json`, `${name}.csv`],
    estimate: async () => {
      const passes = 1 + (2 + random) * strengths.filter((strength) => strength !== 0).length;
      return {
        about: `answers ${2 * test} instructions ${samples} time${samples === 1 ? "" : "s"} under ${passes} steerings a layer, judged offline`,
        tokens: 2 * test * samples * passes * maxTokens,
      };
    },
    run: (bench) => run(bench, name, task),
  };
}

async function run(bench: Bench, name: string, task: RefusalRecipe): Promise<readonly string[]> {
  const { recipe, signal } = bench;
  const { seed } = recipe;
  const abort = signal === undefined ? {} : { signal };
  const cells = await bench.cells();
  const split = splitInstructions(
    {
      harmful: await readInstructions(task.harmful.path, abort),
      harmless: await readInstructions(task.harmless.path, abort),
    },
    { train: task.train, test: task.test, seed },
  );
  const maps = await readMaps(bench.path(mapFile(task.map)));
  const find = async (
    role: ModelRole,
    ends: { readonly into: readonly AffineMap[]; readonly from: readonly AffineMap[] },
  ) => {
    const model = await bench.open(role);
    const frame = resolveFrame(model, { template: task.template });
    const identity = { sha256: await model.sha256(), engine: engineRelease };
    const { steered, read } = neededLayers(undefined, ends, model.description.blocks);
    const vectors = await extractRefusalVectors(model, frame, split.train, {
      layers: read,
      cells,
      identity,
      ...abort,
      onProgress: ({ done, total }) =>
        bench.onProgress({ label: `finding the direction of the ${role}`, done, total, unit: "texts" }),
    });
    return { model, frame, identity, steered, vectors };
  };
  const source = await find("source", { into: [], from: maps });
  const { model, frame, identity, steered, vectors } = await find("target", { into: maps, from: [] });
  const { layers, warnings } = toRefusalLayers(vectors, steered, { vectors: source.vectors, maps });
  const judges: RefusalJudge[] = [];
  for (const judge of task.judges)
    judges.push(judge === "phrases" ? phraseJudge() : await openLogOddsJudge({ model, frame: frame.tokens }));
  const { maxTokens: _, ...drawn } = defaultSampling;
  const sampling: ResponseSampling = { ...drawn, maxTokens: task.maxTokens, stop: [] };
  // Damage is measured on the harmless instructions that are answered, as the model reads them.
  const neutral: Int32Array[] = [];
  for (const prompt of split.test.harmless) neutral.push(await frame.tokens(prompt));
  const measured = await evaluateRefusal(model, layers, {
    role: "target",
    carriedFrom: source.model.description.name,
    strengths: task.strengths.filter((strength) => strength !== 0),
    unit: task.unit,
    random: task.random,
    samples: task.samples,
    sampling,
    seed,
    judges,
    keepTexts: false,
    frame,
    prompts: split.test,
    neutral: neutral.filter(({ length }) => length >= 2),
    model: identity,
    cells,
    ...abort,
    onProgress: ({ done, total }) => bench.onProgress({ label: `answering ${name}`, done, total, unit: "responses" }),
  });
  const said = [...warnings];
  if (split.dropped.both > 0) said.push(`${split.dropped.both} instructions stand in both files and were left out`);
  const result: RefusalResult = {
    format: "trimtab-refusal",
    version: 1,
    run: await bench.record(`${recipe.title}: ${name}`, said),
    unit: task.unit,
    prompts: { train: task.train, test: task.test, dropped: split.dropped },
    template: frame.template,
    samples: task.samples,
    sampling,
    judges: judges.map(({ name: judge, kind, question }) => ({ name: judge, kind, question })),
    agreement: toJudgeAgreement(judges, [measured.cells], { seed, resamples: 1000 }),
    sides: [measured.side],
  };
  await bench.write(`${name}.json`, formatRefusalResult(result));
  await bench.write(`${name}.csv`, toRefusalCsv(result));
  return said;
}
