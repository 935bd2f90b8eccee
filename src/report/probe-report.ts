import type { RunRecord } from "../evaluate/run-record.ts";
import { mean } from "../evaluate/statistics.ts";
import type { ProbeKind } from "../features/probes/probe.ts";
import type { ProbeCell, ProbeStudyResult, ProbeWay } from "../study/probes/probe-study-result.ts";
import { type DataTable, lowHigh } from "./data-table.ts";
import { formatNumber } from "./format-number.ts";
import { renderProbePlot } from "./plots/probe-plot.ts";
import type { Report, ReportFigure, ReportSection } from "./report.ts";

const kindNames: Readonly<Record<ProbeKind, string>> = {
  logistic: "logistic probes",
  "mean-difference": "differences of means",
};

/** The AUROC that carried probes have to beat: the highest of any null draw of the cell. */
export function bestNull({ nulls, arms }: ProbeCell): number {
  return Math.max(...nulls.random.auroc, ...nulls.shuffledLabels.auroc, arms.shuffledMap.auroc);
}

/** Whether the carried probe's whole interval lies above every null draw. */
export function standsOut(cell: ProbeCell): boolean {
  const { aurocInterval } = cell.arms.backward;
  return aurocInterval !== null && aurocInterval.low > bestNull(cell);
}

/** Shows a study of carried probes. */
export function toProbeReport(result: ProbeStudyResult, run: RunRecord): Report {
  const kinds = [...new Set(result.cells.map(({ kind }) => kind))];
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(result),
    warnings: run.warnings,
    sections: [...kinds.map((kind) => toSection(result, kind)), mapSection(result)],
  };
}

function toAnswer({ cells, draws }: ProbeStudyResult): Report["answer"] {
  const clear = cells.filter(standsOut);
  const concepts = [...new Set(cells.map(({ concept }) => concept))];
  const always = concepts.filter((name) => cells.every((cell) => cell.concept !== name || standsOut(cell)));
  const never = concepts.filter((name) => cells.every((cell) => cell.concept !== name || !standsOut(cell)));
  const average = (pick: (cell: ProbeCell) => number): string => formatNumber(mean(cells.map(pick)));
  const which = [
    always.length > 0 ? `always for ${always.join(", ")}` : undefined,
    never.length > 0 ? `never for ${never.join(", ")}` : undefined,
  ].filter((part) => part !== undefined);
  const words = cells.filter(({ arms }) => arms.tokens.auroc >= arms.native.auroc).length;
  return [
    `Carried to the other model, a probe tells texts that it has not seen better than every one of ${2 * draws + 1} null draws in ${clear.length} of ${cells.length} cases (whole 95 % interval above them)${which.length > 0 ? `: ${which.join(", ")}` : ""}.`,
    `Mean AUROC is ${average(({ arms }) => arms.backward.auroc)} carried against ${average(({ arms }) => arms.native.auroc)} trained on the model itself; accuracy with the threshold that was carried ${average(({ arms }) => arms.backward.accuracy)}, moved by a few labelled pairs ${average(({ arms }) => arms.recalibrated.accuracy)}, native ${average(({ arms }) => arms.native.accuracy)}.`,
    words === 0
      ? "The words alone tell the texts worse than the native probe everywhere."
      : `The words alone tell the texts at least as well as the native probe in ${words} of ${cells.length} cases: there no probe shows that a model understands more than which tokens occur.`,
  ];
}

function toSection(result: ProbeStudyResult, kind: ProbeKind): ReportSection {
  const cells = result.cells.filter((cell) => cell.kind === kind);
  const of = (way: ProbeWay): ProbeCell[] => cells.filter((cell) => cell.way === way);
  const [small, large] = [result.source.name, result.target.name];
  const basis = `${cells[0]?.texts.heldOut ?? 0} texts held out of each concept, ${cells[0]?.texts.trained ?? 0} trained on, pairs whole; 95 % intervals by bootstrap over pairs; ${result.draws} random directions, ${result.draws} shufflings of labels, one map of wrongly paired rows; read at ${result.readAt}; seed ${result.seed}`;
  const figure = (way: ProbeWay, from: string, to: string): ReportFigure => ({
    id: `${kind}-${way}`,
    title: `${from} → ${to}`,
    says: `Blue: trained on ${to}. Orange: trained on ${from} and carried, without a label of ${to}. Grey: what is found where there is nothing to find. 0.5 tells nothing.`,
    svg: renderProbePlot(
      of(way),
      `AUROC of ${kindNames[kind]} carried from ${from} to ${to}, by concept, beside native ones and nulls`,
    ),
    table: toTable(of(way)),
    basis,
  });
  return {
    id: kind,
    title: kind === "logistic" ? "Logistic probes" : "Differences of means",
    lead:
      kind === "logistic"
        ? "The weights answer to how dimensions vary, so they are carried backward, Bᵀ w: the probe scores the state that the map predicts for the model it was trained on."
        : "A difference of states can also be carried forward, A w, with the point between the classes; the table has both.",
    figures: [figure("source-to-target", small, large), figure("target-to-source", large, small)],
    notes: [
      "Carried probes keep the threshold of the model they come from. Where AUROC is high and accuracy is not, the direction arrived and the threshold did not: a few labelled texts mend it.",
    ],
  };
}

function toTable(cells: readonly ProbeCell[]): DataTable {
  const columns = [
    "concept",
    "native",
    "carried",
    "low",
    "high",
    "carried − native, low",
    "high ",
    "forward",
    "words alone",
    "highest null",
    "on its own model",
    "correlation",
    "accuracy native",
    "accuracy carried",
    "recalibrated",
    "accuracy forward",
    "accuracy words",
  ];
  return {
    columns: columns.map((title) => ({ title })),
    rows: cells.map((cell) => {
      const { arms, correlation, concept } = cell;
      return [
        concept,
        arms.native.auroc,
        arms.backward.auroc,
        ...lowHigh(arms.backward.aurocInterval),
        ...lowHigh(arms.backward.gapInterval),
        arms.forward?.auroc ?? null,
        arms.tokens.auroc,
        bestNull(cell),
        arms.origin.auroc,
        Number.isFinite(correlation.backward) ? correlation.backward : null,
        arms.native.accuracy,
        arms.backward.accuracy,
        arms.recalibrated.accuracy,
        arms.forward?.accuracy ?? null,
        arms.tokens.accuracy,
      ];
    }),
  };
}

function mapSection({ maps, readAt }: ProbeStudyResult): ReportSection {
  return {
    id: "maps",
    title: "The maps",
    lead: `Fitted on running text, not on the pairs; the probes read at ${readAt}. Nothing that a map does not predict can be read through it.`,
    figures: [
      {
        id: "probe-maps",
        title: "Maps both ways",
        says: "Share of the variance of held-out hidden states that each map predicts, beside the same fit on wrongly paired rows.",
        table: {
          columns: ["from", "to", "layers", "R²", "R² shuffled", "rows"].map((title) => ({ title })),
          rows: maps.map(({ from, to, layers, r2, r2Shuffled, rows }) => [from, to, layers, r2, r2Shuffled, rows]),
        },
        basis: `R² on documents held out`,
      },
    ],
    notes: [],
  };
}
