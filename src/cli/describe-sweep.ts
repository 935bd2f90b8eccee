import {
  formatInterval,
  formatLayerPair,
  formatNumber,
  type LayerPair,
  renderTable,
  type SweepCell,
  type SweepCriterion,
  type SweepResult,
  sweepCriteria,
  sweepLabels,
} from "../index.ts";
import { describePaired } from "./describe-alignment.ts";

/** Shows what a sweep found: the best pair by each criterion, at any depth and at equal depth, and the pair to fit, as a list. */
export function describeSweep(sweep: SweepResult): readonly (readonly [name: string, value: string])[] {
  const { best, equalDepth, picked, cells, rows, heldOutGroups, gain, alignment } = sweep;
  const lines: (readonly [string, string])[] = [
    [
      "pairs",
      `${cells.length}; the best of so many looks better than it is: the numbers it was picked by are among those shown`,
    ],
    ["rows", `${rows.training} fit, ${rows.validation} choose, ${rows.heldOut} held out in ${heldOutGroups} groups`],
    ...describePaired(alignment),
    [
      "best",
      renderTable(
        columns,
        sweepCriteria.map((criterion) => toRow(sweep, criterion)),
      ),
    ],
  ];
  const top = cellOf(sweep, best.r2);
  if (top?.r2Interval) lines.push(["R² of the best", describeR2(top)]);
  if (gain)
    lines.push([
      "at equal depth",
      `${formatLayerPair(equalDepth.best.r2!)} scores ${formatNumber(gain.r2, 3)} less (${formatInterval(gain.interval, 3)}, 95 %)`,
    ]);
  const chosen = cellOf(sweep, picked);
  if (chosen)
    lines.push([
      "to fit",
      `${formatLayerPair(chosen)}: R² ${describeR2(chosen)}, beyond token identity ${formatNumber(chosen.beyond, 3)};\n` +
        "picked by what is beyond token identity on the rows that choose, before the last layer of either model",
    ]);
  return lines;
}

const columns = [
  { title: "by" },
  { title: "A:B" },
  ...["score", "shuffled"].map((title) => ({ title, align: "right" as const })),
  { title: "A:B at equal depth" },
  { title: "score", align: "right" as const },
];

function toRow(sweep: SweepResult, criterion: SweepCriterion): string[] {
  const [best, equal] = [sweep.best[criterion], sweep.equalDepth.best[criterion]].map((pair) => cellOf(sweep, pair));
  const shuffled = criterion === "beyond" ? undefined : best?.shuffled[criterion];
  return [
    sweepLabels[criterion],
    best ? formatLayerPair(best) : "–",
    formatNumber(best?.[criterion], 3),
    criterion === "beyond" ? "" : formatNumber(shuffled, 3),
    equal ? formatLayerPair(equal) : "–",
    formatNumber(equal?.[criterion], 3),
  ];
}

function describeR2({ r2, r2Interval }: SweepCell): string {
  return `${formatNumber(r2, 3)} (${formatInterval(r2Interval, 3)}, 95 %)`;
}

function cellOf({ cells }: SweepResult, pair: LayerPair | null): SweepCell | undefined {
  return cells.find(({ source, target }) => source === pair?.source && target === pair.target);
}
