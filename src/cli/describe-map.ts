import { type AffineMap, extrapolateCurve, type FitRecord, formatSite, type MapEnd, type MapScores } from "../index.ts";
import { describePaired } from "./describe-alignment.ts";
import type { Shown } from "./inspect.ts";

/** Shows a map: what it joins, how it was fitted, and its held-out score beside what no knowledge would score. */
export function describeMap(map: Omit<AffineMap, "p">): Shown {
  const { sources, target, A, fit, scores } = map;
  return {
    rows: [
      ["map", `${A.cols} → ${A.rows}`],
      ...sources.map((source) => ["from", describeEnd(source)] as const),
      ["to", describeEnd(target)],
      ...describeRead(fit),
      ["method", `${describeMethod(fit)}, condition ${fit.condition.toExponential(1)}, seed ${fit.seed}`],
      ...describeScores(scores, fit.alignment?.tokensOf),
      ["made by", describeMaker(fit)],
    ],
    json: { kind: "map", ...toPlainMap(map) },
  };
}

/** What of a map goes into JSON: all but its coefficients; R² by dimension as a list, null for dimensions that do not vary. */
export function toPlainMap({ sources, target, fit, scores }: Omit<AffineMap, "A" | "p">): object {
  const { r2ByDimension, ...rest } = scores;
  return {
    sources,
    target,
    fit,
    scores: { ...rest, ...(r2ByDimension && { r2ByDimension: Array.from(r2ByDimension) }) },
  };
}

/** What text was read and which of its rows were used. */
export function describeRead({ rows, corpus, context, rowSelection, choice, alignment }: FitRecord): Shown["rows"] {
  const { first, special, sink, unselected, unaligned = 0 } = rows.leftOut;
  // The split is that of the text, whatever is fitted; a fit without a penalty, or with one given, leaves them be.
  const chose = choice === "validation" ? "chose the penalty" : "set aside";
  const other = `${unselected > 0 ? `, ${unselected} not selected` : ""}${unaligned > 0 ? `, ${unaligned} without a row of their own` : ""}`;
  return [
    ["corpus", `${corpus.name}: ${corpus.documents} documents, ${corpus.windows} windows of up to ${context} tokens`],
    [
      "rows",
      `${amount(rows.train)} fitted, ${rows.validation > 0 ? `${amount(rows.validation)} ${chose}, ` : ""}${amount(rows.heldOut)} held out; selected: ${rowSelection}`,
    ],
    ["left out", `${first} first positions, ${special} special tokens, ${sink} sinks${other}, of ${rows.total}`],
    ...describePaired(alignment),
  ];
}

/** How the coefficients came about, such as `ridge, λ 0.01 by cross-validation in 5 folds`. */
export function describeMethod({ method, space, lambda, rank, choice, folds }: FitRecord): string {
  const by = choice === "given" ? "given" : `by ${choice}${folds === undefined ? "" : ` in ${folds} folds`}`;
  const takesPenalty = method === "ridge" || method === "ols" || method === "reduced-rank";
  return [
    method,
    ...(rank === undefined ? [] : [`rank ${rank}`]),
    ...(takesPenalty ? [`λ ${Number(lambda.toPrecision(2))} ${by}`] : []),
    ...(space === "standardised" ? [] : [`${space} space`]),
  ].join(", ");
}

/** By which version, and when if it was said. */
export function describeMaker({ version, createdAt }: FitRecord): string {
  return `trimtab ${version}${createdAt === undefined ? "" : `, ${createdAt}`}`;
}

/** A model at an end of a map: its site among its blocks, and the unit of strengths there. */
export function describeEnd({ model, site, medianNorm }: MapEnd): string {
  const { name, quantisation, blocks } = model;
  return `${name} ${quantisation}, ${formatSite(site)} of ${blocks} blocks, median row norm ${medianNorm.toPrecision(3)}`;
}

/** A score to three places. */
export function showScore(value: number): string {
  return value.toFixed(3).replace("-", "−");
}

function describeScores(scores: MapScores, tokensOf: "source" | "target" | undefined): Shown["rows"] {
  const { nulls, tokenIdentity, roundTrip, sourceGains, learningCurve, explainedVariance, effectiveRank } = scores;
  const { low, high, level } = scores.r2Interval;
  const { lower, median, upper } = scores.r2PerDimension;
  const weighted = scores.weighted ? ", rows weighted" : "";
  const untrained = nulls.untrained ? `, ${r(nulls.untrained.r2)} untrained source` : "";
  return [
    [
      "held out",
      `R² ${r(scores.r2)} (${r(low)} to ${r(high)} at ${100 * level} %), cosine ${r(scores.cosine.centred)} centred, ${r(scores.cosine.raw)} raw${weighted}`,
    ],
    [
      "by dimension",
      `R² median ${r(median)}, quartiles ${r(lower)} and ${r(upper)}${explainedVariance === undefined ? "" : `, mean ${r(explainedVariance)}`}`,
    ],
    ...(effectiveRank === undefined
      ? []
      : [["rank", `the predictions use ${effectiveRank.toFixed(1)} directions`] as const]),
    [
      "beyond token",
      `${r(tokenIdentity.beyond)} of the variance that a table by ${tokensOf === undefined ? "" : `the ${tokensOf}'s `}token id leaves; the table alone has R² ${r(tokenIdentity.table)}`,
    ],
    [
      "nulls",
      `R² ${r(nulls.mean.r2)} mean, ${r(nulls.shuffled.r2)} shuffled pairs, ${r(nulls.randomOrthogonal.r2)} random rotation${untrained}`,
    ],
    ...(sourceGains && sourceGains.length > 0
      ? [["by source", sourceGains.map(({ site, r2 }) => `R² ${r(r2)} with ${site}`).join(", ")] as const]
      : []),
    ...(roundTrip ? [["round trip", `R² ${r(roundTrip.r2)} of the source states there and back`] as const] : []),
    ...(learningCurve ? describeCurve(learningCurve) : []),
  ];
}

function describeCurve(curve: NonNullable<MapScores["learningCurve"]>): Shown["rows"] {
  const points = curve.map(({ rows, r2 }) => `R² ${r(r2)} at ${amount(rows)}`).join(", ");
  const outlook = extrapolateCurve(curve);
  if (!outlook) return [["by rows", points]];
  const { lastDoubling, nextDoubling } = outlook;
  const promise = nextDoubling < 0.01 ? "less than 0.010" : `about ${r(nextDoubling)}`;
  return [
    ["by rows", points],
    ["more rows", `the last doubling of the rows added ${r(lastDoubling)}; another would add ${promise}`],
  ];
}

/** Rows, or their total weight. */
function amount(value: number): string {
  return String(Number(value.toFixed(1)));
}

const r = showScore;
