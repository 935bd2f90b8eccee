import { type SweepResult, sweepCriteria } from "../../maps/score/sweep-result.ts";
import { escapeHtml } from "../escape-html.ts";
import { sweepLabels, toSweepMatrix } from "../sweep-matrix.ts";
import { renderLayerHeatMap } from "./layer-heat-map.ts";

/** Pixels between panels. */
const gap = 12;

/**
 * Renders a sweep as heat maps side by side, two in a row, one for each criterion; see {@link renderLayerHeatMap}.
 *
 * @throws bad-input if a cell is missing
 */
export function renderSweepPlot(sweep: SweepResult): string {
  const panels = sweepCriteria.map((criterion) => renderLayerHeatMap(toSweepMatrix(sweep, criterion)));
  const { width, height } = sizeOf(panels[0] as string);
  const placed = panels.map((panel, at) => {
    const [x, y] = [(at % 2) * (width + gap), Math.floor(at / 2) * (height + gap)];
    return panel.replace("<svg ", `<svg x="${x}" y="${y}" `);
  });
  const [fullWidth, fullHeight] = [2 * width + gap, 2 * height + gap];
  const { source, target } = sweep;
  const names = sweepCriteria.map((criterion) => sweepLabels[criterion]).join(", ");
  const description = `${names} of every layer of ${source.name} with every layer of ${target.name}`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(description)}" fill="currentColor" ` +
    `width="${fullWidth}" height="${fullHeight}" viewBox="0 0 ${fullWidth} ${fullHeight}">${placed.join("")}</svg>`
  );
}

/** Size of a drawing as its own tag says. */
function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const tag = /^<svg [^>]*>/.exec(svg)?.[0] ?? "";
  const of = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(tag)?.[1]);
  return { width: of("width"), height: of("height") };
}
