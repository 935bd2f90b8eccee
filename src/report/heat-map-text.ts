import { formatNumber } from "./format-number.ts";
import { type LayerCell, type LayerMatrix, toLayerCells } from "./layer-matrix.ts";

export interface HeatMapTextOptions {
  /** Terminal columns to stay within. Default 100. */
  readonly width?: number | undefined;
  /**
   * `none` (default): plain ASCII. `blocks`: a bar ▁ to █ beside or instead of the digits. `colour`: backgrounds from the 256-colour
   * palette. Which of them a terminal can show, and `NO_COLOR`, is the caller's to know.
   */
  readonly shade?: "none" | "blocks" | "colour" | undefined;
}

/** How one cell is written in each of the two sizes. */
interface CellStyle {
  readonly width: number;
  readonly write: (cell: LayerCell, share: number) => string;
  readonly legend: string;
}

/**
 * Renders a matrix of scores as text: a row a source layer, a column a target layer, best pair and equal relative depth marked.
 *
 * Cells hold hundredths while they fit the width, else one character: the first decimal, or a bar or colour where those are asked for.
 * Where even these do not fit, target layers go on in a second panel below. Bars and colours run from 0 to the best score.
 *
 * @throws bad-input if the matrix is not whole
 */
export function renderHeatMapText(
  matrix: LayerMatrix,
  { width = 100, shade = "none" }: HeatMapTextOptions = {},
): string {
  const cells = toLayerCells(matrix);
  const { source, target, label } = matrix;
  const isAscii = shade === "none";
  const most = Math.max(0, ...cells.flat().map(({ value }) => value ?? 0));
  const labelWidth = Math.max(...source.layers.map((layer) => String(layer).length), 1) + 1;
  const full = fullStyle(shade);
  const style = labelWidth + full.width * target.layers.length <= width ? full : compactStyle(shade);
  const perPanel = Math.max(1, Math.floor((width - labelWidth) / style.width));

  const lines = [`${label}: rows ${source.name}, columns ${target.name}`];
  for (let start = 0; start < target.layers.length; start += perPanel) {
    const layers = target.layers.slice(start, start + perPanel);
    lines.push("", `${" ".repeat(labelWidth)}${header(layers, style)}`.trimEnd());
    cells.forEach((row, i) => {
      const written = row.slice(start, start + perPanel).map((cell) => style.write(cell, share(cell, most)));
      lines.push(`${String(source.layers[i]).padStart(labelWidth - 1)} ${written.join("")}`.trimEnd());
    });
  }
  const best = cells.flat().find(({ isBest }) => isBest);
  const value = formatNumber(best?.value, 3);
  const found = best ? `best ${best.source}:${best.target}, ${isAscii ? value.replace("−", "-") : value}` : "no score";
  return [...lines, "", `${found}; ${style.legend}`].join("\n");
}

/** 0 for nothing found, 1 for the best score. */
function share({ value }: LayerCell, most: number): number {
  return value !== null && most > 0 ? Math.max(0, value / most) : 0;
}

function fullStyle(shade: HeatMapTextOptions["shade"]): CellStyle {
  const around = ({ isBest, isEqualDepth }: LayerCell, text: string): string =>
    isBest ? `[${text}]` : isEqualDepth ? `(${text})` : ` ${text} `;
  const legend = "[ ] best, ( ) equal relative depth; hundredths";
  if (shade === "blocks")
    return {
      width: 5,
      write: (cell, part) => around(cell, hundredths(cell) + bar(part)),
      legend: `${legend}, bars from 0`,
    };
  if (shade === "colour")
    return { width: 4, write: (cell, part) => paint(around(cell, hundredths(cell)), part), legend };
  return { width: 4, write: (cell) => around(cell, hundredths(cell)), legend };
}

function compactStyle(shade: HeatMapTextOptions["shade"]): CellStyle {
  const dot = shade === "none" ? "." : "·";
  const marked = ({ isBest, isEqualDepth }: LayerCell, text: string): string =>
    text + (isBest ? "*" : isEqualDepth ? dot : " ");
  const marks = `* best, ${dot} equal relative depth`;
  if (shade === "blocks")
    return {
      width: 2,
      write: (cell, part) => marked(cell, (cell.value ?? -1) < 0 ? tenths(cell) : bar(part)),
      legend: `${marks}; bars from 0 to the best, - below 0`,
    };
  const write = (cell: LayerCell): string => marked(cell, tenths(cell));
  const legend = `${marks}; first decimal, - below 0`;
  if (shade === "colour") return { width: 2, write: (cell, part) => paint(write(cell), part), legend };
  return { width: 2, write, legend };
}

/** `47` for 0.47, `1.` from 0.995 up, `-3` for −0.03, `--` below −0.095. */
function hundredths({ value }: LayerCell): string {
  if (value === null) return "??";
  const rounded = Math.round(100 * value);
  if (rounded > 99) return "1.";
  return rounded < -9 ? "--" : String(rounded === 0 ? 0 : rounded).padStart(2);
}

/** `4` for 0.40 to 0.49: cut, not rounded, so that 5 is not written for what is below it. */
function tenths({ value }: LayerCell): string {
  if (value === null) return "?";
  return value < 0 ? "-" : String(Math.min(9, Math.floor(10 * value + 1e-9))); // 0.3 is a little less than 3/10
}

function bar(part: number): string {
  const level = Math.round(8 * part);
  return level === 0 ? " " : String.fromCodePoint(0x2580 + level); // U+2581 ▁ to U+2588 █
}

/** Blues of the 256-colour cube, dark to light; nothing for a score of nothing. */
const blues = [17, 18, 25, 32, 39, 81] as const;

function paint(text: string, part: number): string {
  const level = Math.round(blues.length * part);
  if (level === 0) return text;
  const ink = level > 4 ? 16 : 231; // black on the two lightest, white on the others
  return `\u001b[48;5;${blues[level - 1]}m\u001b[38;5;${ink}m${text}\u001b[0m`;
}

/** Layer numbers over their columns: all where they fit, else every fifth. */
function header(layers: readonly number[], { width }: CellStyle): string {
  const longest = Math.max(...layers.map((layer) => String(layer).length));
  if (longest < width) return layers.map((layer) => align(String(layer), width)).join("");
  let line = "";
  layers.forEach((layer, j) => {
    if (j % 5 === 0) line = line.padEnd(j * width) + layer;
  });
  return line;
}

/** Numbers end where the digits of a cell end: one column before its right edge. */
function align(text: string, width: number): string {
  return width <= 2 ? text.padEnd(width) : `${text.padStart(3)}${" ".repeat(width - 3)}`;
}
