import type { Estimate } from "../../evaluate/comparison.ts";
import { mean } from "../../evaluate/statistics.ts";
import type { Prediction, PredictResult } from "../../study/predict/predict-result.ts";
import { type DataTable, lowHigh } from "../data-table.ts";
import { formatInterval, formatNumber, formatPercent, formatSigned } from "../format-number.ts";
import { renderPredictionPlot } from "../plots/prediction-plot.ts";
import type { Report, ReportSection } from "../report.ts";

/** The report of a prediction: how the predicted changes stand to the true ones and to what predicts nothing, and every item. */
export function toPredictReport(result: PredictResult): Report {
  const { run, settings, small, predictions, truth } = result;
  const n = predictions[0]?.changes.length ?? 0;
  const basis = `${n} items of ${settings.items}; map ${settings.sources.join(" + ")} → ${settings.target}, held-out R² ${formatNumber(settings.r2)}; seed ${settings.seed}; ${settings.draws} draws of each random null${truth ? `; 95 % bootstrap intervals over items, ${settings.resamples} resamples, all rows on the same draws` : ""}`;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(result),
    warnings: run.warnings,
    sections: [
      {
        id: "predicted",
        title: truth ? "Predicted against true changes" : "Predicted changes (not scored)",
        lead: `The small model was changed: ${small.description}. ${truth ? `The truth is the large model changed alike: ${truth.description}.` : "No changed large model was given, so nothing says how good this is."} What is predicted is by how much the log-probability of each item's positive answer rises over that of its negative one.`,
        figures: [
          {
            id: "prediction",
            title: truth ? "Each item: predicted and true" : "Each item, in order",
            says: truth
              ? "On the dashed line a prediction is right, above it too high. Blue: no map at all, the change of the small model's own answers."
              : "Without truth this shows what is predicted, and no more.",
            svg: renderPredictionPlot(result),
            table: truth ? agreementTable(result) : predictedTable(result),
            basis,
          },
          ...nullFigures(result, basis),
        ],
        notes: [
          "Skill is 1 − mean squared error / what predicting no change costs: 0 is worth nothing, below 0 worse than nothing.",
          "What the change does to blocks after the map's target is not predicted.",
          ...(truth
            ? [
                `The best constant, which nobody knows beforehand, would have a mean squared error of ${formatNumber(truth.constantMse, 3)} nats²; no change at all ${formatNumber(truth.zeroMse, 3)}.`,
              ]
            : []),
        ],
      },
      changeSection(result),
      itemsSection(result),
    ],
  };
}

function agreementTable({ predictions, truth }: PredictResult): DataTable {
  const withInterval = (title: string) => [title, `${title} low`, `${title} high`];
  const cells = ({ value, interval }: Estimate) => [value, ...lowHigh(interval)];
  return {
    columns: [
      { title: "predicted by" },
      { title: "mean change" },
      ...["r", "Spearman", "sign right", "slope", "skill"].flatMap(withInterval).map((title) => ({ title, digits: 2 })),
      { title: "mse" },
      ...withInterval("gain over small").map((title) => ({ title })),
      { title: "KL left" },
    ],
    rows: [
      ...predictions.map(({ name, kind, changes, agreement, divergence }) => [
        kind === "null" ? `null: ${name}` : name,
        mean(changes),
        ...(agreement
          ? [
              ...cells(agreement.pearson),
              ...cells(agreement.spearman),
              ...cells(agreement.sign),
              ...cells(agreement.slope),
              ...cells(agreement.skill),
              agreement.mse.value,
              ...cells(agreement.gainOverSmall),
            ]
          : Array.from({ length: 19 }, () => null)),
        divergence,
      ]),
      [
        "no change",
        0,
        ...Array.from({ length: 12 }, () => null),
        0,
        null,
        null,
        truth?.zeroMse ?? null,
        null,
        null,
        null,
        truth?.divergence ?? null,
      ],
    ],
  };
}

function predictedTable({ predictions }: PredictResult): DataTable {
  return {
    columns: [{ title: "predicted by" }, { title: "mean change" }, { title: "items" }],
    rows: predictions.map(({ name, kind, changes }) => [
      kind === "null" ? `null: ${name}` : name,
      mean(changes),
      changes.length,
    ]),
  };
}

function nullFigures({ nulls, truth }: PredictResult, basis: string): ReportSection["figures"] {
  const range = (values: readonly (number | null)[] | null): (number | null)[] => {
    const known = values?.filter((value) => value !== null) ?? [];
    return known.length === 0 ? [null, null, null] : [mean(known), Math.min(...known), Math.max(...known)];
  };
  return [
    {
      id: "nulls",
      title: "What chance predicts",
      says: "Directions drawn at random in the large model, as long as what was carried; and random changes of the small model's states, as long as the true one, carried by the map.",
      table: {
        columns: [
          { title: "null" },
          { title: "draws" },
          ...["mean change", "lowest", "highest"].map((title) => ({ title })),
          ...(truth ? ["r", "r lowest", "r highest", "skill", "skill lowest", "skill highest"] : []).map((title) => ({
            title,
            digits: 2,
          })),
        ],
        rows: nulls.map(({ name, draws, meanChanges, pearson, skill }) => [
          name,
          draws,
          ...range(meanChanges),
          ...(truth ? [...range(pearson), ...range(skill)] : []),
        ]),
      },
      basis,
    },
  ];
}

