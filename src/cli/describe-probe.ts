import { formatNumber, formatReadPosition, formatSite, type MeasuredScores, type Probe } from "../index.ts";
import type { Shown } from "./inspect.ts";

/** Shows a probe: what it reads where, how well it did where it was trained, and by which maps it came here. */
export function describeProbe({ site, weights, bias, provenance }: Probe): Shown {
  const { kind, model, concept, readAt, texts, lambda, scores, carried, recalibrated, trimtab } = provenance;
  const rows: (readonly [string, string | undefined])[] = [
    [
      "probe",
      `${kind === "logistic" ? `logistic, λ ${lambda}` : "difference of means"}${concept === undefined ? "" : `, ${concept}`}`,
    ],
    ["reads", `${model.name} ${model.quantisation} at ${formatSite(site)}, ${formatReadPosition(readAt)}`],
    ["width", String(weights.length)],
    ["texts", `${texts.name}: ${texts.trained} trained it, ${texts.heldOut} held out`],
    [
      "score",
      scores &&
        `on ${scores.model}, held out: accuracy ${formatNumber(scores.accuracy, 3)}, AUROC ${formatNumber(scores.auroc, 3)}; labels shuffled ${formatNumber(scores.shuffledAuroc, 3)}`,
    ],
    ...carried.map(
      ({ by, from, map }) =>
        [
          "carried",
          `${by} from ${from.name} ${from.site}, a map of R² ${formatNumber(map.r2, 3)} on ${map.corpus}`,
        ] as const,
    ),
    ["threshold", recalibrated === undefined ? undefined : `moved by ${recalibrated} labelled texts of this model`],
    ["made by", `trimtab ${trimtab}`],
  ];
  return {
    rows: rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    json: { kind: "probe", site: formatSite(site), width: weights.length, bias, provenance },
  };
}

/** `accuracy 0.93 (0.88 to 0.97), AUROC …`. */
export function describeScores({ accuracy, accuracyInterval, auroc, aurocInterval }: MeasuredScores): string {
  const between = (interval: MeasuredScores["aurocInterval"]): string =>
    interval ? ` (${formatNumber(interval.low, 3)} to ${formatNumber(interval.high, 3)})` : "";
  return `accuracy ${formatNumber(accuracy, 3)}${between(accuracyInterval)}, AUROC ${formatNumber(auroc, 3)}${between(aurocInterval)}`;
}
