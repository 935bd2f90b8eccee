import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { bootstrapIntervals } from "../../evaluate/bootstrap.ts";
import type { TokenizedItem } from "../../evaluate/items.ts";
import { mean, standardDeviation, toFinite } from "../../evaluate/statistics.ts";
import { type Random, seededRandom } from "../../linalg/random.ts";
import { klDivergence, logSumExp } from "../../linalg/softmax.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { carryDirection } from "../../maps/affine-map.ts";
import { vectorNorm } from "../../vectors/steering-vector.ts";
import { carryChanges } from "./carry-changes.ts";
import type { ItemChanges } from "./item-changes.ts";
import type { Prediction, PredictionNull, TrueChange } from "./predict-result.ts";
import { type AddedRows, type EffectReading, readEffect } from "./read-effect.ts";
import { scoreOnce, scorePredictions } from "./score-predictions.ts";

export interface PredictEffectsInput {
  readonly map: Pick<AffineMap, "A"> & { readonly target: { readonly site: Site } };
  readonly changes: ItemChanges;
  /** Mean change over other rows than the items', `[Σ dSource]`, in place of theirs. */
  readonly meanChange?: Float64Array | undefined;
  /** Another change of the small model, which should predict nothing. */
  readonly unrelated?: { readonly name: string; readonly mean: Float64Array } | undefined;
  /** The same map fitted on source rows beside target rows of other text. */
  readonly shuffled?: Pick<AffineMap, "A"> | undefined;
  /** What the changed large model answers; without it nothing is scored. */
  readonly truth?: { readonly description: string; readonly reading: EffectReading } | undefined;
}

export interface PredictEffectsOptions {
  /** Directions of each random null. */
  readonly draws: number;
  readonly seed: number;
  readonly resamples: number;
  readonly signal?: AbortSignal | undefined;
  readonly onPass?: ((done: number, total: number) => void) | undefined;
}

/** What `predictEffects` finds. */
export interface PredictedEffects {
  readonly predictions: readonly Prediction[];
  readonly nulls: readonly PredictionNull[];
  readonly truth: TrueChange | null;
  /** Length of the carried mean change. */
  readonly carriedLength: number;
}

/**
 * Predicts what a change does to a large model's answers, from what it does to a small model's hidden states.
 *
 * The change δ of the source's states is carried through the map, A δ, and added to the large model's states at the map's target, in three ways: the
 * mean change at every position; each item's own change, as at the end of its prompt, at every position; the change of every position at
 * its own. The predicted change is what the log-probabilities then change by. Blocks after the target site run as they are: what the change does to *them* is not
 * predicted, and a map to a late site misses less of it.
 *
 * Nulls: random directions of the target as long as A δ; random changes of the source as long as δ, carried; the change of an unrelated edit;
 * a map of wrongly paired rows.
 *
 * @param items - as the large model reads them before the change
 * @throws bad-input for changes that do not fit map or items; what the engine throws
 */
