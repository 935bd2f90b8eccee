import type { PropensityResult } from "../../../src/evaluate/propensity/propensity-result.ts";
import { correctTasks, summariseTask } from "../../../src/evaluate/propensity/summarise-task.ts";
import type { PropensityTask } from "../../../src/evaluate/propensity/task-result.ts";
import type { Propensity } from "../../../src/evaluate/propensity.ts";
import { seededRandom } from "../../../src/linalg/random.ts";

const strengths = [-0.5, -0.25, 0.25, 0.5];

function toPropensity(propensity: number): Propensity {
  return {
    logitDifference: propensity,
    propensity,
    perToken: propensity,
    probability: 1 / (1 + Math.exp(-propensity)),
  };
}

/** A task whose transferred vector has `ratio` of the native one's effect on each item, with noise; 20 random directions do little. */
export function madeUpTask(name: string, ratio: number, seed: number): PropensityTask {
  const random = seededRandom(seed);
  const normals = (count: number, sd: number) => Array.from({ length: count }, () => sd * random.normal());
  const base = normals(40, 2);
  const native = normals(40, 1).map((value) => 4 + value);
  const transferred = native.map((slope) => ratio * slope + 0.5 * random.normal());
  const nulls = normals(20, 0.3);
  const run = (slopes: readonly number[], strength: number) =>
    base.map((value, i) => toPropensity(value + strength * slopes[i]!));
  const flat = (slope: number) => base.map((_, i) => slope * (1 + 0.2 * Math.sin(i)));
  return summariseTask(
    {
      runs: {
        unit: "rms",
        seed: 1,
        reference: 0.5,
        baseline: base.map(toPropensity),
        strengths: strengths.map((strength) => ({
          strength,
          native: run(native, strength),
          transferred: run(transferred, strength),
          random: nulls.slice(0, Math.abs(strength) === 0.5 ? 20 : 3).map((slope) => run(flat(slope), strength)),
          shuffled: Math.abs(strength) === 0.5 ? [run(flat(0.1), strength)] : [],
        })),
      },
      prompts: [
        {
          name: "prompt",
          instruction: "Be so.",
          sign: 1,
          instructed: "system",
          propensities: base.map((value) => toPropensity(value + 1)),
        },
      ],
    },
    {
      name,
      trainItems: 30,
      answers: [],
      chat: true,
      choices: true,
      cosines: [{ site: "resid_post.3", cosine: 0.8 }],
      warnings: [],
    },
    { resamples: 50 },
  );
}

/** A run of three tasks: one transfers, one hardly, one is reversed. */
export function madeUpResult(): PropensityResult {
  return {
    format: "trimtab-propensity",
    version: 1,
    run: { title: "Propensity of a model, made up", seed: 1, software: [], models: [], warnings: [] },
    unit: "rms",
    reference: 0.5,
    sites: ["resid_post.3"],
    tasks: correctTasks([
      madeUpTask("openness", 0.8, 1),
      madeUpTask('says "no", mostly', 0.05, 2),
      madeUpTask("willingness-to-use-physical-force-to-achieve", -0.6, 3),
    ]),
  };
}
