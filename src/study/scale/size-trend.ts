import { pearson, spearman, toFinite } from "../../evaluate/statistics.ts";
import { seededRandom } from "../../linalg/random.ts";
import { type ScaleMeasure, type ScalePair, type ScaleTrend, scaleMeasures } from "./scale-result.ts";

/** Up to 7 models all orders are tried, 5040; of more as many are drawn. */
const mostExact = 7;
const drawnOrders = 5000;

/**
 * Correlates each measure with the logarithm of the size ratio, over the pairs of two different models.
 *
 * Pairs that share a model are not independent, so p is found by dealing the models' sizes out anew: in how many of the deals is the
 * correlation at least as far from 0 (the true deal is one of them)? All n! deals of up to 7 models; 5000 drawn ones of more, and the true one. With
 * three models there are six, and no result, however clear, has a p below 1/6.
 *
 * @param sizes - parameters of each model by name
 * @see Mantel 1967, "The detection of disease clustering and a generalized regression approach": labels, not pairs, are permuted
 */
export function correlateWithSize(
  pairs: readonly Pick<ScalePair, "source" | "target" | "summary">[],
  sizes: ReadonlyMap<string, number>,
  { seed }: { readonly seed: number },
): ScaleTrend[] {
  return scaleMeasures.map((measure) => trendOf(measure, pairs, sizes, seed));
}

function trendOf(
  measure: ScaleMeasure,
  pairs: readonly Pick<ScalePair, "source" | "target" | "summary">[],
  sizes: ReadonlyMap<string, number>,
  seed: number,
): ScaleTrend {
  const used = pairs.filter(
    ({ source, target, summary }) =>
      source !== target && summary[measure] !== null && sizes.has(source) && sizes.has(target),
  );
  const names = [...new Set(used.flatMap(({ source, target }) => [source, target]))];
  const ends = used.map(({ source, target }) => [names.indexOf(source), names.indexOf(target)] as const);
  const values = used.map(({ summary }) => summary[measure] as number);
  const logs = names.map((name) => Math.log2(sizes.get(name) as number));
  const ratios = (order: readonly number[]): number[] =>
    ends.map(([source, target]) => logs[order[target]!]! - logs[order[source]!]!);
  const asIs = names.map((_, i) => i);
  const observed = pearson(ratios(asIs), values);
  const orders = names.length <= mostExact ? permutations(asIs) : drawOrders(asIs, seed);
  // Equal correlations come out a rounding apart.
  const asFar = orders.filter((order) => Math.abs(pearson(ratios(order), values)) >= Math.abs(observed) - 1e-12);
  return {
    measure,
    pairs: used.length,
    models: names.length,
    ratio: toFinite(observed),
    ratioRank: toFinite(spearman(ratios(asIs), values)),
    source: toFinite(
      pearson(
        ends.map(([source]) => logs[source]!),
        values,
      ),
    ),
    target: toFinite(
      pearson(
        ends.map(([, target]) => logs[target]!),
        values,
      ),
    ),
    p: Number.isFinite(observed) ? asFar.length / orders.length : null,
    permutations: orders.length,
  };
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, at) => permutations(items.filter((_, i) => i !== at)).map((rest) => [first, ...rest]));
}

function drawOrders(asIs: readonly number[], seed: number): number[][] {
  const random = seededRandom(seed);
  return [[...asIs], ...Array.from({ length: drawnOrders }, () => random.shuffle([...asIs]))];
}
