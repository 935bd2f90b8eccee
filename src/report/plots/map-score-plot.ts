import * as Plot from "@observablehq/plot";
import { formatNumber } from "../format-number.ts";
import { renderFigure, series } from "./figure.ts";

/** One bar: a prediction of the target's hidden states and its held-out R². */
export interface ScoreBar {
  readonly label: string;
  readonly r2: number;
  readonly kind: "map" | "null";
  readonly interval?: { readonly low: number; readonly high: number };
}

/**
 * Renders R² of the map beside its nulls: what predictions that know nothing, or only the current token, reach on the same rows. `label` names
 * another score of at most 1.
 */
export function renderMapScorePlot(bars: readonly ScoreBar[], label = "held-out R²"): string {
  const low = Math.min(0, ...bars.map(({ r2 }) => r2));
  // A bar too short to see keeps its number on the right, where it cannot run into the label.
  const isLeft = ({ r2 }: ScoreBar): boolean => r2 < -0.05;
  return renderFigure({
    description: `${label.charAt(0).toUpperCase()}${label.slice(1)} of the map and of its nulls: ${bars.map(({ label, r2 }) => `${label} ${formatNumber(r2)}`).join(", ")}`,
    plot: {
      height: 60 + 34 * bars.length,
      marginTop: 8,
      marginLeft: 150,
      marginRight: 46,
      x: {
        domain: [low < -0.05 ? Math.min(low * 1.25, low - 0.1) : Math.min(low, 0), 1],
        label,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 6,
        grid: true,
      },
      y: { domain: bars.map(({ label }) => label), label: null, padding: 0.35, tickSize: 0 },
      marks: [
        Plot.barX(bars, {
          x: "r2",
          y: "label",
          fill: (bar: ScoreBar) => (bar.kind === "map" ? series.map.colour : series.random.colour),
          fillOpacity: (bar: ScoreBar) => (bar.kind === "map" ? 1 : 0.6),
        }),
        Plot.ruleY(
          bars.filter(({ interval }) => interval !== undefined),
          {
            x1: (bar: ScoreBar) => bar.interval!.low,
            x2: (bar: ScoreBar) => bar.interval!.high,
            y: "label",
            stroke: "currentColor",
            strokeWidth: 1.5,
          },
        ),
        Plot.ruleX([0], { stroke: "currentColor" }),
        Plot.text(bars, {
          x: (bar: ScoreBar) => Math.max(0, bar.r2, bar.interval?.high ?? bar.r2),
          y: "label",
          text: (bar: ScoreBar) => formatNumber(bar.r2),
          textAnchor: "start",
          dx: 6,
          filter: (bar: ScoreBar) => !isLeft(bar),
        }),
        Plot.text(bars, {
          x: "r2",
          y: "label",
          text: (bar: ScoreBar) => formatNumber(bar.r2),
          textAnchor: "end",
          dx: -6,
          filter: isLeft,
        }),
      ],
    },
  });
}
