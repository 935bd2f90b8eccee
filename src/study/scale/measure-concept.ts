import type { OpenModel } from "../../engine/open-model.ts";
import { formatSite } from "../../engine/site.ts";
import { randomArms, vectorArm } from "../../evaluate/arms.ts";
import { type CellPart, type CellStore, hashCell } from "../../evaluate/cell-store.ts";
import type { Estimate } from "../../evaluate/comparison.ts";
import { type PropensityItem, type TokenizedItem, toScoredItem } from "../../evaluate/items.ts";
import { countAnswers } from "../../evaluate/propensity/choices.ts";
import { frameItems } from "../../evaluate/propensity/framing.ts";
import { propensityCells } from "../../evaluate/propensity/propensity-cell.ts";
import { withUnitOf } from "../../evaluate/propensity/same-unit.ts";
import { summariseTask } from "../../evaluate/propensity/summarise-task.ts";
import { runComparison } from "../../evaluate/run-comparison.ts";
import type { VerdictCode } from "../../evaluate/verdict.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";

/** One carried vector against the native one, as it is stored. */
export interface ConceptCell {
  readonly cosine: number | null;
  readonly r: Estimate;
  readonly deltaR: Estimate;
  readonly randomDeltaR: number | null;
  readonly slopeRatio: Estimate;
  readonly zNative: number | null;
  readonly z: number | null;
  readonly verdict: VerdictCode;
}

export interface MeasureConceptOptions {
  readonly name: string;
  readonly items: readonly PropensityItem[];
  readonly strengths: readonly number[];
  readonly reference: number;
  readonly random: number;
  readonly resamples: number;
  readonly seed: number;
  readonly cells: CellStore;
  /** What the target's numbers depend on besides steering and items: its digest, the engine's release. */
  readonly identity: { readonly [key: string]: CellPart };
  /** Opens the target, when something has to be measured. */
  readonly open: () => Promise<OpenModel>;
  readonly signal?: AbortSignal | undefined;
  /** After every pass over the items, measured or found in the store. */
  readonly onPass?: (() => void) | undefined;
}

/**
 * Measures what a carried vector does to a target's propensities beside its native one and random directions.
 *
 * The random directions are those of the native vector: the same, to the last bit, whichever model the carried one comes from, so that they are
 * measured once for each target and concept and all sources stand before one null.
 *
 * @throws bad-input for items or strengths that cannot be compared; incompatible for vectors of another model
 */
export async function measureConcept(
  native: SteeringVector,
  carried: SteeringVector,
  options: MeasureConceptOptions,
): Promise<ConceptCell> {
  const { name, items, strengths, reference, random, resamples, seed, cells, identity } = options;
  const vectorParts = ({ directions }: SteeringVector): CellPart =>
    directions.map(({ site, vector, medianNorm }) => [formatSite(site), vector, medianNorm]);
  const key = hashCell({
    kind: "scale-concept",
    version: 1,
    model: identity,
    native: vectorParts(native),
    carried: vectorParts(carried),
    items: items.map(({ prompt, positive, negative, system }) => [prompt, positive, negative, system]),
    strengths,
    reference,
    random,
    resamples,
    seed,
  });
  return cells.measure(key, async () => {
    const model = await options.open();
    const framed = frameItems(model, items);
    const tokenized: TokenizedItem[] = [];
    for (const [i, item] of framed.items.entries())
      tokenized.push(
        await toScoredItem(model, item, { parseSpecial: framed.parseSpecial, where: `${name}: item ${i + 1}` }),
      );
    const abort = options.signal === undefined ? {} : { signal: options.signal };
    const transferred = withUnitOf(carried, native);
    const runs = await runComparison(model, tokenized, {
      native: vectorArm("native", native).steer,
      transferred: vectorArm("transferred", transferred).steer,
      random: randomArms(native, { count: random, seed }).map(({ steer }) => steer),
      strengths,
      reference,
      randomStrengths: "reference",
      unit: "rms",
      seed,
      measure: propensityCells(model, tokenized, { cells, model: identity, ...abort }),
      ...(options.onPass && { onProgress: options.onPass }),
      ...abort,
    });
    const facts = { name, trainItems: 0, answers: countAnswers(items), chat: framed.chat, choices: false };
    const task = summariseTask({ runs, prompts: [] }, { ...facts, cosines: [], warnings: [] }, { resamples });
    const { comparison } = task;
    const atReference = task.strengths.find(({ strength }) => strength === reference);
    const { value, interval } = task.overStrengths.levels.logit.pearson;
    return {
      cosine: cosineBetween(native, carried)[0]?.cosine ?? null,
      r: { value, interval },
      deltaR: comparison.deltaCorrelation,
      randomDeltaR: atReference?.random?.changePearson.mean ?? null,
      slopeRatio: comparison.slope.ratio,
      zNative: comparison.z.native,
      z: comparison.z.transferred,
      verdict: comparison.verdict.code,
    };
  });
}
