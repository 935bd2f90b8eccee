import { holm } from "../../evaluate/significance.ts";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import type { ScaleMeasure, ScalePair, ScaleResult, SeededEstimate } from "../../study/scale/scale-result.ts";
import { type DataTable, lowHigh } from "../data-table.ts";
import { formatNumber, formatProbability } from "../format-number.ts";
import { renderScalePlot } from "../plots/scale-plot.ts";
import type { Report } from "../report.ts";

const measureNames: Readonly<Record<ScaleMeasure, string>> = {
  r2: "held-out R²",
  beyond: "R² beyond token identity",
  cosine: "vector cosine",
  r: "r",
  deltaR: "Δr",
  slopeRatio: "slope ratio",
  z: "z",
};

/** The report of a scale study: one figure, its table, how each measure goes with size, and every concept. */
export function toScaleReport(result: ScaleResult): Report {
  const { run, settings, pairs } = result;
  const seeds = `map seeds ${settings.seeds.join(", ")}`;
  const judged = `means over the concepts whose native vector has z of at least ${verdictThresholds.insideNull}`;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(result),
    warnings: run.warnings,
    sections: [
      {
        id: "pairs",
        title: "Every pair against the size ratio",
        lead: "Right of the middle a smaller model's vector steers a larger one; left of it a larger one's steers a smaller one. Circles are pairs, faint dots their concepts, triangles what has to be beaten, diamonds a model with itself.",
        figures: [
          {
            id: "scale",
            title: "Scores against the size ratio",
            says: "Of vectors, means over the concepts that can judge a transfer. With so few models a slope in these pictures is a hint and nothing more.",
            svg: renderScalePlot(result),
            table: pairTable(pairs),
            basis: `${pairs.length} ordered pairs of ${result.models.length} models; ${settings.concepts.length} concepts, ${judged}; ${seeds}; ${settings.random} random directions; R² with its 95 % interval over held-out windows of the first seed`,
          },
        ],
        notes: pairs.flatMap(({ source, target, problem }) =>
          problem === null ? [] : [`${source} → ${target} was not measured: ${problem}`],
        ),
      },
      {
        id: "trends",
        title: "How each score goes with size",
        lead: "Correlations over the pairs of two different models. Pairs share models, so p comes from dealing the sizes out among the models in every way there is: with three models there are six, and no p can be below 1/6. It is not corrected for the number of scores.",
        figures: [
          {
            id: "trend",
            title: "Correlation with size",
            says: "With the logarithm of target's over source's parameters, and with that of either alone. The ratio cannot be told from its two parts here.",
            table: {
              columns: [
                { title: "score" },
                { title: "pairs" },
                { title: "models" },
                { title: "r with log ratio" },
                { title: "Spearman" },
                { title: "p", isProbability: true },
                { title: "ways" },
                { title: "r with source's size" },
                { title: "r with target's size" },
              ],
              rows: result.trends.map((trend) => [
                measureNames[trend.measure],
                trend.pairs,
                trend.models,
                trend.ratio,
                trend.ratioRank,
                trend.p,
                trend.permutations,
                trend.source,
                trend.target,
              ]),
            },
            basis: `Pearson unless said otherwise; ${seeds}`,
          },
        ],
        notes: [],
      },
      {
        id: "concepts",
        title: "Every concept",
        lead: "r is the paper's: of the values themselves, and near 1 for any vector at small strengths, because items differ to begin with. Δr is of the changes, beside that of random directions.",
        figures: [
          {
            id: "concept",
            title: "Carried vectors against native ones",
            says: "Means over the map seeds; sd over them; intervals over items, of the first seed.",
            table: conceptTable(pairs),
            basis: `items as listed; strengths ${settings.strengths.join(", ")} median row norms, α* = ${settings.reference}; ${settings.resamples} bootstrap resamples`,
          },
        ],
        notes: [],
      },
    ],
  };
}

function pairTable(pairs: readonly ScalePair[]): DataTable {
  return {
    columns: [
      ...["source", "target"].map((title) => ({ title })),
      { title: "ratio", digits: 2 },
      { title: "layers" },
      { title: "paired by" },
      ...["R²", "low", "high", "sd over seeds", "beyond token", "token table", "untrained", "shuffled"].map(
        (title) => ({ title }),
      ),
      { title: "concepts judged" },
      ...["cosine", "of others", "r", "Δr", "random Δr", "slope ratio"].map((title) => ({ title, digits: 2 })),
      { title: "z", digits: 1 },
      { title: "problem" },
    ],
    rows: pairs.map(({ source, target, ratio, map, concepts, judged, summary, problem }) => [
      source,
      target,
      ratio,
      map ? `${map.layers.source}:${map.layers.target}` : "–",
      map?.alignment ?? "–",
      map?.r2.value ?? null,
      ...lowHigh(map?.r2.interval),
      map?.r2.sd ?? null,
      map?.beyond.value ?? null,
      map?.tokenTable.value ?? null,
      map?.nulls.untrained.value ?? null,
      map?.nulls.shuffled.value ?? null,
      problem === null ? `${judged} of ${concepts.length}` : "–",
      summary.cosine,
      meanOf(concepts.flatMap(({ otherCosine }) => otherCosine.value ?? [])),
      summary.r,
      summary.deltaR,
      meanOf(concepts.flatMap(({ randomDeltaR }) => randomDeltaR ?? [])),
      summary.slopeRatio,
      summary.z,
      problem ?? "",
    ]),
  };
}

