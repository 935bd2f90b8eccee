import * as Plot from "@observablehq/plot";
import type { SaeStart, SaeStudyResult } from "../../study/sae/sae-study-result.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** How each start is drawn. */
const styles: Readonly<Record<SaeStart, SeriesStyle>> = {
  carried: { ...series.transferred, label: "from the carried one" },
  scratch: { ...series.native, label: "from scratch" },
  "shuffled map": { ...series.random, label: "null" },
};

/** Renders what is explained of held-out rows against the operations spent on training, a line a seed. */
export function renderSaeCurvePlot({ seeds, flops, ceiling }: SaeStudyResult): string {
  const unit = 10 ** (3 * Math.floor(Math.log10(flops.training) / 3));
  const starts = ["shuffled map", "scratch", "carried"] as const;
  const points = seeds.flatMap(({ seed, curves }) =>
    starts.flatMap((start) =>
      curves[start].map(({ step, explained }) => ({ start, seed, explained, flops: (step * flops.step) / unit })),
    ),
  );
  return renderFigure({
    description: `Explained variance against training operations, from the carried autoencoder and from scratch, ${seeds.length} seeds`,
    plot: {
      height: 320,
      marginTop: 40,
      x: {
        label: `training, 10${superscript(Math.log10(unit))} operations`,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 6,
      },
      y: { label: "explained variance", labelAnchor: "center", labelArrow: "none", ticks: 6, nice: true },
      marks: [
        ...legend([styles.carried, styles.scratch, styles["shuffled map"]]),
        Plot.ruleY([ceiling.value], { stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "2 3" }),
        Plot.text(["what the maps alone keep"], {
          y: ceiling.value,
          frameAnchor: "right",
          dy: 9,
          stroke: "var(--plot-background, #fff)",
          strokeWidth: 4,
          fill: "currentColor",
          textAnchor: "end",
        }),
        ...starts.flatMap((start) => [
          Plot.line(
            points.filter((point) => point.start === start),
            {
              x: "flops",
              y: "explained",
              z: "seed",
              stroke: styles[start].colour,
              strokeWidth: 1.8,
              strokeDasharray: styles[start].dash,
            },
          ),
          Plot.dot(
            points.filter((point) => point.start === start && point.flops === 0),
            { x: "flops", y: "explained", r: 4.5, fill: styles[start].colour, symbol: styles[start].symbol },
          ),
        ]),
      ],
    },
  });
}

function superscript(exponent: number): string {
  return [...String(Math.round(exponent))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
}
