import type { ComparedPart, LikenessCell, LikenessStudy } from "../../study/compare/comparison-result.ts";
import type { DataTable } from "../data-table.ts";
import { formatCount, formatNumber, formatPercent } from "../format-number.ts";
import type { LayerMatrix } from "../layer-matrix.ts";
import { renderLayerHeatMap } from "../plots/layer-heat-map.ts";
import { renderLikenessPlot } from "../plots/likeness-plot.ts";
import type { Report, ReportFigure, ReportSection } from "../report.ts";

/** What stands clear of its shuffles. */
const clearZ = 3;

const parts: readonly { readonly of: ComparedPart; readonly title: string; readonly lead: string }[] = [
  {
    of: "states",
    title: "States as they are",
    lead: "Hidden states of the same tokens. Much of what is alike in them is that both models know the current token: compare with the untrained source, and with the next section.",
  },
  {
    of: "beyond",
    title: "Less the mean state of their token",
    lead: "The same states less the mean over rows of the same token: what is left is what a model made of the words before it.",
  },
];

/** The report of a comparison of two models: a figure and a table for one pair of layers, a heat map for each measure for more. */
export function toLikenessReport(study: LikenessStudy): Report {
  const { run, warnings } = study;
  const isGrid = study.layers.source.length * study.layers.target.length > 1;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(study),
    warnings,
    sections: [
      ...parts.flatMap(({ of, title, lead }): ReportSection[] => {
        const cells = study.cells.filter((cell) => cell.of === of);
        if (cells.length === 0) return [];
        return [
          {
            id: of,
            title,
            lead,
            figures: isGrid ? gridFigures(study, of) : [pairFigure(study, of, title)],
            notes: [],
          },
        ];
      }),
      measuresSection(study),
    ],
  };
}

function pairFigure(study: LikenessStudy, of: ComparedPart, title: string): ReportFigure {
  const cells = study.cells.filter((cell) => cell.of === of);
  return {
    id: of,
    title: `Likeness, ${of === "states" ? "states as they are" : "beyond the token"}`,
    says: "Filled circles: the two models. Squares: an untrained copy of the source in its place. Triangles with bars: the same rows paired at random, what the measure says where nothing but the clouds is alike (beyond the token: among rows of the same token).",
    svg: renderLikenessPlot(
      cells.map((cell) => ({ ...cell, label: labelOf(study, cell) })),
      title,
    ),
    basis: basisOf(study, of),
    table: {
      columns: [
        { title: "measure" },
        { title: "value" },
        { title: "low" },
        { title: "high" },
        { title: "shuffled" },
        { title: "sd", digits: 4 },
        { title: "z", digits: 1 },
        { title: "untrained source" },
        { title: "published in" },
      ],
      rows: cells.map((cell) => [
        labelOf(study, cell),
        cell.value,
        cell.interval?.low ?? null,
        cell.interval?.high ?? null,
        cell.shuffled.mean,
        cell.shuffled.sd,
        cell.shuffled.z,
        cell.untrained,
        study.measures.find(({ name }) => name === cell.measure)?.source ?? "",
      ]),
    },
  };
}

function gridFigures(study: LikenessStudy, of: ComparedPart): ReportFigure[] {
  return study.measures.map(({ name, label, says }): ReportFigure => {
    const cells = study.cells.filter((cell) => cell.of === of && cell.measure === name);
    const table: DataTable = {
      columns: ["source layer", "target layer", "value", "shuffled", "z", "untrained source"].map((title) => ({
        title,
        ...(title === "z" && { digits: 1 }),
      })),
      rows: cells.map((cell) => [
        cell.source,
        cell.target,
        cell.value,
        cell.shuffled.mean,
        cell.shuffled.z,
        cell.untrained,
      ]),
    };
    const shuffled = Math.max(...cells.map((cell) => cell.shuffled.mean ?? Number.NEGATIVE_INFINITY));
    return {
      id: `${of}-${name}`,
      title: `${label.charAt(0).toUpperCase()}${label.slice(1)}`,
      says,
      svg: renderLayerHeatMap(toMatrix(study, cells, `${label}; shuffled ≤ ${formatNumber(shuffled)}`)),
      basis: basisOf(study, of),
      table,
    };
  });
}

function toMatrix({ run, layers }: LikenessStudy, cells: readonly LikenessCell[], label: string): LayerMatrix {
  const values = new Map(cells.map((cell) => [`${cell.source}:${cell.target}`, cell.value]));
  const model = (role: "source" | "target"): { readonly name: string; readonly blocks: number } => {
    const found = run.models.find((each) => each.role === role)?.model;
    return { name: found?.name ?? role, blocks: found?.blocks ?? Math.max(...layers[role]) + 1 };
  };
  return {
    label,
    source: { ...model("source"), layers: layers.source },
    target: { ...model("target"), layers: layers.target },
    values: layers.source.map((from) => layers.target.map((to) => values.get(`${from}:${to}`) ?? null)),
  };
}

