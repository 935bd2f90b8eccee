import { type AffineMap, formatSite, type MapEnd } from "../index.ts";
import type { Shown } from "./inspect.ts";

/** Shows a map: what it joins, how it was fitted, and its held-out score beside what no knowledge would score. */
export function describeMap({ sources, target, A, fit, scores }: Omit<AffineMap, "p">): Shown {
  const { rows, corpus } = fit;
  const { left, identity, nulls } = {
    left: rows.leftOut,
    identity: scores.tokenIdentity,
    nulls: scores.nulls,
  };
  const { low, high, level } = scores.r2Interval;
  return {
    rows: [
      ["map", `${A.cols} → ${A.rows}`],
      ...sources.map((source) => ["from", describeEnd(source)] as const),
      ["to", describeEnd(target)],
      [
        "corpus",
        `${corpus.name}: ${corpus.documents} documents, ${corpus.windows} windows of up to ${fit.context} tokens`,
      ],
      ["rows", `${rows.train} fitted, ${rows.validation} chose the penalty, ${rows.heldOut} held out`],
      [
        "left out",
        `${left.first} first positions, ${left.special} special tokens, ${left.sink} sinks, of ${rows.total}`,
      ],
      [
        "method",
        `${fit.method}, λ ${Number(fit.lambda.toPrecision(2))}, condition ${fit.condition.toExponential(1)}, seed ${fit.seed}`,
      ],
      [
        "held out",
        `R² ${r(scores.r2)} (${r(low)} to ${r(high)} at ${100 * level} %), cosine ${r(scores.cosine.centred)} centred, ${r(scores.cosine.raw)} raw`,
      ],
      [
        "beyond token",
        `${r(identity.beyond)} of the variance that a table by token id leaves; the table alone has R² ${r(identity.table)}`,
      ],
      [
        "nulls",
        `R² ${r(nulls.mean.r2)} mean, ${r(nulls.shuffled.r2)} shuffled pairs, ${r(nulls.randomOrthogonal.r2)} random rotation`,
      ],
      ["made by", `trimtab ${fit.version}${fit.createdAt === undefined ? "" : `, ${fit.createdAt}`}`],
    ],
    json: { kind: "map", sources, target, fit, scores },
  };
}

function describeEnd({ model, site, medianNorm }: MapEnd): string {
  const { name, quantisation, blocks } = model;
  return `${name} ${quantisation}, ${formatSite(site)} of ${blocks} blocks, median row norm ${medianNorm.toPrecision(3)}`;
}

const r = (value: number) => value.toFixed(3).replace("-", "−");
