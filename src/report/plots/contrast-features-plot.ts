import * as Plot from "@observablehq/plot";
import type { FeatureContrast } from "../../evaluate/features/contrast-features.ts";
import { legend, renderFigure, series } from "./figure.ts";

/** Name of the row of features that were chosen with sides exchanged. */
const byChance = "by chance";

/**
 * Renders which features tell a contrast apart: for each its area under the curve on held-out pairs with its interval, and on the pairs that it
 * was chosen on; below them what the best feature reaches when the sides of every pair are exchanged at random.
 *
 * Features beyond the twentieth are left out, so that names stay readable.
 */
export function renderContrastFeatures({ features, shuffled }: FeatureContrast, description: string): string {
  const shown = features.slice(0, 20).map(({ feature, side, chosen, heldOut }) => ({
    name: `${side === "positive" ? "+" : "−"} ${feature}`,
    chosen: chosen.auroc,
    heldOut: heldOut.auroc,
    low: heldOut.interval?.low ?? heldOut.auroc,
    high: heldOut.interval?.high ?? heldOut.auroc,
  }));
  const nulls = shuffled.aurocs.map((auroc) => ({ name: byChance, auroc }));
  const least = Math.min(0.4, ...nulls.map(({ auroc }) => auroc), ...shown.map(({ low }) => low));
  const { native, random } = series;
  return renderFigure({
    description,
    plot: {
      height: 96 + 24 * (shown.length + 1),
      marginTop: 36,
      marginLeft: 78,
      x: {
        label: "AUROC",
        labelAnchor: "center",
        labelArrow: "none",
        domain: [Math.floor(least * 10) / 10, 1],
        ticks: 5,
        inset: 8,
      },
      y: {
        type: "point",
        domain: [...shown.map(({ name }) => name), byChance],
        label: null,
        padding: 0.6,
        tickSize: 0,
      },
      marks: [
        ...legend([
          { ...native, label: "held out" },
          { ...series.transferred, label: "chosen on" },
          { ...random, label: "sides exchanged" },
        ]),
        Plot.ruleX([0.5], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "2 3" }),
        Plot.ruleX([shuffled.p95], { stroke: random.colour, strokeDasharray: random.dash }),
        Plot.dot(nulls, {
          x: "auroc",
          y: "name",
          r: 3,
          symbol: random.symbol,
          fill: random.colour,
          fillOpacity: 0.3,
        }),
        Plot.ruleY(shown, { x1: "low", x2: "high", y: "name", stroke: native.colour, strokeWidth: 2 }),
        Plot.dot(shown, {
          x: "chosen",
          y: "name",
          r: 4.5,
          symbol: series.transferred.symbol,
          fill: series.transferred.colour,
          clip: false,
        }),
        Plot.dot(shown, { x: "heldOut", y: "name", r: 5, symbol: native.symbol, fill: native.colour, clip: false }),
      ],
    },
  });
}
