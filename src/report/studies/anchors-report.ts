import { mean, standardDeviation } from "../../evaluate/statistics.ts";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import type { AnchorEffect, AnchorPoint, AnchorScore, AnchorStudy } from "../../study/anchors/anchor-study.ts";
import { formatCount, formatNumber } from "../format-number.ts";
import { renderAnchorsPlot } from "../plots/anchors-plot.ts";
import type { Report, ReportFigure } from "../report.ts";

const wayNames: Readonly<Record<AnchorEffect["way"], string>> = {
  affine: "ridge on anchors",
  functional: "functional map",
  corrected: "both",
  shuffled: "both, anchors shuffled",
};

/** The report of a study of maps from few anchors: R², carried directions, and what they do. */
export function toAnchorsReport(study: AnchorStudy): Report {
  const { run, warnings, effects } = study;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(study),
    warnings,
    sections: [
      {
        id: "rows",
        title: "How many paired rows a map needs",
        lead: "Both models have read the same rows, but which row of the one is which of the other is told for the anchors alone. A ridge uses the anchors and nothing else; a functional map uses the anchors to match the two neighbourhood graphs of all rows; both together correct the functional map's answer by a ridge on what it leaves of the anchors.",
        figures: [
          scoreFigure(study, "r2", "Held-out R²", ({ r2 }) => r2, study.all.r2),
          ...(study.concepts.length > 0
            ? [
                scoreFigure(
                  study,
                  "cosine",
                  "Mean cosine of carried with native directions",
                  ({ cosine }) => cosine,
                  study.all.cosine,
                ),
              ]
            : []),
        ],
        notes: [
          "Penalties are chosen on anchors that were left out, for every way alike. Rows held out are of other documents.",
        ],
      },
      ...(effects.length > 0
        ? [
            {
              id: "effects",
              title: "What the carried directions do",
              lead: "Propensity of the target model under the direction that each map carried, beside the native one and random directions of the same length. First draw of the anchors.",
              figures: [effectFigure(study)],
              notes: [],
            },
          ]
        : []),
    ],
  };
}

function scoreFigure(
  study: AnchorStudy,
  id: string,
  title: string,
  of: (score: AnchorScore) => number | null,
  ceiling: number | null,
): ReportFigure {
  const { points, rows, draws, seed, corpus, layers } = study;
  const valuesOf = (scores: readonly AnchorScore[]): number[] => scores.map(of).filter((value) => value !== null);
  const shuffled = points.filter(({ way }) => way === "corrected");
  return {
    id,
    title,
    says: "Dots are draws of the anchors, lines their means. Triangles: the anchors' counterparts shuffled, in the last of the three ways.",
    svg: renderAnchorsPlot(
      [
        ...points.map((point) => ({ anchors: point.anchors, way: point.way, values: valuesOf(point.draws) })),
        ...shuffled.map((point) => ({
          anchors: point.anchors,
          way: "shuffled" as const,
          values: valuesOf(point.shuffled),
        })),
      ].filter(({ values }) => values.length > 0),
      { label: title, ceiling },
    ),
    table: {
      columns: [
        { title: "anchors" },
        { title: "way" },
        { title: "mean" },
        { title: "sd over draws" },
        { title: "anchors shuffled" },
        ...(id === "r2" ? [{ title: "above ridge" }, { title: "low" }, { title: "high" }] : []),
      ],
      rows: points.map((point) => {
        const [values, wrong] = [valuesOf(point.draws), valuesOf(point.shuffled)];
        return [
          point.anchors,
          wayNames[point.way],
          values.length > 0 ? mean(values) : null,
          values.length > 1 ? standardDeviation(values) : null,
          wrong.length > 0 ? mean(wrong) : null,
          ...(id === "r2"
            ? [point.gain?.r2 ?? null, point.gain?.interval.low ?? null, point.gain?.interval.high ?? null]
            : []),
        ];
      }),
    },
    basis: `layers ${layers.source}:${layers.target}; ${formatCount(rows.fit)} rows of ${corpus}, ${formatCount(rows.heldOut)} of ${rows.heldOutDocuments} other documents held out, paired by ${rows.alignment}; ${draws} draws of the anchors; seed ${seed}; above ridge: first draw, 95 % bootstrap interval over held-out documents; ridge on all rows ${formatNumber(ceiling, 3)}`,
  };
}

function effectFigure({ effects, randomDirections, seed }: AnchorStudy): ReportFigure {
  return {
    id: "effects",
    title: "Effect of carried directions",
    says: "Cosine with the native direction; Δr, the correlation over items of the changes; slope ratio against the native; z among random directions.",
    table: {
      columns: [
        { title: "concept" },
        { title: "anchors" },
        { title: "way" },
        { title: "cosine" },
        { title: "effect, nats" },
        { title: "native, nats" },
        { title: "Δr" },
        { title: "slope ratio" },
        { title: "z", digits: 1 },
        { title: "z native", digits: 1 },
      ],
      rows: effects.map((row) => [
        row.concept,
        row.anchors === null ? "all rows" : String(row.anchors),
        wayNames[row.way],
        row.cosine,
        row.effect,
        row.native,
        row.deltaR,
        row.slopeRatio,
        row.z,
        row.nativeZ,
      ]),
    },
    basis: `${randomDirections} random directions; seed ${seed}`,
  };
}

