import type { RefusalResult, RefusalRow, RefusalSide } from "../../evaluate/refusal/refusal-result.ts";
import { promptClasses } from "../../evaluate/refusal/split-instructions.ts";
import { shownLayer } from "../../evaluate/refusal/strongest-rows.ts";
import { lowHigh } from "../data-table.ts";
import { formatNumber } from "../format-number.ts";
import { renderRefusalPlot } from "../plots/refusal-plot.ts";
import type { ReportFigure, ReportSection } from "../report.ts";

/** The refusal experiment: for each steered model the judges' shares against strength, on harmful and on harmless prompts. No response is shown. */
export function toRefusalSections(result: RefusalResult, id: string): ReportSection[] {
  return result.sides.map((side) => sideSection(result, side, `${id}-${side.role}`));
}

function sideSection(result: RefusalResult, side: RefusalSide, id: string): ReportSection {
  const { prompts, samples, run, judges, sampling } = result;
  const layer = shownLayer(side);
  const found = side.layers.find((entry) => entry.layer === layer);
  const basis = `${prompts.test} prompts of each kind, ${samples} response${samples === 1 ? "" : "s"} each of at most ${sampling.maxTokens} tokens; seed ${run.seed}; bars: standard error over prompts`;
  const figures = promptClasses.flatMap((kind) =>
    judges.map(
      (judge, at): ReportFigure => ({
        id: `${id}-${kind}-${at + 1}`,
        title: `${judge.question === "refusal" ? "Refusals" : "Harmless answers"} to ${kind} prompts, judged by ${judge.name}`,
        says:
          kind === "harmful"
            ? "Above 0 the direction leads towards compliance. Hollow marks: more than a tenth of the answers is broken, so there is little to judge."
            : "Below 0 refusal is induced where there is nothing to refuse. Hollow marks: many answers are broken.",
        svg: renderRefusalPlot(result, side, { judge: at, prompts: kind, layer }),
        basis: `layer ${layer}; ${basis}`,
        table: {
          columns: [
            "vector",
            "layer",
            "strength",
            "share",
            "standard error",
            "low",
            "high",
            "broken",
            "change of refusal",
            "change, low",
            "change, high",
            "KL, nats a token",
          ].map((title) => ({ title })),
          rows: side.rows.map((row) => toRow(row, kind, at)),
        },
      }),
    ),
  );
  if (result.agreement.length > 0)
    figures.push({
      id: `${id}-agreement`,
      title: "Do the judges agree?",
      says: "Cohen's κ over all responses of the run: 1 is full agreement, 0 what chance gives.",
      basis,
      table: {
        columns: ["judge", "judge, other", "κ", "low", "high"].map((title) => ({ title })),
        rows: result.agreement.map(({ judges: [a, b], kappa, interval }) => [a, b, kappa, ...lowHigh(interval)]),
      },
    });
  return {
    id,
    title: `Refusal of ${side.model}`,
    lead: `The direction between harmless and harmful instructions, found on ${prompts.train} of each kind, in ${side.model} itself${side.carriedFrom === null ? "" : ` and carried from ${side.carriedFrom}`}${found && found.cosine !== null ? ` (cosine ${formatNumber(found.cosine)} at layer ${layer})` : ""}.`,
    figures,
    notes: [
      "Suppressing refusal is a research measurement; responses are not part of this page.",
      `Layer ${layer} is shown because refusal changes most there: an upper end, not an expectation.`,
    ],
  };
}

function toRow(row: RefusalRow, kind: "harmful" | "harmless", judge: number): (string | number | null)[] {
  const shares = row[kind].judges[judge]?.yes;
  return [
    row.kind === "none" ? "unsteered" : row.name,
    row.layer,
    row.strength,
    shares?.value ?? null,
    shares?.standardError ?? null,
    ...lowHigh(shares?.interval),
    row[kind].broken.value,
    row.change[kind].value,
    ...lowHigh(row.change[kind].interval),
    row.damage.klNats,
  ];
}
