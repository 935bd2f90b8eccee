import * as Plot from "@observablehq/plot";
import type { StitchResult } from "../../study/stitch/stitch-result.ts";
import { formatNumber } from "../format-number.ts";
import { legend, renderFigure, type SeriesStyle, series } from "./figure.ts";

/** One dot of the figure. */
interface Point {
  readonly share: number;
  readonly nats: number;
  readonly low: number;
  readonly high: number;
  readonly label: string;
}

const styles = {
  plain: { ...series.native, label: "stitched" },
  tuned: { ...series.transferred, label: "tuned" },
  alone: { label: " a model alone", colour: "currentColor", symbol: "star", dash: "none" },
  table: { ...series.random, label: "token table" },
} as const satisfies Readonly<Record<string, SeriesStyle>>;

/** Names of more stitched models run into one another; then only those that nothing cheaper beats, and the tuned ones, are named. */
const mostLabelled = 12;

/**
 * Renders the loss of every stitched model against what it computes for a token, as a share of the large model, with both models alone; a
 * line joins those that nothing cheaper beats, the models alone among them.
 */
export function renderStitchPlot(result: StitchResult): string {
  const { pairs, targets, source, target } = result;
  const point = (share: number, loss: { nats: number; low: number; high: number }, label: string): Point => ({
    share,
    ...loss,
    label,
  });
  const plain = pairs.map(({ cost, loss, source: i, target: j }) => point(cost.computeShare, loss, `${i}:${j}`));
  const tuned = pairs.flatMap(({ cost, tuned: found, source: i, target: j }) =>
    found ? [point(cost.computeShare, found.loss, `${i}:${j}`)] : [],
  );
  const alone = [
    point(source.cost.computeShare, source.loss, source.name),
    point(target.cost.computeShare, target.loss, target.name),
  ];
  // A table computes nothing before the late blocks: what the cheapest pair of that target layer computes, less its early blocks, at most.
  const table = targets.map(({ target: layer, table: loss }) => {
    const least = Math.min(...pairs.filter((pair) => pair.target === layer).map(({ cost }) => cost.computeShare));
    return point(least, loss, `·:${layer}`);
  });
  const all = [...plain, ...tuned, ...alone, ...table];
  const isTuned = (label: string): boolean => tuned.some((other) => other.label === label);
  const front = toFront([...plain, ...tuned, ...alone]);
  const top = Math.max(...all.map(({ nats }) => nats));
  return renderFigure({
    description: `Loss against compute of ${plain.length} stitched models: the best reaches ${formatNumber(Math.min(...[...plain, ...tuned].map(({ nats }) => nats)))} nats, ${source.name} alone ${formatNumber(source.loss.nats)}, ${target.name} alone ${formatNumber(target.loss.nats)}`,
    plot: {
      width: 640,
      height: 380,
      marginRight: 24,
      x: {
        label: `compute for a token, as a share of ${target.name}`,
        labelAnchor: "center",
        labelArrow: "none",
        domain: [0, Math.max(1, ...all.map(({ share }) => share)) * 1.05],
        tickFormat: (share: number) => `${Math.round(100 * share)} %`,
        ticks: 6,
      },
      y: { label: null, grid: true, domain: [0, top * 1.06], ticks: 7 },
      marks: [
        Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 }),
        Plot.ruleY([source.loss.nats], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "3 4" }),
        Plot.lineY(front, { x: "share", y: "nats", stroke: "currentColor", strokeOpacity: 0.6, curve: "step-after" }),
        Plot.dot(table, { x: "share", y: "nats", r: 3.5, fill: styles.table.colour, symbol: styles.table.symbol }),
        ...dots(styles.plain, plain),
        ...dots(styles.tuned, tuned),
        Plot.dot(alone, { x: "share", y: "nats", r: 6, fill: styles.alone.colour, symbol: styles.alone.symbol }),
        Plot.text(tuned, { x: "share", y: "nats", text: "label", dy: 13, fontSize: 11 }),
        Plot.text(
          plain.filter((one) => (plain.length <= mostLabelled || front.includes(one)) && !isTuned(one.label)),
          { x: "share", y: "nats", text: "label", dy: -10, fontSize: 10, fillOpacity: 0.75 },
        ),
        ...[false, true].map((isFarRight) =>
          Plot.text(
            alone.filter(({ share }) => share > 0.8 === isFarRight),
            { x: "share", y: "nats", text: "label", dy: 16, fontSize: 11, textAnchor: isFarRight ? "end" : "middle" },
          ),
        ),
        Plot.text(["loss, nats per token"], { frameAnchor: "top-right", textAnchor: "end", dy: -26 }),
        ...legend(Object.values(styles)),
      ],
    },
  });
}

function dots(style: SeriesStyle, points: readonly Point[]): Plot.Markish[] {
  return [
    Plot.ruleX(points, { x: "share", y1: "low", y2: "high", stroke: style.colour, strokeOpacity: 0.6 }),
    Plot.dot(points, { x: "share", y: "nats", r: 4, fill: style.colour, symbol: style.symbol }),
  ];
}

/** Points that no other one beats at as little compute, cheapest first. */
function toFront(points: readonly Point[]): Point[] {
  const front: Point[] = [];
  for (const one of [...points].sort((a, b) => a.share - b.share || a.nats - b.nats))
    if (one.nats < (front.at(-1)?.nats ?? Number.POSITIVE_INFINITY)) front.push(one);
  return front;
}
