import * as Plot from "@observablehq/plot";
import { formatNumber } from "../format-number.ts";
import { type LayerCell, type LayerMatrix, toLayerCells } from "../layer-matrix.ts";
import { figureWidth, renderFigure, series } from "./figure.ts";

/** More columns leave no room for numbers in the cells of an ordinary figure: it becomes wider, and only every fifth layer is named. */
const mostNumbered = 12;
const wideWidth = 640;
/** The strongest colour lets enough of the ground through for ink to be read on it: contrast 4:1 on dark, 7:1 on white. */
const fullOpacity = 0.6;
/** A mean letter of 13 px system fonts, rounded up. */
const letterWidth = 7.2;
const margin = { top: 58, right: 16, bottom: 44, left: 52 };

/**
 * Renders a matrix of scores as a heat map: source layers downwards, target layers to the right, the best pair framed, the best source
 * layer of each target layer dotted, equal relative depth dashed.
 *
 * Colour starts at 0, which is the ground itself: a cell that cannot be seen found nothing. Scores below 0 have a colour of their own.
 *
 * @throws bad-input if the matrix is not whole
 */
export function renderLayerHeatMap(matrix: LayerMatrix): string {
  const cells = toLayerCells(matrix).flat();
  const { source, target, label } = matrix;
  const isWide = target.layers.length > mostNumbered;
  const sides = margin.left + margin.right;
  // Whole pixels, which a band scale would round to anyway and leave a gap.
  const column = Math.max(6, Math.floor(((isWide ? wideWidth : figureWidth) - sides) / target.layers.length));
  const width = isWide ? sides + column * target.layers.length : figureWidth;
  const side = `layer of ${source.name}`;
  // Few rows must still be as high together as the words beside them, which may reach into the margins.
  const least = (letterWidth * side.length - 2 * margin.bottom) / source.layers.length;
  const row = Math.max(isWide ? column : Math.min(column, 36), Math.ceil(least));
  const most = Math.max(0, ...cells.map(({ value }) => Math.abs(value ?? 0)));
  const opacity = (value: number): number => (most > 0 ? (fullOpacity * Math.abs(value)) / most : 0);
  const colour = (value: number): string => (value < 0 ? series.transferred.colour : series.native.colour);
  const best = cells.find(({ isBest }) => isBest);
  const place = { x: "target", y: "source" } as const;
  return renderFigure({
    description: describe(matrix, best),
    plot: {
      width,
      height: Math.round(margin.top + margin.bottom + row * source.layers.length),
      marginTop: margin.top,
      marginLeft: margin.left,
      x: axis(target.layers, `layer of ${target.name}`),
      y: { ...axis(source.layers, null), tickSize: 0 },
      marks: [
        Plot.cell(
          cells.filter(({ value }) => value !== null),
          {
            ...place,
            fill: ({ value }: LayerCell) => colour(value ?? 0),
            fillOpacity: ({ value }: LayerCell) => opacity(value ?? 0),
            inset: 0.5,
          },
        ),
        Plot.cell(cells, {
          ...place,
          filter: "isEqualDepth",
          fill: "none",
          stroke: "currentColor",
          strokeOpacity: 0.75,
          strokeDasharray: isWide ? "2 1.5" : "4 3",
          inset: 1,
        }),
        ...(isWide ? [] : [Plot.text(cells, { ...place, text: ({ value }: LayerCell) => formatNumber(value) })]),
        Plot.dot(cells, {
          ...place,
          filter: "isBestOfTarget",
          r: isWide ? 1.8 : 2.5,
          fill: "currentColor",
          dy: isWide ? 0 : Math.round(row / 2) - 6,
        }),
        Plot.cell(cells, { ...place, filter: "isBest", fill: "none", stroke: "currentColor", strokeWidth: 2.5 }),
        ...key(
          most,
          cells.some(({ value }) => value !== null && value < 0),
        ),
        Plot.text(
          [best ? `□ best ${best.source}:${best.target}   • best of a target layer   ┄ equal depth` : "no score"],
          {
            frameAnchor: "top-left",
            textAnchor: "start",
            dy: -26,
          },
        ),
        Plot.text([side], { frameAnchor: "left", rotate: -90, dx: -38, textAnchor: "middle" }),
        Plot.text([label], { frameAnchor: "top-right", textAnchor: "end", dy: -48 }),
      ],
    },
  });
}

/** Band scale with every layer named, or every fifth where there are many. */
function axis(layers: readonly number[], label: string | null): Plot.ScaleOptions {
  return {
    type: "band",
    domain: layers,
    padding: 0,
    label,
    labelAnchor: "center",
    labelArrow: "none",
    ticks: layers.length > mostNumbered ? layers.filter((_, i) => i % 5 === 0) : [...layers],
    tickSize: 3,
  };
}

/** The colours from the lowest score to the highest, as squares between two numbers. */
function key(most: number, hasNegative: boolean): Plot.Markish[] {
  const steps = hasNegative ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  const start = hasNegative ? 40 : 14;
  const text = (words: string, dx: number, textAnchor: "start" | "end"): Plot.Markish =>
    Plot.text([words], { frameAnchor: "top-left", textAnchor, dx, dy: -48 });
  return [
    text(hasNegative ? formatNumber(-most) : "0", start - 6, "end"),
    ...steps.map((step, i) =>
      Plot.dot([0], {
        frameAnchor: "top-left",
        symbol: "square",
        r: 6,
        dx: start + 6 + 12 * i,
        dy: -43,
        fill: step < 0 ? series.transferred.colour : series.native.colour,
        fillOpacity: fullOpacity * Math.abs(step),
        stroke: "currentColor",
        strokeOpacity: 0.25,
      }),
    ),
    text(formatNumber(most), start + 66, "start"),
  ];
}

function describe({ label, source, target }: LayerMatrix, best: LayerCell | undefined): string {
  const found = best ? `best ${best.source}:${best.target} with ${formatNumber(best.value, 3)}` : "no score";
  return `${label} of every layer of ${source.name} with every layer of ${target.name}: ${found}`;
}
