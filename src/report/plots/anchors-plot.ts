import * as Plot from "@observablehq/plot";
import type { AnchorWay } from "../../compare/fit-from-anchors.ts";
import { formatNumber } from "../format-number.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** What is drawn of one way at one number of anchors. */
export interface AnchorsRow {
  readonly anchors: number;
  readonly way: AnchorWay | "shuffled";
  /** One a draw of the anchors. */
  readonly values: readonly number[];
}

const styles: Readonly<Record<AnchorWay | "shuffled", SeriesStyle>> = {
  affine: { ...series.native, label: "ridge on anchors" },
  functional: { ...series.transferred, label: "functional map" },
  // A third colour that pages know, light and dark.
  corrected: { label: "both", colour: "var(--good, #006b4f)", symbol: "diamond", dash: "none" },
  shuffled: { ...series.random, label: "shuffled" },
};

/** Renders a score against the number of anchors (logarithmic), a line a way through the means over draws, the draws as dots; `ceiling` is the ridge on all rows. */
export function renderAnchorsPlot(
  rows: readonly AnchorsRow[],
  { label, ceiling }: { readonly label: string; readonly ceiling: number | null },
): string {
  const points = rows.flatMap(({ anchors, way, values }) =>
    values.map((value) => ({ at: Math.log10(anchors), way, value })),
  );
  const means = rows.map(({ anchors, way, values }) => ({
    at: Math.log10(anchors),
    way,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
  }));
  const counts = [...new Set(rows.map(({ anchors }) => anchors))].sort((a, b) => a - b);
  const values = [...points.map(({ value }) => value), ...(ceiling === null ? [] : [ceiling])];
  const ways = (Object.keys(styles) as (keyof typeof styles)[]).filter((way) => rows.some((row) => row.way === way));
  const places = counts.map((count) => Math.log10(count));
  const [low = 0, high = 1] = [places[0], places.at(-1)];
  const pad = Math.max(0.05 * (high - low), 0.05);
  return renderFigure({
    description: `${label} against the number of anchors: ${ways
      .map(
        (way) =>
          `${styles[way].label} ${means
            .filter((row) => row.way === way)
            .map(({ value }) => formatNumber(value))
            .join(", ")}`,
      )
      .join("; ")}`,
    plot: {
      width: 520,
      height: 330,
      marginTop: 54,
      x: {
        domain: [low - pad, high + pad],
        label: "paired rows (anchors)",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: places,
        tickFormat: (at: number) => String(Math.round(10 ** at)),
      },
      y: { domain: [Math.min(0, ...values), Math.max(0.1, ...values) * 1.05], label: null, grid: true, ticks: 6 },
      marks: [
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        ...(ceiling === null
          ? []
          : [
              Plot.ruleY([ceiling], { stroke: "currentColor", strokeDasharray: "2 3" }),
              Plot.text([`ridge on all rows ${formatNumber(ceiling)}`], {
                frameAnchor: "left",
                textAnchor: "start",
                y: () => ceiling,
                dy: 9,
                dx: 4,
              }),
            ]),
        ...ways.flatMap((way) => {
          const style = styles[way];
          return [
            Plot.lineY(
              means.filter((row) => row.way === way),
              {
                x: "at",
                y: "value",
                stroke: style.colour,
                strokeWidth: 2,
                ...(style.dash === "none" ? {} : { strokeDasharray: style.dash }),
              },
            ),
            Plot.dot(
              points.filter((row) => row.way === way),
              { x: "at", y: "value", fill: style.colour, symbol: style.symbol, r: 3, fillOpacity: 0.8 },
            ),
          ];
        }),
        Plot.text([label], { frameAnchor: "top-left", textAnchor: "start", dy: -26 }),
        ...legend(
          ways.map((way) => styles[way]),
          -20,
        ),
      ],
    },
  });
}