function measuresSection({ measures }: LikenessStudy): ReportSection {
  return {
    id: "measures",
    title: "What each measure asks",
    lead: "No one of them is the likeness of two models. Each is blind to something, and that something is what it does not change under.",
    figures: [],
    notes: measures.map(
      ({ label, says, unchangedBy, source }) => `${label}: ${says}. Unchanged by ${unchangedBy}. ${source}.`,
    ),
  };
}

function basisOf({ rows, settings, corpus }: LikenessStudy, of: ComparedPart): string {
  const n = of === "states" ? rows.drawn : rows.beyond;
  return `${formatCount(n)} rows of ${rows.documents} documents of ${corpus}, drawn from ${formatCount(rows.read)}, paired by ${rows.alignment}; ${settings.shuffles} shuffles ${of === "states" ? "of whole documents" : "among rows of the same token"}; ${settings.neighbours} neighbours; ${settings.anchors} anchors; seed ${settings.seed}; intervals, where given, leave out a tenth of the documents at a time`;
}

function labelOf({ measures }: LikenessStudy, { measure }: LikenessCell): string {
  return measures.find(({ name }) => name === measure)?.label ?? measure;
}

/** How many measures stand clear of chance, of an untrained source, and beyond the token; which do not. */
function toAnswer(study: LikenessStudy): readonly [string, string, string] {
  const of = (part: ComparedPart): readonly LikenessCell[] =>
    study.cells.filter((cell) => cell.of === part && cell.value !== null);
  const states = of("states");
  const beyond = of("beyond");
  const isClear = ({ shuffled, value }: LikenessCell): boolean =>
    (shuffled.z ?? 0) >= clearZ || (shuffled.z === null && (value ?? 0) > (shuffled.mean ?? Number.POSITIVE_INFINITY));
  return [
    `On the states as they are ${sayShare(study, states, isClear)} stand clear of rows paired at random (z of at least ${clearZ}).`,
    sayUntrained(study, states, beyond),
    beyond.length === 0
      ? "How much of it is the current token was not measured."
      : `Less the mean state of their token ${sayShare(study, beyond, isClear)} do; the median measure keeps ${formatPercent(medianKept(states, beyond))} of its distance from chance.`,
  ];
}

function sayShare(
  study: LikenessStudy,
  cells: readonly LikenessCell[],
  holds: (cell: LikenessCell) => boolean,
): string {
  const isGrid = study.layers.source.length * study.layers.target.length > 1;
  const not = cells.filter((cell) => !holds(cell));
  const named = [...new Set(not.map((cell) => labelOf(study, cell)))];
  const what = isGrid ? "numbers (measures × layer pairs)" : "measures";
  const except =
    not.length === 0
      ? ""
      : ` (not ${named.slice(0, 4).join("; ")}${named.length > 4 ? ` and ${named.length - 4} more` : ""})`;
  return `${cells.length - not.length} of ${cells.length} ${what}${except}`;
}

function sayUntrained(study: LikenessStudy, states: readonly LikenessCell[], beyond: readonly LikenessCell[]): string {
  const known = (cells: readonly LikenessCell[]): readonly LikenessCell[] =>
    cells.filter(({ untrained }) => untrained !== null);
  if (known(states).length === 0) return "No untrained source was compared, so what learning adds is not told.";
  const above = ({ value, untrained }: LikenessCell): boolean => (value ?? 0) > (untrained ?? 0);
  const tail =
    known(beyond).length > 0 ? `, and ${sayShare(study, known(beyond), above)} less the mean state of their token` : "";
  return `The trained source is more like the target than an untrained copy of it by ${sayShare(study, known(states), above)}${tail}.`;
}

/** Median over measures of (value − shuffled) beyond the token over the same of the states, where there is something to keep. */
function medianKept(states: readonly LikenessCell[], beyond: readonly LikenessCell[]): number | null {
  const above = ({ value, shuffled }: LikenessCell): number => (value ?? 0) - (shuffled.mean ?? 0);
  const kept = beyond
    .flatMap((cell) => {
      const same = states.find(
        (each) => each.measure === cell.measure && each.source === cell.source && each.target === cell.target,
      );
      return same && above(same) > 0.01 ? [above(cell) / above(same)] : [];
    })
    .sort((a, b) => a - b);
  return kept[kept.length >> 1] ?? null;
}
