import * as Plot from "@observablehq/plot";
import type { SaeActivation } from "../../features/sae.ts";
import type { SaeScores, ScoredValue } from "../../features/score/sae-scores.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";
import { renderPanels } from "./panels.ts";

/** An autoencoder and how it scored. */
export interface ScoredSae {
  readonly activation: SaeActivation;
  readonly features: number;
  readonly scores: SaeScores;
}

interface Point {
  readonly style: SeriesStyle;
  /** A line joins autoencoders of one kind, and their nulls. */
  readonly activation: SaeActivation;
  readonly l0: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const untrained: SeriesStyle = { ...series.random, label: "untrained" };
const shuffled: SeriesStyle = { ...series.shuffled, label: "shuffled" };

/**
 * Renders what autoencoders explain and how much of the model's loss they recover against their active features a row, beside untrained ones
 * with as many and the same with shuffled features; 0 is the mean row. The second panel is left out where no loss was measured.
 *
 * The axis begins at −0.2: how far below the mean row a null falls says nothing.
 */
export function renderSaeScorePlot(scored: readonly ScoredSae[]): string {
  const drawn = ["explained", "recoveredFromMean"] as const;
  const titles = { explained: "explained variance", recoveredFromMean: "loss recovered, from the mean row" };
  const panels = drawn.flatMap((measure) => {
    const points = toPoints(scored, ({ [measure]: value }) => value);
    return points.length === 0 ? [] : [renderPanel(points, titles[measure])];
  });
  return renderPanels(panels, {
    columns: 2,
    description:
      "Explained variance and loss recovered against active features a row, beside untrained and shuffled autoencoders",
  });
}

function toPoints(
  scored: readonly ScoredSae[],
  pick: (arm: SaeScores["arms"][number]) => ScoredValue | undefined,
): Point[] {
  const styles = new Map<string, SeriesStyle>();
  const kinds = [series.native, series.transferred, { ...series.native, symbol: "star" as const, dash: "2 2" }];
  return scored.flatMap(({ activation, scores }) => {
    const kind = kinds[Math.min(styles.has(activation) ? [...styles.keys()].indexOf(activation) : styles.size, 2)];
    if (!styles.has(activation)) styles.set(activation, { ...(kind as SeriesStyle), label: activation });
    return scores.arms.flatMap((arm) => {
      const value = pick(arm);
      const style = { autoencoder: styles.get(activation), untrained, "shuffled features": shuffled }[
        arm.name as string
      ];
      // Its own number of features in use: the untrained one has them rounded.
      if (!value || !style || !arm.use) return [];
      const { low = value.value, high = value.value } = value.interval ?? {};
      return [{ style, activation, l0: arm.use.l0, value: value.value, low, high }];
    });
  });
}

const least = -0.2;

function renderPanel(points: readonly Point[], title: string): string {
  const isNull = (style: SeriesStyle): boolean => style === untrained || style === shuffled;
  const all = [...new Set(points.map(({ style }) => style))];
  const styles = [...all.filter((style) => !isNull(style)), ...all.filter(isNull)];
  const floor = (value: number): number => Math.max(least, value);
  const shown = points.map(({ style, activation, l0, value, low, high }) => ({
    ...{ style, activation, l0 },
    ...{ value: floor(value), low: floor(low), high: floor(high) },
  }));
  const ticks = [...new Set(points.map(({ l0 }) => Math.round(l0)))].sort((a, b) => a - b);
  const domain = [0.85 * Math.min(...ticks), 1.18 * Math.max(...ticks)];
  return renderFigure({
    description: `${title} against active features a row`,
    plot: {
      height: 320,
      marginTop: 62,
      x: {
        type: "log",
        domain,
        ticks: spread(ticks),
        tickFormat: (value: number) => String(value),
        label: "active features a row",
        labelAnchor: "center",
        labelArrow: "none",
      },
      y: { domain: [least, 1], label: null, grid: true, ticks: 6 },
      marks: [
        Plot.text([title], { frameAnchor: "top-left", textAnchor: "start", fontWeight: "bold", dy: -54 }),
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        ...styles.flatMap((style) => {
          const own = shown.filter((point) => point.style === style).sort((a, b) => a.l0 - b.l0);
          return [
            Plot.line(own, {
              x: "l0",
              y: "value",
              z: "activation",
              stroke: style.colour,
              strokeWidth: 1.6,
              ...(style.dash === "none" ? {} : { strokeDasharray: style.dash }),
            }),
            Plot.ruleX(own, { x: "l0", y1: "low", y2: "high", stroke: style.colour }),
            Plot.dot(own, { x: "l0", y: "value", r: 4, fill: style.colour, symbol: style.symbol }),
          ];
        }),
        ...legend(styles, 0),
      ],
    },
  });
}

/** Counts whose labels do not run into the one before, on a logarithmic axis. */
function spread(counts: readonly number[]): number[] {
  const kept: number[] = [];
  for (const count of counts) if (kept.length === 0 || count > 1.2 * (kept.at(-1) as number)) kept.push(count);
  return kept;
}