function conceptTable(pairs: readonly ScalePair[]): DataTable {
  const withInterval = (title: string) => [title, `${title} low`, `${title} high`, `${title} sd`];
  return {
    columns: [
      ...["source", "target", "concept", "items", "verdict"].map((title) => ({ title })),
      ...["cosine", "cosine sd", "of others"].map((title) => ({ title, digits: 2 })),
      ...["r", "Δr"].flatMap(withInterval).map((title) => ({ title, digits: 2 })),
      { title: "random Δr", digits: 2 },
      ...withInterval("slope ratio").map((title) => ({ title, digits: 2 })),
      ...["z native", "z", "z sd"].map((title) => ({ title, digits: 1 })),
      { title: "problem" },
    ],
    rows: pairs.flatMap(({ source, target, concepts }) =>
      concepts.map((concept) => [
        source,
        target,
        concept.name,
        concept.items,
        concept.verdict ?? "–",
        concept.cosine.value,
        concept.cosine.sd,
        concept.otherCosine.value,
        ...estimateCells(concept.r),
        ...estimateCells(concept.deltaR),
        concept.randomDeltaR,
        ...estimateCells(concept.slopeRatio),
        concept.zNative,
        concept.z.value,
        concept.z.sd,
        concept.problem ?? "",
      ]),
    ),
  };
}

function estimateCells({ value, interval, sd }: SeededEstimate): (number | null)[] {
  return [value, ...lowHigh(interval), sd];
}

function toAnswer({ pairs, trends, models, settings }: ScaleResult): Report["answer"] {
  const measured = pairs.filter(({ problem, source, target }) => problem === null && source !== target);
  const failed = pairs.filter(({ problem }) => problem !== null).length;
  const lost = failed === 0 ? "" : ` ${failed} of ${pairs.length} pairs could not be measured; the table says why.`;
  if (measured.length === 0)
    return [
      `No pair of two models could be measured.${lost}`,
      "Nothing can be said of vectors.",
      "Nothing can be said of size.",
    ];
  const byR2 = measured.toSorted((a, b) => (b.summary.r2 ?? -Infinity) - (a.summary.r2 ?? -Infinity));
  const [best, worst] = [byR2[0] as ScalePair, byR2.at(-1) as ScalePair];
  const unclear = measured.filter(
    ({ map }) =>
      map !== null && (map.r2.interval?.low ?? 0) <= (map.nulls.untrained.value ?? map.nulls.shuffled.value ?? 0),
  );
  const first = `Over ${measured.length} ordered pairs of ${models.length} models held-out R² lies between ${formatNumber(worst.summary.r2)} (${nameOf(worst)}) and ${formatNumber(best.summary.r2)} (${nameOf(best)})${unclear.length === 0 ? "" : `; ${unclear.map(nameOf).join(", ")} ${unclear.length === 1 ? "is" : "are"} no better than an untrained source`}.${lost}`;
  return [first, sayVectors(measured, settings.concepts.length), sayTrends(trends)];
}

function sayVectors(pairs: readonly ScalePair[], concepts: number): string {
  const cells = pairs.flatMap((pair) => pair.concepts.map((concept) => ({ pair, concept })));
  const judged = cells.filter(({ concept }) => (concept.zNative ?? 0) >= verdictThresholds.insideNull);
  if (judged.length === 0)
    return "No native vector stands out among random directions on these items, so no transfer can be judged.";
  const good = judged.filter(({ concept }) => concept.verdict === "transfers");
  const up = judged.filter(({ pair }) => (pair.ratio ?? 0) > 1);
  const share = (of: typeof judged): string =>
    `${of.filter(({ concept }) => concept.verdict === "transfers").length} of ${of.length}`;
  return `Of ${cells.length} carried vectors (${concepts} concepts a pair) ${judged.length} can be judged, and ${good.length} of these act as the native one does: ${share(up)} from smaller to larger, ${share(judged.filter(({ pair }) => (pair.ratio ?? 0) < 1))} from larger to smaller.`;
}

function sayTrends(trends: ScaleResult["trends"]): string {
  const known = trends.filter(({ ratio }) => ratio !== null);
  const strongest = known.toSorted((a, b) => Math.abs(b.ratio ?? 0) - Math.abs(a.ratio ?? 0))[0];
  if (strongest === undefined)
    return "How scores go with size cannot be said: fewer than three pairs have one, or all have the same.";
  const corrected = holm(known.map(({ p }) => p));
  const clear = known.filter((_, i) => (corrected[i] ?? 1) < 0.05);
  const said = `The score that goes most with the logarithm of the size ratio is ${measureNames[strongest.measure]} (r = ${formatNumber(strongest.ratio)}, n = ${strongest.pairs} pairs of ${strongest.models} models, p = ${formatProbability(strongest.p)} of ${strongest.permutations} ways to deal the sizes out)`;
  const least = 1 / strongest.permutations;
  const end =
    least >= 0.05
      ? `; with ${strongest.models} models no p can be below ${formatNumber(least)}, so this is a description of these models and no law`
      : clear.length === 0
        ? `; corrected for ${known.length} scores (Holm) none goes with size beyond chance`
        : `; corrected for ${known.length} scores (Holm, p < 0.05) these go with size beyond chance: ${clear.map(({ measure }) => measureNames[measure]).join(", ")}`;
  return `${said}${end}.`;
}

function nameOf({ source, target }: ScalePair): string {
  return `${source} → ${target}`;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
