import * as Plot from "@observablehq/plot";
import type { RefusalResult, RefusalRow, RefusalSide } from "../../evaluate/refusal/refusal-result.ts";
import type { PromptClass } from "../../evaluate/refusal/split-instructions.ts";
import { brokenLimit } from "../../evaluate/refusal/strongest-rows.ts";
import { legend, renderFigure, series } from "./figure.ts";
import { strengthLabel } from "./strength-label.ts";

export interface RefusalPlotOptions {
  /** Which judge's share is drawn, by its place in the result. */
  readonly judge: number;
  readonly prompts: PromptClass;
  readonly layer: number;
}

const kinds = ["native", "transferred", "random"] as const;

interface Point {
  readonly strength: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly broken: boolean;
}

/**
 * Renders what a judge says against strength, mean ± standard error over prompts in per cent, for the native, the transferred and the random
 * directions (each a thin line) through the unsteered point at 0. Where more than a tenth of the answers is broken the mark is hollow.
 */
export function renderRefusalPlot(
  { unit, judges }: Pick<RefusalResult, "unit" | "judges">,
  side: RefusalSide,
  { judge, prompts, layer }: RefusalPlotOptions,
): string {
  const question = judges[judge]!.question;
  const arms = new Map<string, RefusalRow[]>();
  for (const row of side.rows) if (row.layer === layer) arms.set(row.name, [...(arms.get(row.name) ?? []), row]);
  const present = kinds.filter((kind) => side.rows.some((row) => row.layer === layer && row.kind === kind));
  const strengths = side.rows.map(({ strength }) => strength);
  const span = Math.max(...strengths) - Math.min(...strengths) || 1;
  // A small sideways shift keeps errors of equal strengths from hiding one another.
  const shift = (kind: RefusalRow["kind"], strength: number): number =>
    strength === 0 ? 0 : (kinds.indexOf(kind as (typeof kinds)[number]) - 1) * 0.012 * span;
  const toPoint = (row: RefusalRow, kind: RefusalRow["kind"]): Point[] => {
    const { value, standardError } = row[prompts].judges[judge]!.yes;
    if (value === null) return [];
    const error = standardError ?? 0;
    return [
      {
        strength: row.strength + shift(kind, row.strength),
        share: 100 * value,
        low: 100 * Math.max(0, value - error),
        high: 100 * Math.min(1, value + error),
        broken: (row[prompts].broken.value ?? 0) > brokenLimit,
      },
    ];
  };
  // Random first, so that they lie below.
  const inOrder = [...arms.values()].sort((a, b) => Number(b[0]!.kind === "random") - Number(a[0]!.kind === "random"));
  return renderFigure({
    description: `${question === "refusal" ? "Refusals" : "Harmless answers"} to ${prompts} prompts, ${side.model}, layer ${layer}, against strength, for ${present.join(", ")} directions`,
    plot: {
      x: { label: strengthLabel(unit), labelAnchor: "center", labelArrow: "none", ticks: 6, inset: 8 },
      y: { domain: [0, 100], label: null, grid: true, ticks: 5, tickFormat: (share: number) => `${share} %` },
      marks: [
        ...inOrder.flatMap((rows) => {
          const { kind } = rows[0]!;
          const points = [...rows, side.rows[0]!]
            .sort((a, b) => a.strength - b.strength)
            .flatMap((row) => toPoint(row, kind));
          return curve(points, kind as (typeof kinds)[number]);
        }),
        ...legend(present.map((kind) => series[kind])),
      ],
    },
  });
}

function curve(points: readonly Point[], kind: (typeof kinds)[number]): Plot.Markish[] {
  const { colour, dash, symbol } = series[kind];
  const isRandom = kind === "random";
  const dots = (broken: boolean): Plot.Markish =>
    Plot.dot(
      points.filter((point) => point.broken === broken),
      {
        x: "strength",
        y: "share",
        r: isRandom ? 2.5 : 4,
        symbol,
        stroke: colour,
        fill: broken ? "var(--plot-background, #fff)" : colour,
      },
    );
  const errors = { x: "strength", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.5, strokeOpacity: 0.7 };
  return [
    ...(isRandom ? [] : [Plot.ruleX(points, errors)]),
    Plot.lineY(points, {
      x: "strength",
      y: "share",
      stroke: colour,
      strokeWidth: isRandom ? 1 : 2,
      ...(dash === "none" ? {} : { strokeDasharray: dash }),
    }),
    dots(false),
    dots(true),
  ];
}
