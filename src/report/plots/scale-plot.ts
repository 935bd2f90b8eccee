import * as Plot from "@observablehq/plot";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import type { ScalePair, ScaleResult } from "../../study/scale/scale-result.ts";
import { renderFigure, series } from "./figure.ts";
import { renderPanels } from "./panels.ts";

/** What one panel shows of a pair. */
interface Panel {
  readonly title: string;
  /** The pair's own number, and its interval where it has one. */
  readonly of: (pair: ScalePair) => { readonly value: number | null; readonly low?: number; readonly high?: number };
  /** Of each concept that can judge. */
  readonly concepts?: (concept: ScalePair["concepts"][number]) => number | null;
  /** What has to be beaten. */
  readonly null?: (pair: ScalePair) => number | null;
  /** Where a level line stands, and what it is. */
  readonly line?: number;
  readonly isLabelled?: boolean;
}

const panels: readonly Panel[] = [
  {
    title: "held-out R² (▲ untrained source)",
    of: ({ map }) => ({ value: map?.r2.value ?? null, ...(map?.r2.interval ?? {}) }),
    null: ({ map }) => map?.nulls.untrained.value ?? null,
    isLabelled: true,
  },
  {
    title: "R² beyond token identity",
    of: ({ map }) => ({ value: map?.beyond.value ?? null }),
    line: 0,
  },
  {
    title: "cosine (▲ other concepts)",
    of: ({ summary }) => ({ value: summary.cosine }),
    concepts: ({ cosine }) => cosine.value,
    null: ({ concepts }) => meanOf(concepts.flatMap(({ otherCosine }) => otherCosine.value ?? [])),
  },
  {
    title: "Δr (▲ random directions)",
    of: ({ summary }) => ({ value: summary.deltaR }),
    concepts: ({ deltaR }) => deltaR.value,
    null: ({ concepts }) => meanOf(concepts.flatMap(({ randomDeltaR }) => randomDeltaR ?? [])),
  },
  {
    title: "slope ratio (line: as native)",
    of: ({ summary }) => ({ value: summary.slopeRatio }),
    concepts: ({ slopeRatio }) => slopeRatio.value,
    line: 1,
  },
  {
    title: `z (line: ${verdictThresholds.insideNull})`,
    of: ({ summary }) => ({ value: summary.z }),
    concepts: ({ z }) => z.value,
    line: verdictThresholds.insideNull,
  },
];

/**
 * Renders every pair of a scale study against its size ratio, a panel for each measure: a circle a pair (a diamond for a model with itself),
 * faint dots its concepts, triangles what has to be beaten.
 */
export function renderScalePlot({ pairs, settings }: Pick<ScaleResult, "pairs" | "settings">): string {
  const shown = pairs.filter(({ problem, ratio }) => problem === null && ratio !== null);
  return renderPanels(
    panels.map((panel) => renderPanel(panel, shown)),
    {
      columns: 2,
      // Two panels so far apart take the width of a report's page, where their letters can be read.
      gap: 60,
      description: `${shown.length} ordered pairs of models against the ratio of their parameters: scores of the map, and what carried vectors of ${settings.concepts.length} concepts do`,
    },
  );
}

interface Point {
  readonly ratio: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly name: string;
  readonly isSelf: boolean;
}

