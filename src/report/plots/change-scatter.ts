import * as Plot from "@observablehq/plot";
import type { Comparison } from "../../evaluate/comparison.ts";
import { formatNumber } from "../format-number.ts";
import { renderFigure, series } from "./figure.ts";

/**
 * Renders one dot an item: its change of propensity at +α* under the transferred vector against that under the native one, with the
 * diagonal on which both would lie if the transfer were perfect, and Δr.
 */
export function renderChangeScatter(comparison: Comparison, name: string): string {
  const { native, transferred } = comparison.itemChanges;
  const points = native.map((change, i) => ({ native: change, transferred: transferred[i]! }));
  const all = [...native, ...transferred, 0];
  const pad = 0.04 * (Math.max(...all) - Math.min(...all) || 1);
  const domain = [Math.min(...all) - pad, Math.max(...all) + pad];
  return renderFigure({
    description: `${name}: change of propensity of each item, transferred against native`,
    plot: {
      x: { domain, label: "native: change of the item (nats)", labelAnchor: "center", labelArrow: "none", ticks: 6 },
      y: { domain, label: null, grid: true, ticks: 6 },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.line(
          domain.map((value) => [value, value]),
          { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "3 4" },
        ),
        Plot.dot(points, {
          x: "native",
          y: "transferred",
          r: 3.5,
          fill: series.transferred.colour,
          fillOpacity: 0.55,
          stroke: series.transferred.colour,
          strokeWidth: 0.8,
        }),
        Plot.text(
          [`Δr = ${formatNumber(comparison.deltaCorrelation.value)}, ${points.length} items; dashes: equal changes`],
          { frameAnchor: "top-left", textAnchor: "start", dx: 0, dy: -26 },
        ),
      ],
    },
  });
}
