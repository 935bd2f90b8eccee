import * as Plot from "@observablehq/plot";
import type { PropensityTask } from "../../evaluate/propensity/task-result.ts";
import { renderFigure, series } from "./figure.ts";

/** The longest task name beside the plot, characters; the rest is in the table. */
const longestName = 26;

/**
 * Renders how the correlation between transferred and native spreads over the strengths, one row a task: a square for each
 * strength, a diamond at their mean with its 95 % interval over items; triangles are the mean correlation of random directions with native, which is what a transfer has to beat.
 *
 * @param kind - `levels`: of the values themselves, as the paper draws it; `changes`: of the changes from strength 0
 */
export function renderCorrelationFigure(tasks: readonly PropensityTask[], kind: "levels" | "changes"): string {
  const names = tasks.map(({ name }, i) => {
    const short = name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
    // Two long names may begin alike; a row of the plot is known by its name.
    return tasks.some((other, k) => k < i && other.name.slice(0, longestName - 1) === name.slice(0, longestName - 1))
      ? `${short} ${i + 1}`
      : short;
  });
  const dots = tasks.flatMap((task, i) =>
    task.strengths.flatMap((entry) => {
      const r = entry[kind].logProbability.pearson.value;
      return r === null ? [] : [{ task: names[i]!, r }];
    }),
  );
  const controls = tasks.flatMap((task, i) =>
    task.strengths.flatMap(({ random }) => {
      const r = (kind === "levels" ? random?.pearson : random?.changePearson)?.mean ?? null;
      return r === null ? [] : [{ task: names[i]!, r }];
    }),
  );
  const means = tasks.flatMap((task, i) => {
    const { value, interval } = task.overStrengths[kind].logProbability.pearson;
    return value === null
      ? []
      : [{ task: names[i]!, value, low: interval?.low ?? value, high: interval?.high ?? value }];
  });
  const lowest = Math.min(0, ...dots.map(({ r }) => r), ...controls.map(({ r }) => r));
  return renderFigure({
    description: `Correlation of ${kind === "levels" ? "the values" : "the changes"} under the transferred and the native vector, for ${tasks.length} task${tasks.length === 1 ? "" : "s"} at every strength, beside random directions`,
    plot: {
      height: 74 + 34 * tasks.length,
      marginTop: 14,
      marginLeft: Math.max(70, 22 + 7.2 * Math.max(...names.map(({ length }) => length))),
      x: {
        label: kind === "levels" ? "r of the values" : "Δr of the changes",
        labelAnchor: "center",
        labelArrow: "none",
        domain: [lowest, 1],
        nice: true,
        ticks: 5,
        inset: 8,
      },
      y: { type: "point", domain: names, label: null, padding: 0.6, tickSize: 0 },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
        Plot.ruleY(names, { stroke: "currentColor", strokeOpacity: 0.12 }),
        Plot.dot(controls, {
          x: "r",
          y: "task",
          symbol: series.random.symbol,
          r: 4,
          fill: series.random.colour,
          fillOpacity: 0.6,
        }),
        Plot.dot(dots, {
          x: "r",
          y: "task",
          symbol: series.transferred.symbol,
          r: 4,
          fill: series.transferred.colour,
          fillOpacity: 0.5,
        }),
        Plot.ruleY(means, { x1: "low", x2: "high", y: "task", stroke: "currentColor", strokeWidth: 2 }),
        Plot.dot(means, { x: "value", y: "task", symbol: "diamond", r: 5.5, fill: "currentColor" }),
      ],
    },
  });
}
