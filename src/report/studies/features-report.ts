import type { RunRecord } from "../../evaluate/run-record.ts";
import type { FeatureConcept, FeatureStudy } from "../../study/features/feature-study.ts";
import { lowHigh } from "../data-table.ts";
import { formatCount, formatInterval, formatNumber, formatSigned } from "../format-number.ts";
import { renderFeaturePlot } from "../plots/feature-plot.ts";
import { renderMapScorePlot, type ScoreBar } from "../plots/map-score-plot.ts";
import type { Report, ReportSection } from "../report.ts";

/** The report of a feature study: the paper's third figure, a section a concept, and the two maps beside their nulls. */
export function toFeaturesReport(study: FeatureStudy, run: RunRecord): Report {
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: [gainSentence(study), controlSentence(study), mapSentence(study)],
    warnings: run.warnings,
    sections: [...study.concepts.map((concept) => conceptSection(study, concept)), mapSection(study)],
  };
}

function gainSentence({ concepts }: FeatureStudy): string {
  const told = concepts.map(({ name, gain, problem }) => {
    if (!gain || gain.value === null) return `${name}: not comparable${problem === null ? "" : ` (${problem})`}`;
    const { value, interval } = gain;
    const verdict =
      interval && interval.low > 0
        ? "s2l does more"
        : interval && interval.high < 0
          ? "l2l does more"
          : "no difference shown";
    return `${name} ${formatSigned(value)}${interval ? ` (${formatInterval(interval)})` : ""}, ${verdict}`;
  });
  return `Effect of s2l less that of l2l at equal damage, the largest that all reach: ${told.join("; ")}.`;
}

function controlSentence({ concepts }: FeatureStudy): string {
  const told = concepts.flatMap(({ name, levels }) => {
    const last = levels.at(-1);
    if (!last) return [];
    const of = (arm: string) => last.effects.find((effect) => effect.arm === arm)?.effect.value ?? null;
    return [
      `${name} s2l ${formatNumber(of("s2l"))}, l2l ${formatNumber(of("l2l"))}, native ${formatNumber(of("native contrast"))}, wrong features ${formatNumber(last.wrong)}, random ${formatNumber(last.random)}`,
    ];
  });
  return told.length === 0 ? "No concept could be steered to equal damage." : `Effects there: ${told.join("; ")}.`;
}

function mapSentence({ s2l, l2l }: FeatureStudy): string {
  const { r2, r2Interval, nulls } = s2l.scores;
  return `Held out, the map from features explains ${formatNumber(r2)} (${formatInterval(r2Interval)}) of the target's states and the map between hidden states ${formatNumber(l2l.scores.r2)} (${formatInterval(l2l.scores.r2Interval)}); shuffled pairs ${formatNumber(nulls.shuffled.r2)}, a table by token id ${formatNumber(nulls.tokenTable)}.`;
}

