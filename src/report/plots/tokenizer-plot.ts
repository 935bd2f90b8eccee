import * as Plot from "@observablehq/plot";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import type { TokenizerArmResult, TokenizerResult } from "../../study/tokenizers/tokenizer-result.ts";
import { renderFigure, series } from "./figure.ts";
import { renderPanels } from "./panels.ts";

/** What one panel shows of an arm. */
interface Panel {
  readonly title: string;
  /** The arm's own number with its interval, or the numbers of its concepts. */
  readonly of: (arm: TokenizerArmResult) => readonly Value[];
  /** What has to be beaten. */
  readonly null?: (arm: TokenizerArmResult) => number | null;
  /** Where a level line stands. */
  readonly line: number;
}

interface Value {
  readonly value: number | null;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly concept?: string;
}

const panels: readonly Panel[] = [
  {
    title: "held-out R² (▲ untrained source)",
    of: ({ r2, interval }) => [{ value: r2, ...interval }],
    null: ({ nulls }) => nulls.untrained,
    line: 0,
  },
  { title: "R² beyond token identity", of: ({ beyond }) => [{ value: beyond }], line: 0 },
  {
    title: "cosine with the native vector (▲ of others)",
    of: ({ concepts }) => concepts.map(({ name, cosine }) => ({ value: cosine, concept: name })),
    null: ({ concepts }) => meanOf(concepts.flatMap(({ otherCosine }) => otherCosine ?? [])),
    line: 0,
  },
  {
    title: "Δr (▲ random directions)",
    of: ({ concepts }) =>
      concepts.map(({ name, deltaR: { value, interval } }) => ({
        value,
        low: interval?.low,
        high: interval?.high,
        concept: name,
      })),
    null: ({ concepts }) => meanOf(concepts.flatMap(({ randomDeltaR }) => randomDeltaR ?? [])),
    line: 0,
  },
  {
    title: "slope, carried over native (line: as native)",
    of: ({ concepts }) =>
      concepts.map(({ name, slopeRatio: { value, interval } }) => ({
        value,
        low: interval?.low,
        high: interval?.high,
        concept: name,
      })),
    line: 1,
  },
  {
    title: `z among random directions (line: ${verdictThresholds.insideNull})`,
    of: ({ concepts }) => concepts.map(({ name, z }) => ({ value: z, concept: name })),
    line: verdictThresholds.insideNull,
  },
];

/**
 * Renders a study of tokenizers: a column for each way of pairing rows, a panel for each score. Squares are the map, or its concepts by their
 * first letters; triangles are what has to be beaten.
 */
export function renderTokenizerPlot({ arms, settings }: Pick<TokenizerResult, "arms" | "settings">): string {
  return renderPanels(
    panels.map((panel) => renderPanel(panel, arms)),
    {
      columns: 2,
      description: `${arms.length} ways of pairing the rows of two models: scores of the map, and what carried vectors of ${settings.concepts.length} concepts do`,
    },
  );
}

function renderPanel(panel: Panel, arms: readonly TokenizerArmResult[]): string {
  const columns = arms.map(labelOf);
  const points = arms.flatMap((arm, at) => {
    const values = panel.of(arm);
    return values.flatMap(({ value, low, high, concept }, i) =>
      value === null
        ? []
        : [
            {
              // Side by side within the column, so that intervals do not cover one another.
              x: at + (values.length > 1 ? (i / (values.length - 1) - 0.5) * 0.5 : 0),
              value,
              low: low ?? value,
              high: high ?? value,
              letter: concept?.slice(0, 1) ?? "",
            },
          ],
    );
  });
  const nulls = arms.flatMap((arm, at) => {
    const value = panel.null?.(arm) ?? null;
    return value === null ? [] : [{ x: at, value }];
  });
  return renderFigure({
    description: `${panel.title} by how rows were paired`,
    plot: {
      height: 250,
      x: {
        domain: [-0.5, arms.length - 0.5],
        ticks: columns.map((_, at) => at),
        tickFormat: (at: number) => columns[at] ?? "",
        tickSize: 0,
        label: null,
      },
      y: { label: null, grid: true, ticks: 5, nice: true, zero: true },
      marks: [
        Plot.ruleY([panel.line], { stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "3 4" }),
        Plot.dot(nulls, { x: "x", y: "value", r: 4, symbol: series.random.symbol, fill: series.random.colour }),
        Plot.ruleX(points, { x: "x", y1: "low", y2: "high", stroke: series.transferred.colour, strokeWidth: 1.5 }),
        Plot.dot(points, {
          x: "x",
          y: "value",
          r: 4,
          fill: series.transferred.colour,
          symbol: series.transferred.symbol,
        }),
        Plot.text(points, { x: "x", y: "high", text: "letter", dy: -9, fontSize: 11 }),
        Plot.text([panel.title], { frameAnchor: "top-left", textAnchor: "start", dx: 2, dy: -26 }),
      ],
    },
  });
}

/** Two lines: the source without its scheme, and what makes a row. */
function labelOf({ source, align }: TokenizerArmResult): string {
  const word = (source.split(/[/:]/).at(-1) ?? source).replace(/\.gguf$/i, "");
  const [kind = align] = align.split("@");
  return `${word.length > 10 ? `${word.slice(0, 9)}…` : word}\n${kind}`;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
