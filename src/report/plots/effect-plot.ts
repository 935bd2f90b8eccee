import * as Plot from "@observablehq/plot";
import type { Comparison } from "../../evaluate/comparison.ts";
import { formatNumber } from "../format-number.ts";
import { renderFigure, series } from "./figure.ts";

/**
 * Renders what z means: the effect of every random direction as a mark on one line, those of the native and the transferred
 * vector above, with their 95 % intervals over items.
 */
export function renderEffectPlot(comparison: Comparison, name: string): string {
  const { effect, z } = comparison;
  const vectors = (["native", "transferred"] as const).flatMap((vector) => {
    const { value, interval } = effect[vector];
    return value === null
      ? []
      : [{ vector, value, low: interval?.low ?? value, high: interval?.high ?? value, z: z[vector] }];
  });
  const row = (vector: "native" | "transferred"): Plot.Markish[] =>
    vectors
      .filter((entry) => entry.vector === vector)
      .flatMap((entry) => [
        Plot.ruleY([entry], { x1: "low", x2: "high", y: "vector", stroke: series[vector].colour, strokeWidth: 2 }),
        Plot.dot([entry], {
          x: "value",
          y: "vector",
          r: 6,
          fill: series[vector].colour,
          symbol: series[vector].symbol,
        }),
        Plot.text([entry], {
          x: "value",
          y: "vector",
          text: () => `z = ${formatNumber(entry.z, 1)}`,
          dy: -16,
          textAnchor: "middle",
        }),
      ]);
  return renderFigure({
    description: `${name}: effect of the native and the transferred vector beside ${effect.random.length} random directions`,
    plot: {
      height: 180,
      marginTop: 14,
      marginLeft: 92,
      x: { label: "effect (nats)", labelAnchor: "center", labelArrow: "none", ticks: 6, nice: true, inset: 14 },
      y: { type: "point", domain: ["native", "transferred", "random"], label: null, padding: 0.6, tickSize: 0 },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.dot(effect.random, {
          x: (value: number) => value,
          y: () => "random",
          symbol: series.random.symbol,
          r: 4.5,
          fill: series.random.colour,
          fillOpacity: 0.5,
        }),
        ...row("native"),
        ...row("transferred"),
      ],
    },
  });
}
