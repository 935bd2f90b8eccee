import * as Plot from "@observablehq/plot";
import type { WorldCurve, WorldPoint, WorldStudy } from "../../study/world/study-world.ts";
import { formatNumber } from "../format-number.ts";
import { renderFigure, type SeriesStyle, series } from "./figure.ts";
import { renderPanels } from "./panels.ts";

/** One line of every panel. */
interface Line {
  readonly style: SeriesStyle;
  readonly width: number;
  readonly of: (point: WorldPoint) => number | null;
}

const r2 = {
  label: "held-out R² of the map",
  colour: series.native.colour,
  symbol: "circle",
  dash: "none",
} satisfies SeriesStyle;

const lines: readonly Line[] = [
  { style: r2, width: 2.5, of: ({ map }) => map.r2.mean },
  {
    style: { ...r2, label: "the same without sinks", dash: "3 3" },
    width: 2,
    // Shown where it says something of its own.
    of: ({ map: { r2, r2WithoutSinks } }) =>
      Math.abs((r2.mean ?? 0) - (r2WithoutSinks.mean ?? 0)) > 0.02 ? r2WithoutSinks.mean : null,
  },
  {
    style: { label: "best R² there is", colour: series.random.colour, symbol: "triangle", dash: "6 4" },
    width: 2,
    of: ({ map }) => map.r2Best.mean,
  },
  {
    style: { label: "cosine of carried features", colour: series.transferred.colour, symbol: "square", dash: "7 3" },
    width: 2.5,
    of: ({ map }) => map.cosine.mean,
  },
  measureLine("linear-cka-debiased", "linear CKA, debiased", "#009e73", "diamond"),
  measureLine("svcca", "SVCCA", "#b35c9e", "star"),
  measureLine("mutual-neighbours", "mutual neighbours", "#c98a00", "cross"),
];

function measureLine(name: string, label: string, colour: string, symbol: SeriesStyle["symbol"]): Line {
  return {
    style: { label, colour, symbol, dash: "none" },
    width: 1.5,
    of: ({ measures }) => measures.find((measure) => measure.name === name)?.aboveChance.mean ?? null,
  };
}

const size = { width: 300, height: 230 };

/**
 * Renders the latent world as small panels, one a knob, three in a row, and a legend: what the fitted map explains, what the best could, how features are
 * carried, and three measures of likeness as (value − null)/(1 − null), so that 0 is chance and 1 the same.
 */
export function renderWorldPlot({ curves }: Pick<WorldStudy, "curves">): string {
  return renderPanels([...curves.map(renderPanel), renderLegend()], {
    columns: 3,
    description: `A latent world with one knob turned at a time: ${curves.map(({ title, axis }) => `${title} (${axis})`).join("; ")}`,
  });
}

function renderPanel({ title, axis, points }: WorldCurve): string {
  const domain = points.map(({ value }) => formatNumber(value, 3).replace(/\.?0+$/, ""));
  const data = lines.flatMap(({ style, width, of }) =>
    points.flatMap((point, at) => {
      const value = of(point);
      // What lies below the panel is drawn at its edge: how far below chance a score is says nothing more.
      return value === null ? [] : [{ x: domain[at], y: Math.max(-0.08, value), style, width }];
    }),
  );
  return renderFigure({
    description: `${title}: ${axis}`,
    plot: {
      ...size,
      marginLeft: 34,
      marginBottom: 42,
      marginTop: 30,
      marginRight: 14,
      style: { fontSize: "12px" },
      x: { type: "point", domain, label: axis, labelAnchor: "center", labelArrow: "none", labelOffset: 38 },
      y: { domain: [-0.1, 1.05], label: null, ticks: [0, 0.5, 1], tickFormat: String, grid: true },
      marks: [
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        Plot.text([title], { frameAnchor: "top-left", dy: -22, dx: -28, fontWeight: "bold" }),
        ...lines.flatMap(({ style, width }) => {
          const own = data.filter((each) => each.style === style);
          return [
            Plot.line(own, { x: "x", y: "y", stroke: style.colour, strokeWidth: width, strokeDasharray: style.dash }),
            Plot.dot(own, { x: "x", y: "y", fill: style.colour, symbol: style.symbol, r: 3 }),
          ];
        }),
      ],
    },
  });
}

function renderLegend(): string {
  const shown = lines.map(({ style, width }, at) => ({ style, width, y: -at }));
  return renderFigure({
    description: "Legend",
    plot: {
      ...size,
      margin: 10,
      style: { fontSize: "13px" },
      axis: null,
      x: { domain: [0, 10] },
      y: { domain: [-lines.length - 1, 1] },
      marks: [
        ...shown.flatMap(({ style, width, y }) => [
          Plot.line(
            [
              [0, y],
              [1.4, y],
            ],
            { stroke: style.colour, strokeWidth: width, strokeDasharray: style.dash },
          ),
          Plot.dot([[0.7, y]], { fill: style.colour, symbol: style.symbol, r: 4 }),
          Plot.text([[1.8, y]], { text: [style.label], textAnchor: "start" }),
        ]),
        Plot.text([[0, -lines.length]], {
          text: ["measures: 0 is chance, 1 the same"],
          textAnchor: "start",
          fillOpacity: 0.75,
        }),
      ],
    },
  });
}