function renderPanel(panel: Panel, pairs: readonly ScalePair[]): string {
  const points = pairs.flatMap((pair): Point[] => {
    const { value, low = value, high = value } = panel.of(pair);
    if (value === null || low === null || high === null || pair.ratio === null) return [];
    const name = `${shorten(pair.source)}→${shorten(pair.target)}`;
    return [{ ratio: pair.ratio, value, low, high, name, isSelf: pair.source === pair.target }];
  });
  const faint = pairs.flatMap(({ ratio, concepts }) =>
    concepts.flatMap((concept) => {
      const value = (concept.zNative ?? 0) >= verdictThresholds.insideNull ? panel.concepts?.(concept) : undefined;
      return value === undefined || value === null ? [] : [{ ratio, value }];
    }),
  );
  const nulls = pairs.flatMap((pair) => {
    const value = panel.null?.(pair) ?? null;
    return value === null ? [] : [{ ratio: pair.ratio, value }];
  });
  const labels = panel.isLabelled ? placeLabels(points) : [];
  const ratios = [...new Set(pairs.map(({ ratio }) => ratio as number))];
  const reach = Math.max(1.5, ...ratios.map((ratio) => Math.max(ratio, 1 / ratio))) * 1.3;
  return renderFigure({
    description: `${panel.title} against the size ratio`,
    plot: {
      x: {
        type: "log",
        base: 2,
        domain: [1 / reach, reach],
        label: "parameters, target / source",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 5,
        tickFormat: (ratio: number) => (ratio >= 1 ? `${ratio}` : `1/${Math.round(1 / ratio)}`),
      },
      y: {
        label: null,
        grid: true,
        ticks: 5,
        nice: true,
        // Names stand above everything, in as many lines as they need.
        ...(labels.length > 0 && {
          domain: [0, Math.max(...points.map(({ high }) => high)) * (1.1 + 0.08 * levels(labels))],
        }),
      },
      marks: [
        Plot.ruleX([1], { stroke: "currentColor", strokeOpacity: 0.25 }),
        Plot.ruleY([panel.line ?? 0], { stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "3 4" }),
        Plot.dot(faint, { x: "ratio", y: "value", r: 2.5, fill: "currentColor", fillOpacity: 0.35 }),
        Plot.dot(nulls, { x: "ratio", y: "value", r: 4, symbol: series.random.symbol, fill: series.random.colour }),
        Plot.ruleX(points, { x: "ratio", y1: "low", y2: "high", stroke: series.transferred.colour, strokeWidth: 1.5 }),
        Plot.dot(points, {
          x: "ratio",
          y: "value",
          r: 5,
          fill: series.transferred.colour,
          symbol: ({ isSelf }: Point) => (isSelf ? "diamond" : "circle"),
        }),
        ...Array.from({ length: levels(labels) }, (_, level) =>
          Plot.text(
            labels.filter((label) => label.level === level),
            { x: "ratio", text: "name", frameAnchor: "top", dy: 6 + 12 * level, fontSize: labelSize },
          ),
        ),
        Plot.text([panel.title], { frameAnchor: "top-left", textAnchor: "start", dx: 2, dy: -26 }),
      ],
    },
  });
}

interface Label {
  readonly ratio: number;
  readonly name: string;
  /** Line that it stands in, from the top. */
  readonly level: number;
}

const labelSize = 11;
/** A mean letter of labels, pixels, rounded up. */
const letterWidth = 6.4;
/** Pixels of a factor of two, as long as all ratios lie within a factor of 16: what decides whether names overlap. */
const octaveWidth = 44;
const mostLevels = 4;

/** Puts names into lines so that none overlaps another; what finds no room is in the table only. */
function placeLabels(points: readonly Point[]): Label[] {
  const ends: number[] = [];
  return points
    .filter(({ isSelf }) => !isSelf)
    .toSorted((a, b) => a.ratio - b.ratio)
    .flatMap(({ ratio, name }): Label[] => {
      const centre = octaveWidth * Math.log2(ratio);
      const half = (letterWidth * name.length) / 2;
      const free = Array.from({ length: mostLevels }, (_, level) => level).find(
        (level) => centre - half > (ends[level] ?? Number.NEGATIVE_INFINITY),
      );
      if (free === undefined) return [];
      ends[free] = centre + half + letterWidth;
      return [{ ratio, name, level: free }];
    });
}

function levels(labels: readonly Label[]): number {
  return Math.max(0, ...labels.map(({ level }) => level + 1));
}

/** A model's name without what stands before its last colon or slash, and without its ending. */
function shorten(name: string): string {
  const word = (name.split(/[/:]/).at(-1) ?? name).replace(/\.gguf$/i, "");
  return word.length > 12 ? `${word.slice(0, 11)}…` : word;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
