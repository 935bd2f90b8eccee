import * as Plot from "@observablehq/plot";
import type { FeatureConcept, FeaturePoint } from "../../study/features/feature-study.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** Okabe and Ito's green, darkened for white: apart from the blue and the vermilion. */
const green = "var(--other, #00795a)";
const drawn: readonly { readonly arm: string; readonly style: SeriesStyle }[] = [
  { arm: "s2l", style: { ...series.transferred, label: "s2l", dash: "none" } },
  { arm: "l2l", style: { label: "l2l", colour: green, symbol: "diamond", dash: "7 3" } },
  { arm: "native contrast", style: { ...series.native, label: "native" } },
];
const chance: SeriesStyle = { ...series.random, label: "wrong feature, random" };

/** Renders what a concept's vectors do against what they cost: a line a vector from the unsteered model at 0, strengths as marks, controls in grey. */
export function renderFeaturePlot(concept: Pick<FeatureConcept, "name" | "scorer" | "points">): string {
  const { name, scorer, points } = concept;
  const lineOf = (arm: string) => [
    { damage: 0, value: 0, low: 0, high: 0 },
    ...points
      .filter((point) => point.arm === arm)
      .sort(byStrength)
      .flatMap(toMark),
  ];
  const controls = [...new Set(points.filter(isControl).map(({ arm }) => arm))].map((arm) => ({
    arm,
    marks: lineOf(arm),
  }));
  return renderFigure({
    description: `Change of ${scorer} against damage for ${name}: s2l, l2l, the native contrast vector, and controls`,
    plot: {
      x: {
        label: "damage: KL on neutral text (nats)",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 6,
        nice: true,
      },
      y: { label: null, grid: true, ticks: 5, nice: true },
      marks: [
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
        ...controls.map(({ marks }) =>
          Plot.line(marks, {
            x: "damage",
            y: "value",
            stroke: chance.colour,
            strokeOpacity: 0.55,
            strokeDasharray: "2 3",
          }),
        ),
        ...drawn.flatMap(({ arm, style: { colour, symbol, dash } }) => {
          const marks = lineOf(arm);
          return [
            Plot.ruleX(marks.slice(1), { x: "damage", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.5 }),
            Plot.line(marks, {
              x: "damage",
              y: "value",
              stroke: colour,
              strokeWidth: 2,
              ...(dash === "none" ? {} : { strokeDasharray: dash }),
            }),
            Plot.dot(marks.slice(1), { x: "damage", y: "value", r: 3.5, symbol, fill: colour }),
          ];
        }),
        ...legend([...drawn.map(({ style }) => style), chance]),
      ],
    },
  });
}

function isControl({ kind, arm }: FeaturePoint): boolean {
  return kind === "random" || arm.startsWith("wrong ");
}

function toMark({ damage, change: { value, interval } }: FeaturePoint) {
  if (damage === null || value === null) return [];
  return [{ damage, value, low: interval?.low ?? value, high: interval?.high ?? value }];
}

function byStrength(a: FeaturePoint, b: FeaturePoint): number {
  return a.strength - b.strength;
}
