import type { RunRecord } from "../../evaluate/run-record.ts";
import type { WorldCurve, WorldPoint, WorldStudy } from "../../study/world/study-world.ts";
import { formatNumber } from "../format-number.ts";
import { renderWorldPlot } from "../plots/world-plot.ts";
import type { Report, ReportFigure, ReportSection } from "../report.ts";

/** The report of a study of the latent world: one figure of all knobs, two tables a knob. */
export function toWorldReport(study: WorldStudy, run: RunRecord): Report {
  const { curves, worlds, heldOutRows, measuredRows, shuffles, seed } = study;
  const basis = `means over ${worlds} worlds (dictionary, projections and rows drawn anew); ${heldOutRows} held-out rows score the map, ${measuredRows} rows the measures, beside ${shuffles} shuffles; seeds ${seed} to ${seed + worlds - 1}`;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: [mapSentence(curves), featureSentence(curves), measureSentence(study)],
    warnings: run.warnings,
    sections: [
      {
        id: "world",
        title: "One knob at a time",
        lead: "Two models read one sparse code over universal features, each through its own projection. Each panel makes the hypothesis hold less and less, from left to right.",
        figures: [overview(study, basis)],
        notes: [
          "Best R²: of the best affine map, in closed form; it does not count sinks, and bent states have none in closed form.",
          "Measures of likeness are drawn as (value − null)/(1 − null), the null being the mean over shuffled rows.",
        ],
      },
      ...curves.map((curve) => knobSection(curve, study, basis)),
    ],
  };
}

function overview(study: WorldStudy, basis: string): ReportFigure {
  return {
    id: "world",
    title: "What the map explains, what it carries, what measures say",
    says: "Blue and grey: R² of the fitted and of the best map. Orange: cosine of carried feature directions with the target's own. Thin: measures of likeness.",
    svg: renderWorldPlot(study),
    table: {
      columns: ["knob", "from", "to", "R² from", "to", "cosine from", "to"].map((title) => ({ title })),
      rows: study.curves.map(({ title, points }) => {
        const [first, last] = ends(points);
        return [
          title,
          first.value,
          last.value,
          first.map.r2.mean,
          last.map.r2.mean,
          first.map.cosine.mean,
          last.map.cosine.mean,
        ];
      }),
    },
    basis,
  };
}

function knobSection({ name, title, axis, says, points }: WorldCurve, study: WorldStudy, basis: string): ReportSection {
  const [first, last] = ends(points);
  const nullOf = (point: WorldPoint, measure: string): number | null =>
    point.measures.find((each) => each.name === measure)?.null.mean ?? null;
  return {
    id: name,
    title,
    lead: says,
    figures: [
      {
        id: `${name}-map`,
        title: `${title}: the map`,
        says: `Held-out R² against ${axis}.`,
        table: {
          columns: [
            { title: axis },
            ...[
              "R²",
              "lowest",
              "highest",
              "without sinks",
              "median dimension",
              "least squares",
              "best there is",
              "shuffled pairs",
              "feature cosine",
              "another feature's",
            ].map((title) => ({ title })),
          ],
          rows: points.map(({ value, map }) => [
            value,
            map.r2.mean,
            map.r2.low,
            map.r2.high,
            map.r2WithoutSinks.mean,
            map.r2MedianDimension.mean,
            map.r2Ols.mean,
            map.r2Best.mean,
            map.r2Shuffled.mean,
            map.cosine.mean,
            map.cosineOther.mean,
          ]),
        },
        basis,
      },
      {
        id: `${name}-measures`,
        title: `${title}: measures of likeness`,
        says: "The value of each measure, and its null (mean over shuffled rows) at both ends.",
        table: {
          columns: [
            { title: `measure; ${axis}` },
            ...points.map(({ value }) => ({ title: String(value) })),
            { title: `null at ${first.value}` },
            { title: `null at ${last.value}` },
          ],
          rows: study.measures.map(({ name: measure, label }) => [
            label,
            ...points.map((point) => point.measures.find((each) => each.name === measure)?.value.mean ?? null),
            nullOf(first, measure),
            nullOf(last, measure),
          ]),
        },
        basis,
      },
    ],
    notes: [],
  };
}

function mapSentence(curves: readonly WorldCurve[]): string {
  const said = curves.map(({ title, points }) => {
    const [first, last] = ends(points);
    return `${lower(title)} from ${formatNumber(first.map.r2.mean)} to ${formatNumber(last.map.r2.mean)}`;
  });
  return `Held-out R² of the fitted map, from the first to the last value of each knob: ${said.join("; ")}.`;
}

function featureSentence(curves: readonly WorldCurve[]): string {
  const said = curves.map(({ title, points }) => {
    const [, last] = ends(points);
    return `${lower(title)} ${formatNumber(last.map.cosine.mean)}`;
  });
  return `At the last value, directions of features that both models have are carried to the target's own with a mean cosine of: ${said.join("; ")}.`;
}

/** Whether measures of likeness go with what the map explains, over all points. */
function measureSentence({ curves, measures }: WorldStudy): string {
  const points = curves.flatMap(({ points }) => points);
  const said = measures
    .map(({ name, label }) => {
      const pairs = points.flatMap(({ map, measures: of }) => {
        const value = of.find((each) => each.name === name)?.value.mean ?? null;
        return value === null || map.r2.mean === null ? [] : [[map.r2.mean, value] as const];
      });
      return { label, r: correlation(pairs) };
    })
    .filter(({ r }) => !Number.isNaN(r))
    .sort((a, b) => b.r - a.r);
  const [best, worst] = [said[0], said.at(-1)];
  if (!best || !worst) return "No measure of likeness is defined at enough points to be held against R².";
  return `Over all ${points.length} points, the measure that goes best with held-out R² is ${best.label} (correlation ${formatNumber(best.r)}), the one that goes worst ${worst.label} (${formatNumber(worst.r)}). ${best.r > 0.95 ? "Turned this way, likeness and map go together." : "None of them is a stand-in for fitting the map."}`;
}

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const n = pairs.length;
  const mean = (at: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[at], 0) / n;
  const [a, b] = [mean(0), mean(1)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [x, y] of pairs) [ab, aa, bb] = [ab + (x - a) * (y - b), aa + (x - a) ** 2, bb + (y - b) ** 2];
  return n > 2 && aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : Number.NaN;
}

function ends(points: readonly WorldPoint[]): readonly [WorldPoint, WorldPoint] {
  return [points[0] as WorldPoint, points.at(-1) as WorldPoint];
}

function lower(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}