function changeSection({ small, truth }: PredictResult): ReportSection {
  return {
    id: "change",
    title: "The change itself",
    lead: "How the change moves the small model's states at the map's source, and how alike it moves the items: coherence 1 is one direction for all.",
    figures: [
      {
        id: "change-size",
        title: "Size of the change",
        says: "Lengths in median row norms of the site, so that both models can be compared.",
        table: {
          columns: [{ title: "what" }, { title: "value" }],
          rows: [
            ["small model: mean change of the propensity, nats", small.mean],
            ["small model: its standard deviation over items", small.sd],
            ["length of the items' changes at the source", small.length],
            ["the same in median row norms", small.relativeLength],
            ["coherence", small.coherence],
            ["positions that stand in both texts", small.alignedShare],
            ["length of the carried mean change", small.carriedLength],
            ["the same in median row norms", small.carriedRelative],
            ...(truth
              ? ([
                  ["large model: true mean change, nats", truth.mean.value],
                  ["large model: its standard deviation over items", truth.sd],
                  ["large model: KL(changed ‖ unchanged) of the next token, nats", truth.divergence],
                ] as const)
              : []),
          ],
        },
        basis: "means over items",
      },
    ],
    notes: [],
  };
}

function itemsSection({ predictions, truth, settings }: PredictResult): ReportSection {
  const shown = predictions.filter(({ kind }) => kind !== "null");
  return {
    id: "items",
    title: "Every item",
    lead: "Changes of the log-probability difference, nats, in the order of the file.",
    figures: [
      {
        id: "item-changes",
        title: "Change of each item",
        says: "One row an item.",
        table: {
          columns: [
            { title: "item" },
            ...shown.map(({ name }) => ({ title: name })),
            ...(truth ? [{ title: "true" }] : []),
          ],
          rows: (shown[0]?.changes ?? []).map((_, i) => [
            i + 1,
            ...shown.map(({ changes }) => changes[i] ?? null),
            ...(truth ? [truth.changes[i] ?? null] : []),
          ]),
        },
        basis: `items of ${settings.items}`,
      },
    ],
    notes: [],
  };
}

function toAnswer(result: PredictResult): Report["answer"] {
  const { truth, predictions, nulls, small, settings } = result;
  const ways = predictions.filter(({ kind }) => kind === "prediction");
  if (!truth) {
    const said = ways.map(({ name, changes }) => `${formatSigned(mean(changes))} by ${name}`).join(", ");
    return [
      `Predicted mean change of the large model's propensity over ${ways[0]?.changes.length ?? 0} items, nats: ${said}.`,
      "This is unscored: no changed large model was given, so nothing here says whether it is right.",
      `Random directions of the same length change it by ${formatNumber(Math.min(...(nulls[0]?.meanChanges ?? [])))} to ${formatNumber(Math.max(...(nulls[0]?.meanChanges ?? [])))}; the map's held-out R² is ${formatNumber(settings.r2)}.`,
    ];
  }
  const best = ways.toSorted((a, b) => skillOf(b) - skillOf(a))[0] as Prediction;
  const { pearson, skill, slope, sign, gainOverSmall } = best.agreement!;
  const own = predictions.find(({ kind }) => kind === "baseline")?.agreement;
  const worth = (skill.interval?.low ?? 0) > 0 ? "" : "; whether that is better than predicting no change is not clear";
  return [
    `The change moves the large model by ${formatSigned(truth.mean.value)} nats on average; best of ${ways.length} ways, ${best.name} predicts it with r = ${formatNumber(pearson.value)} over items (${formatInterval(pearson.interval)}), the right sign on ${formatPercent(sign.value)}, slope ${formatNumber(slope.value)}, skill ${formatNumber(skill.value)} (${formatInterval(skill.interval)})${worth}.`,
    `${sayOwn(own, gainOverSmall)}`,
    `${sayNulls(result, pearson.value, skill.value)} The small model's own propensity changes by ${formatSigned(small.mean)} nats on average.`,
  ];
}

function skillOf({ agreement }: Prediction): number {
  return agreement?.skill.value ?? Number.NEGATIVE_INFINITY;
}

function sayOwn(own: Prediction["agreement"] | undefined, gain: Estimate): string {
  const [low, high] = [gain.interval?.low ?? null, gain.interval?.high ?? null];
  const said = `Without any map, the change of the small model's own answers predicts it with r = ${formatNumber(own?.pearson.value)} and skill ${formatNumber(own?.skill.value)}`;
  if (low !== null && low > 0)
    return `${said}: the map does better (mean squared error lower by ${formatNumber(gain.value, 3)} nats², ${formatInterval(gain.interval, 3)}).`;
  if (high !== null && high < 0)
    return `${said}: the map does worse (mean squared error higher by ${formatNumber(-(gain.value ?? 0), 3)} nats², ${formatInterval({ low: -high, high: -(low ?? 0) }, 3)}).`;
  return `${said}: on these items the two cannot be told apart (difference of mean squared errors ${formatNumber(gain.value, 3)} nats², ${formatInterval(gain.interval, 3)}).`;
}

function sayNulls({ nulls, predictions }: PredictResult, r: number | null, skill: number | null): string {
  const beaten = nulls.map(({ name, pearson, skill: skills, draws }) => {
    const above = (values: readonly (number | null)[] | null, value: number | null): number =>
      values?.filter((other) => other !== null && value !== null && other >= value).length ?? 0;
    return `${above(pearson, r)} of ${draws} ${name} reach its r and ${above(skills, skill)} its skill`;
  });
  const fixed = predictions
    .filter(({ kind }) => kind === "null")
    .map(
      ({ name, agreement }) =>
        `${name}: r = ${formatNumber(agreement?.pearson.value)}, skill ${formatNumber(agreement?.skill.value)}`,
    );
  return `Of the nulls ${beaten.join("; ")}${fixed.length > 0 ? `; ${fixed.join("; ")}` : ""}.`;
}