/** Who wins where; what carried directions show; what the nulls reach. */
function toAnswer(study: AnchorStudy): readonly [string, string, string] {
  return [sayWinners(study), sayEffects(study), sayNulls(study)];
}

function sayWinners({ points, all }: AnchorStudy): string {
  const counts = [...new Set(points.map(({ anchors }) => anchors))].sort((a, b) => a - b);
  const meanOf = (point: AnchorPoint | undefined): number => mean((point?.draws ?? []).map(({ r2 }) => r2));
  const at = (count: number, way: AnchorPoint["way"]): AnchorPoint | undefined =>
    points.find((point) => point.anchors === count && point.way === way);
  const wins = (way: AnchorPoint["way"], low: boolean): string => {
    const found = counts.filter((count) => {
      const interval = at(count, way)?.gain?.interval;
      return interval !== undefined && (low ? interval.low > 0 : interval.high < 0);
    });
    return found.length > 0 ? found.join(", ") : "no number tried";
  };
  const said = counts
    .map(
      (count) =>
        `${count}: ${formatNumber(meanOf(at(count, "affine")))}, ${formatNumber(meanOf(at(count, "functional")))}, ${formatNumber(meanOf(at(count, "corrected")))}`,
    )
    .join("; ");
  return `Held-out R² at each number of anchors (ridge, functional map, both) is ${said}; a ridge on all rows reaches ${formatNumber(all.r2)}. The functional map is clearly above the ridge at ${wins("functional", true)} and clearly below it at ${wins("functional", false)}; both together are clearly above it at ${wins("corrected", true)} and clearly below it at ${wins("corrected", false)}.`;
}

function sayEffects({ points, all, effects }: AnchorStudy): string {
  const judged = effects.filter(({ nativeZ }) => (nativeZ ?? 0) >= verdictThresholds.insideNull);
  const cosines = sayCosines(points, all.cosine);
  if (effects.length === 0) return `${cosines}What the carried directions do was not measured.`;
  if (judged.length === 0)
    return `${cosines}No concept can judge what they do: no native direction stands out among random ones.`;
  const said = [...new Set(judged.map(({ anchors }) => anchors))].map((count) => {
    const ways = (["affine", "functional", "corrected"] as const).flatMap((way) => {
      const rows = judged.filter((row) => row.anchors === count && row.way === way);
      const ratios = rows.flatMap(({ slopeRatio }) => slopeRatio ?? []);
      const z = rows.flatMap((row) => row.z ?? []);
      return ratios.length === 0
        ? []
        : [`${wayNames[way]} ${formatNumber(mean(ratios))} (z ${formatNumber(mean(z), 1)})`];
    });
    return `${count === null ? "from all rows" : `from ${count} anchors`} ${ways.join(", ")}`;
  });
  const concepts = new Set(judged.map(({ concept }) => concept)).size;
  return `${cosines}Of the native effect they have, in the mean over the ${concepts} concepts that can judge, ${said.join("; ")}.`;
}

function sayCosines(points: readonly AnchorPoint[], ceiling: number | null): string {
  const counts = [...new Set(points.map(({ anchors }) => anchors))].sort((a, b) => a - b);
  const said = counts.flatMap((count) => {
    const values = (["affine", "functional", "corrected"] as const).map((way) => {
      const point = points.find((each) => each.anchors === count && each.way === way);
      const known = (point?.draws ?? []).flatMap(({ cosine }) => cosine ?? []);
      return known.length > 0 ? formatNumber(mean(known)) : undefined;
    });
    return values.every((value) => value !== undefined) ? [`${count}: ${values.join(", ")}`] : [];
  });
  return said.length === 0
    ? ""
    : `Cosines of carried with native directions are ${said.join("; ")} (ridge, functional map, both; from all rows ${formatNumber(ceiling)}). `;
}

function sayNulls({ points, effects }: AnchorStudy): string {
  const most = Math.max(...points.flatMap(({ shuffled }) => shuffled.map(({ r2 }) => r2)));
  const cosines = effects.filter(({ way }) => way === "shuffled").flatMap(({ cosine }) => cosine ?? []);
  const z = effects.filter(({ way }) => way === "shuffled").flatMap(({ z: value }) => value ?? []);
  const steering =
    cosines.length > 0
      ? `; directions carried by them have cosines of ${formatNumber(Math.min(...cosines))} to ${formatNumber(Math.max(...cosines))} with the native ones and z of ${formatNumber(Math.min(...z), 1)} to ${formatNumber(Math.max(...z), 1)}`
      : "";
  return `With the anchors' counterparts shuffled no way reaches an R² above ${formatNumber(most, 3)}${steering}.`;
}
