import * as Plot from "@observablehq/plot";
import type { ProbeCell } from "../../study/probes/probe-study-result.ts";
import { legend, renderFigure, series } from "./figure.ts";

/** How far apart the marks of one concept stand, pixels. */
const apart = 9;

/**
 * Renders what carried probes tell: by concept the area under the ROC curve of the native probe, of the one carried from the other model, and
 * of every null draw, on texts that none has seen.
 *
 * @param cells - of one way and one kind of probe, each concept once
 */
export function renderProbePlot(cells: readonly ProbeCell[], description: string): string {
  const concepts = cells.map(({ concept }) => concept);
  const nulls = cells.flatMap(({ concept, nulls: { random, shuffledLabels }, arms }) =>
    [...random.auroc, ...shuffledLabels.auroc, arms.shuffledMap.auroc].map((auroc) => ({ concept, auroc })),
  );
  const row = (arm: "native" | "backward", style: keyof typeof series, dy: number): Plot.Markish[] => {
    const marks = cells.map(({ concept, arms }) => {
      const { auroc, aurocInterval } = arms[arm];
      return { concept, auroc, low: aurocInterval?.low ?? auroc, high: aurocInterval?.high ?? auroc };
    });
    return [
      Plot.ruleY(marks, { x1: "low", x2: "high", y: "concept", dy, stroke: series[style].colour, strokeWidth: 2 }),
      Plot.dot(marks, {
        x: "auroc",
        y: "concept",
        dy,
        r: 5,
        fill: series[style].colour,
        symbol: series[style].symbol,
        clip: false,
      }),
    ];
  };
  return renderFigure({
    description,
    plot: {
      height: 80 + 42 * cells.length,
      marginTop: 36,
      marginLeft: 74,
      x: {
        label: "AUROC on texts held out",
        labelAnchor: "center",
        labelArrow: "none",
        domain: [0, 1],
        ticks: 5,
        inset: 8,
      },
      y: { type: "point", domain: concepts, label: null, padding: 0.6, tickSize: 0 },
      marks: [
        ...legend([series.native, { ...series.transferred, label: "carried" }, { ...series.random, label: "nulls" }]),
        Plot.ruleX([0.5], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "2 3" }),
        Plot.dot(nulls, {
          x: "auroc",
          y: "concept",
          dy: apart,
          r: 3,
          symbol: series.random.symbol,
          fill: series.random.colour,
          fillOpacity: 0.45,
        }),
        ...row("native", "native", -apart),
        ...row("backward", "transferred", 0),
      ],
    },
  });
}