function conceptSection(study: FeatureStudy, concept: FeatureConcept): ReportSection {
  const { name, feature, chanceAuroc, cosines, levels, points, problem, scorer } = concept;
  const id = name.replaceAll(/[^a-zA-Z0-9]+/g, "-");
  if (problem !== null || !feature)
    return { id, title: name, lead: `Not measured: ${problem ?? "no feature"}.`, figures: [], notes: [] };
  const { heldOut } = feature;
  const arms = [...new Set(levels.flatMap(({ effects }) => effects.map(({ arm }) => arm)))];
  const basis = `${study.prompts} prompts, ${study.samples} samples each; 95 % bootstrap intervals over prompts; strengths ${study.strengths.join(", ")} median row norms; seed ${study.seed}`;
  return {
    id,
    title: name,
    lead:
      `Feature ${feature.feature} tells the pairs apart with AUROC ${formatNumber(heldOut.auroc)} on ${study.sae.features} features' choice held out` +
      ` (95 % of choices by chance stay below ${formatNumber(chanceAuroc)}).` +
      (cosines
        ? ` In the target, s2l and l2l have a cosine of ${formatNumber(cosines.s2lL2l)}; with the native contrast vector s2l has ${formatNumber(cosines.s2lNative)}, l2l ${formatNumber(cosines.l2lNative)}.`
        : ""),
    figures: [
      {
        id: `effect-${id}`,
        title: `Effect against damage: ${scorer}`,
        says: "Of two lines the higher does more for the same damage. Grey: features drawn by chance and carried like the right one, and random directions.",
        svg: renderFeaturePlot(concept),
        table: {
          columns: [
            ...["vector", "strength"].map((title) => ({ title })),
            ...["damage", "change", "low", "high"].map((title) => ({ title })),
          ],
          rows: points.map(({ arm, strength, damage, change }) => [
            arm,
            strength,
            damage,
            change.value,
            ...lowHigh(change.interval),
          ]),
        },
        basis,
      },
      {
        id: `levels-${id}`,
        title: "At equal damage",
        says: "Quarters of the largest damage that every vector reaches; between strengths the line is straight.",
        table: {
          columns: [
            { title: "damage" },
            ...arms.flatMap((arm) => [{ title: arm }, { title: `${arm} low` }, { title: `${arm} high` }]),
            { title: "wrong features" },
            { title: "random" },
          ],
          rows: levels.map(({ damage, effects, wrong, random }) => [
            damage,
            ...arms.flatMap((arm) => {
              const effect = effects.find((other) => other.arm === arm)?.effect;
              return [effect?.value ?? null, ...lowHigh(effect?.interval)];
            }),
            wrong,
            random,
          ]),
        },
        basis,
      },
    ],
    notes: [],
  };
}

function mapSection({ s2l, l2l, sites, sae }: FeatureStudy): ReportSection {
  const bars: readonly (ScoreBar & { readonly cosine: number | null })[] = [
    {
      label: "features (s2l)",
      r2: s2l.scores.r2,
      kind: "map",
      interval: s2l.scores.r2Interval,
      cosine: s2l.scores.cosine.raw,
    },
    {
      label: "states (l2l)",
      r2: l2l.scores.r2,
      kind: "map",
      interval: l2l.scores.r2Interval,
      cosine: l2l.scores.cosine.raw,
    },
    { label: "token table", r2: s2l.scores.nulls.tokenTable, kind: "null", cosine: null },
    { label: "mean", r2: s2l.scores.nulls.mean.r2, kind: "null", cosine: s2l.scores.nulls.mean.cosine.raw },
    {
      label: "s2l, shuffled",
      r2: s2l.scores.nulls.shuffled.r2,
      kind: "null",
      cosine: s2l.scores.nulls.shuffled.cosine.raw,
    },
    {
      label: "l2l, shuffled",
      r2: l2l.scores.nulls.shuffled.r2,
      kind: "null",
      cosine: l2l.scores.nulls.shuffled.cosine.raw,
    },
  ];
  return {
    id: "maps",
    title: "The two maps",
    lead: `From ${sites.source} to ${sites.target}: ${formatCount(sae.features)} features of ${sae.name}, ${formatNumber(s2l.fit.meanActive, 1)} active in a row, and the hidden states themselves, on the same rows.`,
    figures: [
      {
        id: "maps-r2",
        title: "Held-out R²",
        says: "What each map explains of the large model's hidden states on documents that it has not seen.",
        svg: renderMapScorePlot(bars),
        table: {
          columns: ["map", "R²", "low", "high", "cosine"].map((title) => ({ title })),
          rows: bars.map(({ label, r2, interval, cosine }) => [label, r2, ...lowHigh(interval), cosine]),
        },
        basis: `${formatCount(s2l.fit.rows.train)} rows fitted, ${formatCount(s2l.fit.rows.heldOut)} held out; seed ${s2l.fit.seed}; 95 % bootstrap intervals over documents`,
      },
    ],
    notes: [],
  };
}
