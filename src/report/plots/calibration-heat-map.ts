import * as Plot from "@observablehq/plot";
import type { CalibrationPoint, CalibrationResult } from "../../evaluate/calibrate/calibration-result.ts";
import { formatNumber } from "../format-number.ts";
import { figureWidth, renderFigure, series } from "./figure.ts";
import { strengthLabel } from "./strength-label.ts";

/** The strongest colour lets ink be read on it. */
const fullOpacity = 0.6;
const margin = { top: 40, right: 16, bottom: 44, left: 58 };

/**
 * Renders a calibration's grid as a heat map: layers downwards, strengths to the right, the effect as colour and number, a fall in the
 * other colour; points over the damage limit marked ×, the chosen one framed.
 */
export function renderCalibrationHeatMap(
  result: Pick<CalibrationResult, "grid" | "chosen" | "behaviour" | "unit" | "maxDamage">,
): string {
  const { grid, chosen } = result;
  const layers = [...new Set(grid.map(({ layer }) => layer))].sort((a, b) => a - b);
  const strengths = [...new Set(grid.map(({ strength }) => strength))].sort((a, b) => a - b);
  const most = Math.max(0, ...grid.map(({ effect }) => Math.abs(effect ?? 0)));
  // Narrow enough to be one picture, wide enough for a signed number.
  const column = Math.min(72, Math.max(44, Math.floor((figureWidth - margin.left - margin.right) / strengths.length)));
  const width = Math.max(300, margin.left + margin.right + column * strengths.length);
  const place = { x: "strength", y: "layer" } as const;
  const band = { type: "band", padding: 0, labelArrow: "none", labelAnchor: "center", tickSize: 3 } as const;
  return renderFigure({
    description: `Effect on ${result.behaviour.name} by layer and strength${chosen ? `: layer ${chosen.layer} at ${chosen.strength} chosen` : ": nothing chosen"}`,
    plot: {
      width,
      marginRight: width - margin.left - column * strengths.length,
      height: margin.top + margin.bottom + 34 * layers.length,
      marginTop: margin.top,
      marginLeft: margin.left,
      x: { ...band, domain: strengths, label: strengthLabel(result.unit) },
      y: { ...band, domain: layers, label: null, tickFormat: (layer: number) => `layer ${layer}` },
      marks: [
        Plot.cell(grid, {
          ...place,
          fill: ({ effect }: CalibrationPoint) =>
            (effect ?? 0) < 0 ? series.transferred.colour : series.native.colour,
          fillOpacity: ({ effect }: CalibrationPoint) => (most > 0 ? (fullOpacity * Math.abs(effect ?? 0)) / most : 0),
          inset: 0.5,
        }),
        Plot.dot(grid, {
          ...place,
          filter: ({ isAllowed }: CalibrationPoint) => !isAllowed,
          symbol: "times",
          r: 3.5,
          dx: column / 2 - 7,
          dy: -10,
          stroke: "currentColor",
        }),
        Plot.text(grid, { ...place, text: ({ effect }: CalibrationPoint) => formatNumber(effect) }),
        Plot.cell(chosen ? [chosen] : [], { ...place, fill: "none", stroke: "currentColor", strokeWidth: 2.5 }),
        Plot.text([`□ chosen   × KL above ${result.maxDamage} nats`], {
          frameAnchor: "top-left",
          textAnchor: "start",
          dy: -24,
        }),
      ],
    },
  });
}
