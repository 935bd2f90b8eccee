import { renderTable, type SaeArm, type SaeScores, type ScoredValue } from "../index.ts";
import { renderList } from "./list.ts";

/** Shows how an autoencoder scored beside its nulls. */
export function describeSaeScores({ model, site, corpus, clean, arms }: SaeScores): string {
  const columns = [
    { title: "in place of the rows" },
    ...["explained variance", "cosine", "active", "loss", "recovered, mean", "recovered, zero"].map((title) => ({
      title,
      align: "right" as const,
    })),
  ];
  const use = arms[0]?.use;
  const facts: [string, string][] = [
    ["scored on", `${corpus.rows} rows of ${corpus.documents} documents (${corpus.part}), ${corpus.name}`],
    ["at", `resid_post.${site.layer} of ${model}`],
  ];
  if (use)
    facts.push([
      "active features",
      `mean ${use.l0.toFixed(1)}, 5 to 95 % of rows ${use.l0Quantiles[0]} to ${use.l0Quantiles[4]}, median ${use.l0Quantiles[2]}`,
    ]);
  if (use)
    facts.push([
      "features",
      `${percent(use.dead)} never active here, ${percent(use.dense)} active on more than 1 row of 10`,
    ]);
  if (clean) facts.push(["loss, model alone", `${showValue(clean)} nats a token over ${corpus.tokens} tokens`]);
  return `${renderList(facts)}\n${renderTable(columns, arms.map(toRow))}\n`;
}

function toRow({ name, explained, cosine, use, loss, recoveredFromMean, recoveredFromZero }: SaeArm): string[] {
  return [
    name,
    showValue(explained),
    show(cosine),
    use ? use.l0.toFixed(1) : "–",
    loss ? show(loss.value) : "–",
    recoveredFromMean ? showValue(recoveredFromMean) : "–",
    recoveredFromZero ? show(recoveredFromZero.value) : "–",
  ];
}

function showValue({ value, interval }: ScoredValue): string {
  return interval ? `${show(value)} (${show(interval.low)} to ${show(interval.high)})` : show(value);
}

function show(value: number): string {
  return value.toFixed(3).replace("-", "−");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
