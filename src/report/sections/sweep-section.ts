import { formatLayerPair } from "../../maps/layer-pairs.ts";
import { type SweepResult, sweepCriteria } from "../../maps/score/sweep-result.ts";
import { formatCount, formatInterval, formatNumber } from "../format-number.ts";
import { renderLayerHeatMap } from "../plots/layer-heat-map.ts";
import type { ReportFigure, ReportSection } from "../report.ts";
import { sweepLabels, toSweepMatrix } from "../sweep-matrix.ts";

/** Every layer of one model with every layer of the other: a heat map for each criterion, and the table of all cells. */
export function toSweepSection(sweep: SweepResult, id: string): ReportSection {
  const { source, target, picked, gain, rows, seed, heldOutGroups } = sweep;
  const basis = `${formatCount(rows.heldOut)} held-out rows in ${heldOutGroups} groups of windows; ${formatCount(rows.training)} rows fitted; seed ${seed}; 95 % bootstrap intervals over groups, for the pairs that are named`;
  const figures = sweepCriteria.map(
    (criterion): ReportFigure => ({
      id: `${id}-${criterion}`,
      title: `${sweepLabels[criterion].charAt(0).toUpperCase()}${sweepLabels[criterion].slice(1)}`,
      says:
        criterion === "r2" || criterion === "beyond"
          ? "Read down a column: which layer of the small model predicts this layer of the large one best. The outlined cell is the best of all."
          : "How alike two layers are; it does not say that a map carries anything.",
      svg: renderLayerHeatMap(toSweepMatrix(sweep, criterion)),
      basis,
      table: {
        columns: [
          { title: "source layer" },
          { title: "target layer" },
          { title: sweepLabels[criterion] },
          { title: "low" },
          { title: "high" },
          { title: "shuffled pairs" },
        ],
        rows: sweep.cells.map((cell) => {
          const interval = criterion === "r2" ? cell.r2Interval : undefined;
          const shuffled = criterion === "beyond" ? null : cell.shuffled[criterion];
          return [cell.source, cell.target, cell[criterion], interval?.low ?? null, interval?.high ?? null, shuffled];
        }),
      },
    }),
  );
  const best = sweep.best.r2 ? `The best pair by R² is ${formatLayerPair(sweep.best.r2)}` : "No pair has a score";
  const equal = gain
    ? `, ${formatNumber(gain.r2, 3)} above the best at equal depth (95 % interval ${formatInterval(gain.interval, 3)})`
    : "";
  return {
    id,
    title: "Which layers belong together",
    lead: `Every layer of ${source.name} with every layer of ${target.name}. ${best}${equal}; to fit, ${picked ? `${formatLayerPair(picked)} was picked on rows that these scores do not show` : "none was picked"}.`,
    figures,
    notes: ["The best of many pairs looks better than it is, the more so the fewer rows were held out."],
  };
}
