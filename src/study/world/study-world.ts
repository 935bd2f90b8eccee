import type { Measure } from "../../compare/measure.ts";
import { rowMeasures } from "../../compare/measures.ts";
import { nullScores } from "../../compare/null-scores.ts";
import { mismatch } from "../../errors.ts";
import { nearest } from "../../formats/nearest.ts";
import { measureWorld, type WorldScores } from "./measure-world.ts";
import { type WorldKnob, worldKnobs } from "./world-knobs.ts";

/** Mean of a number over the worlds of a point, and its extremes; `null` where no world defines it. */
export interface OverWorlds {
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** One measure at one point. */
export interface WorldMeasure {
  readonly name: string;
  readonly value: OverWorlds;
  /** Mean over shuffles of the rows. */
  readonly null: OverWorlds;
  /** Standard deviation over shuffles, mean over worlds. */
  readonly nullSd: number | null;
  /** (value − null)/(1 − null): 0 is chance, 1 the same. */
  readonly aboveChance: OverWorlds;
}

/** One value of one knob. */
export interface WorldPoint {
  readonly value: number;
  readonly map: { readonly [K in keyof WorldScores]: OverWorlds };
  readonly measures: readonly WorldMeasure[];
}

export interface WorldCurve extends Omit<WorldKnob, "at" | "values"> {
  readonly points: readonly WorldPoint[];
}

/** Everything that one knob at a time does to maps and measures. */
export interface WorldStudy {
  readonly curves: readonly WorldCurve[];
  readonly measures: readonly Pick<Measure, "name" | "label" | "source" | "says">[];
  /** Worlds a point: dictionary, projections and rows drawn anew. */
  readonly worlds: number;
  /** Rows that measures see, fewer where the knob leaves fewer. */
  readonly measuredRows: number;
  /** Rows that score the map. */
  readonly heldOutRows: number;
  readonly shuffles: number;
  readonly seed: number;
}

/** What is measured unless told: everything that is quick, and of each family at least one. */
export const worldMeasures: readonly string[] = [
  "linear-cka",
  "linear-cka-debiased",
  "kernel-cka",
  "kernel-cka-debiased",
  "procrustes",
  "svcca",
  "rsa",
  "rsa-euclidean",
  "geo-topology",
  "mutual-neighbours",
  "nnk-edges",
  "nnk-geometry",
  "functional-overlap",
  "relative-euclidean",
  "relative-graph",
];

export interface StudyWorldOptions {
  /** Names of the measures; default {@link worldMeasures}. */
  readonly measures?: readonly string[] | undefined;
  /** Names of the knobs to turn; default all. */
  readonly knobs?: readonly string[] | undefined;
  /** Default 3. */
  readonly worlds?: number | undefined;
  /** Default 300. */
  readonly measuredRows?: number | undefined;
  /** Default 2000. */
  readonly heldOutRows?: number | undefined;
  /** Default 5. */
  readonly shuffles?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Turns one knob of a latent world at a time and asks at each value: how much does a fitted affine map explain, how much could the best one, does it carry
 * the directions of features, and what does every measure of likeness say, beside the same rows shuffled.
 *
 * Fits as `trimtab fit` does: ridge, its penalty chosen on rows that neither fit nor score. Every point is measured in `worlds` worlds.
 *
 * @throws bad-input for an unknown knob or measure, or a count below 1; aborted
 */
export async function studyWorld(options: StudyWorldOptions = {}): Promise<WorldStudy> {
  const { worlds = 3, measuredRows = 300, heldOutRows = 2000, shuffles = 5, seed = 0, signal, onProgress } = options;
  for (const [name, value] of Object.entries({ worlds, measuredRows, heldOutRows, shuffles }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw mismatch("bad-input", name, "a count of at least 1", String(value));
  const knobs = pick("knob", worldKnobs, options.knobs ?? worldKnobs.map(({ name }) => name));
  const chosen = pick("measure", rowMeasures, options.measures ?? worldMeasures);
  const total = knobs.reduce((sum, { values }) => sum + values.length, 0) * worlds;
  let done = 0;
  const curves: WorldCurve[] = [];
  for (const { at, values, ...knob } of knobs) {
    const points: WorldPoint[] = [];
    for (const value of values) {
      const found: { scores: WorldScores; measures: Omit<ReturnType<typeof nullScores>, "scores">[] }[] = [];
      for (let k = 0; k < worlds; k++) {
        signal?.throwIfAborted();
        // Other work, such as an interrupt, gets its turn between worlds.
        await new Promise((resolve) => setImmediate(resolve));
        const { scores, X, Y } = measureWorld(at(value), { seed: seed + k, heldOutRows, measuredRows });
        const measures = chosen.map((measure) => nullScores(measure, X, Y, { shuffles, seed: seed + k }));
        found.push({ scores, measures });
        onProgress?.(++done, total);
      }
      const names = Object.keys((found[0] as (typeof found)[number]).scores) as (keyof WorldScores)[];
      const over = (name: keyof WorldScores): OverWorlds => overWorlds(found.map(({ scores }) => scores[name]));
      points.push({
        value,
        map: Object.fromEntries(names.map((name) => [name, over(name)])) as WorldPoint["map"],
        measures: chosen.map(({ name }, m) => {
          const each = found.map(({ measures }) => measures[m] as (typeof measures)[number]);
          return {
            name,
            value: overWorlds(each.map(({ value }) => value)),
            null: overWorlds(each.map(({ mean }) => mean)),
            nullSd: overWorlds(each.map(({ sd }) => sd)).mean,
            aboveChance: overWorlds(each.map(({ value, mean }) => (value - mean) / (1 - mean))),
          };
        }),
      });
    }
    curves.push({ ...knob, points });
  }
  const measures = chosen.map(({ name, label, source, says }) => ({ name, label, source, says }));
  return { curves, measures, worlds, measuredRows, heldOutRows, shuffles, seed };
}

function pick<T extends { readonly name: string }>(what: string, all: readonly T[], names: readonly string[]): T[] {
  return names.map((name) => {
    const found = all.find((each) => each.name === name);
    if (found) return found;
    const near = nearest(
      name,
      all.map((each) => each.name),
    );
    throw mismatch("bad-input", what, `one of ${all.map((each) => each.name).join(", ")}`, JSON.stringify(name), {
      hint: near && `did you mean ${near}?`,
    });
  });
}

function overWorlds(values: readonly number[]): OverWorlds {
  const defined = values.filter((value) => Number.isFinite(value));
  if (defined.length === 0) return { mean: null, low: null, high: null };
  const mean = defined.reduce((sum, value) => sum + value, 0) / defined.length;
  return { mean, low: Math.min(...defined), high: Math.max(...defined) };
}
