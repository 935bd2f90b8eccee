import * as Plot from "@observablehq/plot";
import { formatNumber } from "../format-number.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** One measure's numbers, as the plot needs them. */
export interface LikenessRow {
  readonly label: string;
  readonly value: number | null;
  readonly shuffled: { readonly mean: number | null; readonly sd: number | null };
  readonly untrained: number | null;
  readonly interval: { readonly low: number; readonly high: number } | null;
}

const styles = {
  value: { ...series.native, label: "trained" },
  untrained: { ...series.transferred, label: "untrained source" },
  shuffled: { ...series.random, label: "shuffled" },
} satisfies Record<string, SeriesStyle>;

const rowHeight = 19;
/** Room for the longest name of a measure, at a mean letter of 13 px system fonts. */
const letterWidth = 6.6;

/** Renders measures of likeness as rows of dots from 0 to 1: the models as they are, an untrained source, and rows paired at random. */
export function renderLikenessPlot(rows: readonly LikenessRow[], title: string): string {
  const known = rows.filter(({ value }) => value !== null);
  const longest = Math.max(10, ...known.map(({ label }) => label.length));
  const all = known.flatMap(({ value, untrained, shuffled, interval }) => [
    value ?? 0,
    untrained ?? 0,
    (shuffled.mean ?? 0) - 2 * (shuffled.sd ?? 0),
    interval?.low ?? 0,
  ]);
  const least = Math.min(0, ...all);
  const place = { y: "label" } as const;
  const bare = known.filter(({ untrained }) => untrained !== null);
  return renderFigure({
    description: `${title}: ${known.map(({ label, value, shuffled }) => `${label} ${formatNumber(value)} (shuffled ${formatNumber(shuffled.mean)})`).join(", ")}`,
    plot: {
      width: 560,
      height: 34 + 44 + rowHeight * Math.max(1, known.length),
      marginLeft: Math.round(longest * letterWidth) + 14,
      marginRight: 20,
      x: { domain: [least < 0 ? Math.min(-0.05, least) : 0, 1], grid: true, label: null, ticks: 6 },
      y: { type: "band", domain: known.map(({ label }) => label), label: null, tickSize: 0 },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleY(
          known.filter(({ shuffled }) => shuffled.mean !== null),
          {
            ...place,
            x1: ({ shuffled }: LikenessRow) => (shuffled.mean ?? 0) - 2 * (shuffled.sd ?? 0),
            x2: ({ shuffled }: LikenessRow) => (shuffled.mean ?? 0) + 2 * (shuffled.sd ?? 0),
            stroke: styles.shuffled.colour,
            strokeWidth: 3,
            strokeOpacity: 0.7,
          },
        ),
        dots(styles.shuffled, known, ({ shuffled }) => shuffled.mean),
        ...(bare.length > 0 ? [dots(styles.untrained, bare, ({ untrained }) => untrained)] : []),
        Plot.ruleY(
          known.filter(({ interval }) => interval !== null),
          {
            ...place,
            x1: ({ interval }: LikenessRow) => interval?.low ?? 0,
            x2: ({ interval }: LikenessRow) => interval?.high ?? 0,
            stroke: styles.value.colour,
            strokeWidth: 1.5,
          },
        ),
        dots(styles.value, known, ({ value }) => value),
        ...legend([styles.value, ...(bare.length > 0 ? [styles.untrained] : []), styles.shuffled]),
      ],
    },
  });
}

function dots(style: SeriesStyle, rows: readonly LikenessRow[], at: (row: LikenessRow) => number | null): Plot.Markish {
  return Plot.dot(
    rows.filter((row) => at(row) !== null),
    { y: "label", x: at, fill: style.colour, symbol: style.symbol, r: 4 },
  );
}