export async function predictEffects(
  model: OpenModel,
  items: readonly TokenizedItem[],
  input: PredictEffectsInput,
  options: PredictEffectsOptions,
): Promise<PredictedEffects> {
  const { map, changes, meanChange = changes.mean, unrelated, shuffled, truth } = input;
  const { draws, seed, resamples, signal, onPass } = options;
  if (changes.last.length !== items.length)
    throw mismatch("bad-input", "items", `the ${changes.last.length} that the change was read on`, `${items.length}`);
  const { site } = map.target;
  const carried = carryChanges(map, { ...changes, mean: meanChange });
  const next = truth?.reading.next.length ?? 0;
  const total = 1 + 2 + (carried.positions ? 1 : 0) + (shuffled ? 1 : 0) + (unrelated ? 1 : 0) + 2 * draws;
  let done = 0;
  const read = async (rows: AddedRows | undefined, kept = next): Promise<EffectReading> => {
    const reading = await readEffect(model, items, { added: rows && { site, rows }, next: kept, signal });
    onPass?.(++done, total);
    return reading;
  };
  const before = await read(undefined);
  const changed = ({ propensities }: Pick<EffectReading, "propensities">): number[] =>
    propensities.map((value, i) => value - before.propensities[i]!);
  const trueChanges = truth && changed(truth.reading);
  const everywhere = (row: Float32Array): AddedRows => ({ kind: "everywhere", row });

  const found: { name: string; kind: Prediction["kind"]; changes: number[]; next: readonly Float32Array[] | null }[] =
    [];
  const add = async (name: string, kind: Prediction["kind"], rows: AddedRows): Promise<void> => {
    const reading = await read(rows);
    found.push({ name, kind, changes: changed(reading), next: reading.next });
  };
  await add("mean change", "prediction", everywhere(carried.mean));
  await add("each item's own change", "prediction", { kind: "items", rows: carried.last });
  if (carried.positions)
    await add("position by position", "prediction", { kind: "positions", rows: carried.positions });
  found.push({
    name: "the small model's own change",
    kind: "baseline",
    changes: [...changes.propensities],
    next: null,
  });
  if (unrelated)
    await add(
      `${unrelated.name}, unrelated`,
      "null",
      everywhere(Float32Array.from(carryDirection(map, unrelated.mean))),
    );
  if (shuffled)
    await add("map of shuffled pairs", "null", everywhere(Float32Array.from(carryDirection(shuffled, meanChange))));

  const random = seededRandom(seed);
  const drawNull = async (name: string, row: () => Float32Array): Promise<PredictionNull> => {
    const each: number[][] = [];
    for (let draw = 0; draw < draws; draw++) each.push(changed(await read(everywhere(row()), 0)));
    const scored = trueChanges && each.map((predicted) => scoreOnce(predicted, trueChanges));
    return {
      name,
      draws,
      meanChanges: each.map(mean),
      pearson: scored?.map(({ pearson }) => pearson) ?? null,
      skill: scored?.map(({ skill }) => skill) ?? null,
    };
  };
  const nulls = [
    await drawNull("random directions", () => Float32Array.from(drawDirection(random, carried.mean))),
    await drawNull("random changes, carried", () =>
      Float32Array.from(carryDirection(map, drawDirection(random, meanChange))),
    ),
  ];
  const agreements =
    trueChanges &&
    scorePredictions(
      found.map((prediction) => prediction.changes),
      trueChanges,
      changes.propensities,
      { seed, resamples },
    );
  return {
    predictions: found.map(({ next: rows, ...prediction }, at) => ({
      ...prediction,
      agreement: agreements?.[at] ?? null,
      divergence: truth && rows ? meanDivergence(truth.reading.next, rows) : null,
    })),
    nulls,
    truth: truth && trueChanges ? toTrueChange(truth, trueChanges, before, { seed, resamples }) : null,
    carriedLength: vectorNorm(carried.mean),
  };
}

function toTrueChange(
  { description, reading }: NonNullable<PredictEffectsInput["truth"]>,
  changes: readonly number[],
  before: EffectReading,
  bootstrap: { readonly seed: number; readonly resamples: number },
): TrueChange {
  const of = (units: Iterable<number>) => [mean(Array.from(units, (unit) => changes[unit]!))];
  const [interval] = bootstrapIntervals(changes.length, of, bootstrap);
  const centre = mean(changes);
  return {
    description,
    changes,
    mean: { value: toFinite(centre), interval: interval ?? null },
    sd: toFinite(standardDeviation(changes)),
    zeroMse: mean(changes.map((value) => value * value)),
    constantMse: mean(changes.map((value) => (value - centre) ** 2)),
    divergence: meanDivergence(reading.next, before.next),
  };
}

/** Mean over items of KL(p ‖ q), nats; `null` of none. */
function meanDivergence(p: readonly Float32Array[], q: readonly Float32Array[]): number | null {
  if (p.length === 0) return null;
  return toFinite(mean(p.map((row, i) => klDivergence(row, q[i]!, { p: logSumExp(row), q: logSumExp(q[i]!) }))));
}

/** A direction drawn uniformly, as long as the given one. */
function drawDirection(random: Random, like: Float32Array | Float64Array): Float64Array {
  const drawn = Float64Array.from(like, () => random.normal());
  const scale = vectorNorm(like) / vectorNorm(drawn);
  return drawn.map((value) => value * scale);
}
