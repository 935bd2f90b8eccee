import * as Plot from "@observablehq/plot";
import type { TextResult } from "../../evaluate/text/text-result.ts";
import { legend, renderFigure, series } from "./figure.ts";
import { strengthLabel } from "./strength-label.ts";

const kinds = ["native", "transferred", "random"] as const;

/**
 * Renders one score of the texts against strength: a line an arm through the unsteered point at 0, with 95 % intervals over prompts; a
 * vertical mark where the native or the transferred arm breaks.
 */
export function renderTextStrengthPlot(
  result: Pick<TextResult, "rows" | "scorers" | "breaks" | "unit">,
  scorer: string,
): string {
  const at = result.scorers.findIndex(({ name }) => name === scorer);
  const present = kinds.filter((kind) => result.rows.some((row) => row.kind === kind));
  const unsteered = result.rows.filter(({ kind }) => kind === "none");
  const arms = [...new Set(result.rows.filter(({ kind }) => kind !== "none").map(({ arm }) => arm))];
  const breaks = result.breaks.flatMap(({ kind, at: { strength } }) =>
    strength === null || kind === "random" || !present.includes(kind as (typeof kinds)[number])
      ? []
      : [{ strength, colour: series[kind as (typeof kinds)[number]].colour }],
  );
  return renderFigure({
    description: `${scorer} of generated texts against strength, for ${present.join(", ")} vectors`,
    plot: {
      x: { label: strengthLabel(result.unit), labelAnchor: "center", labelArrow: "none", ticks: 6 },
      y: { label: null, grid: true, ticks: 5, nice: true },
      marks: [
        Plot.ruleX(breaks, { x: "strength", stroke: "colour", strokeDasharray: "1 3", strokeWidth: 2 }),
        ...arms.flatMap((arm) => {
          const own = result.rows.filter((row) => row.arm === arm);
          const style = series[own[0]!.kind as (typeof kinds)[number]] ?? series.random;
          const points = [...own, ...unsteered]
            .sort((a, b) => a.strength - b.strength)
            .flatMap(({ strength, scores }) => {
              const { value, interval } = scores[at]?.value ?? { value: null, interval: null };
              return value === null
                ? []
                : [{ strength, value, low: interval?.low ?? value, high: interval?.high ?? value }];
            });
          return [
            Plot.ruleX(points, { x: "strength", y1: "low", y2: "high", stroke: style.colour, strokeOpacity: 0.5 }),
            Plot.line(points, {
              x: "strength",
              y: "value",
              stroke: style.colour,
              strokeWidth: 2,
              ...(style.dash === "none" ? {} : { strokeDasharray: style.dash }),
            }),
            Plot.dot(points, { x: "strength", y: "value", r: 3.5, fill: style.colour, symbol: style.symbol }),
          ];
        }),
        ...legend(present.map((kind) => series[kind])),
      ],
    },
  });
}
