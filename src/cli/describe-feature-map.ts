import { type FeatureMap, formatSite } from "../index.ts";

/** What a feature map is, in rows to read. */
export function describeFeatureMap(map: FeatureMap): readonly (readonly [string, string])[] {
  const { source, target, sae, fit, scores, active } = map;
  const { low, high } = scores.r2Interval;
  const dead = active.reduce((count, rows) => count + Number(rows === 0), 0);
  return [
    ["from", `${sae.features} features of ${sae.name} at ${formatSite(source.site)} of ${source.model.name}`],
    ["to", `${formatSite(target.site)} of ${target.model.name}`],
    [
      "rows",
      `${fit.rows.train} fitted, ${fit.rows.validation} chose the penalty ${fit.lambda}, ${fit.rows.heldOut} held out`,
    ],
    ["features", `${fit.meanActive.toFixed(1)} active in a row, ${dead} never, ${fit.pairs} pairs met together`],
    [
      "held-out R²",
      `${scores.r2.toFixed(3)} (${low.toFixed(3)}-${high.toFixed(3)}), cosine ${scores.cosine.raw.toFixed(3)}`,
    ],
    [
      "nulls",
      `mean ${scores.nulls.mean.r2.toFixed(3)}, shuffled pairs ${scores.nulls.shuffled.r2.toFixed(3)}, table by token id ${scores.nulls.tokenTable.toFixed(3)}`,
    ],
    ["corpus", `${fit.corpus.name}, ${fit.corpus.documents} documents, seed ${fit.seed}`],
  ];
}

/** The same for a script. */
export function toPlainFeatureMap({ source, target, sae, fit, scores }: FeatureMap): object {
  const end = ({ model, site, medianNorm }: FeatureMap["source"]) => ({ model, site: formatSite(site), medianNorm });
  return { source: end(source), target: end(target), sae, fit, scores };
}
