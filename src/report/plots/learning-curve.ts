import * as Plot from "@observablehq/plot";
import type { LearningPoint } from "../../maps/score/map-scores.ts";
import { formatNumber, formatShortCount } from "../format-number.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** A point of the curve, with what else was measured of the same map. */
export interface LearningCurvePoint extends LearningPoint {
  readonly interval?: { readonly low: number; readonly high: number } | undefined;
  /** R² beyond token identity of the same rows. */
  readonly beyond?: number | undefined;
}

export interface LearningCurveOptions {
  /** One line below the legend that says what the curve means, such as "more rows would add less than 0.01". */
  readonly statement?: string | undefined;
}

const styles = {
  r2: { ...series.native, label: "held-out R²" },
  beyond: { ...series.transferred, label: "beyond token identity" },
} as const;

/**
 * Renders held-out R² against the rows that a map was fitted on, rows on a logarithmic axis, with intervals and R² beyond token
 * identity where they are there. A curve that is flat at its right end has had rows enough.
 */
export function renderLearningCurve(
  points: readonly LearningCurvePoint[],
  { statement }: LearningCurveOptions = {},
): string {
  const r2 = points
    .map(({ rows, r2: value, interval }) => ({ at: Math.log10(rows), value, ...interval }))
    .sort(byPlace);
  const beyond = points
    .flatMap(({ rows, beyond: value }) => (value === undefined ? [] : [{ at: Math.log10(rows), value }]))
    .sort(byPlace);
  const places = r2.map(({ at }) => at);
  const [first = 0, end = 1] = [places[0], places.at(-1)];
  const pad = Math.max(0.06 * (end - first), 0.02) + (first === end ? 0.5 : 0); // a lone count stands in a decade
  const domain: [number, number] = [first - pad, end + pad];
  const all = [
    ...r2.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
    ...beyond.map((p) => p.value),
  ];
  const last = r2.at(-1);
  return renderFigure({
    description: `Held-out R² against rows fitted on${last ? `: ${formatNumber(last.value, 3)} at ${Math.round(10 ** last.at)} rows` : ""}${statement ? `; ${statement}` : ""}`,
    plot: {
      marginTop: statement ? 54 : 34,
      height: statement ? 290 : 270,
      marginRight: 24,
      x: {
        // Places are logarithms already: a logarithmic scale would name only the counts that it finds round.
        domain,
        label: "rows fitted on",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: spread(places, domain),
        tickFormat: (at: number) => formatShortCount(Math.round(10 ** at)),
      },
      y: { domain: [Math.min(0, ...all), Math.max(0.1, ...all) * 1.08], label: null, grid: true, ticks: 6 },
      marks: [
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleX(
          r2.filter(({ low }) => low !== undefined),
          { x: "at", y1: "low", y2: "high", stroke: styles.r2.colour, strokeOpacity: 0.6 },
        ),
        ...line(styles.r2, r2),
        ...line(styles.beyond, beyond),
        ...(statement ? [Plot.text([statement], { frameAnchor: "top-left", textAnchor: "start", dy: -26 })] : []),
        ...legend([styles.r2, ...(beyond.length > 0 ? [styles.beyond] : [])], statement ? -20 : 0),
      ],
    },
  });
}

function line(style: SeriesStyle, points: readonly { readonly at: number; readonly value: number }[]): Plot.Markish[] {
  return [
    Plot.lineY(points, {
      x: "at",
      y: "value",
      stroke: style.colour,
      strokeWidth: 2,
      ...(style.dash === "none" ? {} : { strokeDasharray: style.dash }),
    }),
    Plot.dot(points, { x: "at", y: "value", fill: style.colour, symbol: style.symbol, r: 3.5 }),
  ];
}

/** The counts that were measured, less those whose labels would run into the one before: an eighth of the axis is the widest label. */
function spread(places: readonly number[], [low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (const at of places) if (at - (ticks.at(-1) ?? Number.NEGATIVE_INFINITY) > (high - low) / 8) ticks.push(at);
  return ticks;
}

function byPlace(a: { readonly at: number }, b: { readonly at: number }): number {
  return a.at - b.at;
}
