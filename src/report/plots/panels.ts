import { escapeHtml } from "../escape-html.ts";

export interface PanelsOptions {
  /** Panels in a row. */
  readonly columns: number;
  /** One sentence that says what is seen in all of them. */
  readonly description: string;
  /** Pixels between panels. Default 12. */
  readonly gap?: number;
}

/** Sets drawings of one size side by side and below one another, as one drawing: for figures whose scales differ. */
export function renderPanels(panels: readonly string[], { columns, description, gap = 12 }: PanelsOptions): string {
  const { width, height } = sizeOf(panels[0] ?? "");
  const across = Math.min(columns, panels.length);
  const down = Math.ceil(panels.length / across);
  const placed = panels.map((panel, at) => {
    const [x, y] = [(at % across) * (width + gap), Math.floor(at / across) * (height + gap)];
    return panel.replace("<svg ", `<svg x="${x}" y="${y}" `);
  });
  const [fullWidth, fullHeight] = [across * (width + gap) - gap, down * (height + gap) - gap];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(description)}" fill="currentColor" ` +
    `width="${fullWidth}" height="${fullHeight}" viewBox="0 0 ${fullWidth} ${fullHeight}">${placed.join("")}</svg>`
  );
}

/** Size of a drawing as its own tag says. */
function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const tag = /^<svg [^>]*>/.exec(svg)?.[0] ?? "";
  const of = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(tag)?.[1] ?? 0);
  return { width: of("width"), height: of("height") };
}
