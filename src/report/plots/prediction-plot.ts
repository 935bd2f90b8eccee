import * as Plot from "@observablehq/plot";
import type { Prediction, PredictResult } from "../../study/predict/predict-result.ts";
import { formatNumber } from "../format-number.ts";
import { renderFigure, series } from "./figure.ts";
import { renderPanels } from "./panels.ts";

/** Two panels so far apart take the width of a report's page, where their letters can be read. */
const panelGap = 60;

/**
 * Renders the predicted against the true change of each item, a panel for each way to predict and one for the small model's own change, all on
 * one scale, with the diagonal on which a perfect prediction would lie. Without truth: the predicted changes in order of their size.
 */
export function renderPredictionPlot({ predictions, truth }: Pick<PredictResult, "predictions" | "truth">): string {
  const shown = predictions.filter(({ kind }) => kind !== "null");
  const all = [0, ...shown.flatMap(({ changes }) => changes), ...(truth?.changes ?? [])];
  const pad = 0.04 * (Math.max(...all) - Math.min(...all) || 1);
  const domain: readonly [number, number] = [Math.min(...all) - pad, Math.max(...all) + pad];
  return renderPanels(
    shown.map((prediction) =>
      truth ? renderScatter(prediction, truth.changes, domain) : renderSorted(prediction, domain),
    ),
    {
      columns: 2,
      gap: panelGap,
      description: truth
        ? `Predicted against true change of the propensity of ${truth.changes.length} items, by ${shown.length} predictions`
        : `Predicted change of the propensity of ${shown[0]?.changes.length ?? 0} items, by ${shown.length} predictions`,
    },
  );
}

function styleOf({ kind }: Prediction) {
  return kind === "baseline" ? series.native : series.transferred;
}

function renderScatter(prediction: Prediction, truth: readonly number[], domain: readonly [number, number]): string {
  const style = styleOf(prediction);
  const points = prediction.changes.map((predicted, i) => ({ predicted, true: truth[i]! }));
  const { pearson, skill } = prediction.agreement ?? {};
  return renderFigure({
    description: `${prediction.name}: predicted against true change of each item`,
    plot: {
      height: 300,
      marginTop: 48,
      x: { domain: [...domain], label: "true change (nats)", labelAnchor: "center", labelArrow: "none", ticks: 6 },
      y: { domain: [...domain], label: null, grid: true, ticks: 6 },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.line(
          domain.map((value) => [value, value]),
          { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "3 4" },
        ),
        Plot.dot(points, {
          x: "true",
          y: "predicted",
          r: 3.5,
          symbol: style.symbol,
          fill: style.colour,
          fillOpacity: 0.5,
          stroke: style.colour,
          strokeWidth: 0.8,
        }),
        Plot.text([`${prediction.name}: predicted change (nats)`], {
          frameAnchor: "top-left",
          textAnchor: "start",
          dx: 0,
          dy: -40,
        }),
        Plot.text(
          [`r = ${formatNumber(pearson?.value)}, skill ${formatNumber(skill?.value)}; dashes: as it truly was`],
          {
            frameAnchor: "top-left",
            textAnchor: "start",
            dx: 0,
            dy: -22,
            fillOpacity: 0.75,
          },
        ),
      ],
    },
  });
}

function renderSorted(prediction: Prediction, domain: readonly [number, number]): string {
  const style = styleOf(prediction);
  const points = prediction.changes.toSorted((a, b) => a - b).map((change, i) => ({ change, rank: i + 1 }));
  return renderFigure({
    description: `${prediction.name}: predicted change of each item, in order`,
    plot: {
      height: 300,
      x: { label: "items in order of their change", labelAnchor: "center", labelArrow: "none", ticks: 6 },
      y: { domain: [...domain], label: null, grid: true, ticks: 6 },
      marks: [
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.dot(points, { x: "rank", y: "change", r: 3, symbol: style.symbol, fill: style.colour, fillOpacity: 0.6 }),
        Plot.text([`${prediction.name}: predicted change (nats)`], {
          frameAnchor: "top-left",
          textAnchor: "start",
          dx: 0,
          dy: -24,
        }),
      ],
    },
  });
}
