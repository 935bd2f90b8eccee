/** The page's own colours: dark ink on white, or the reverse where whoever looks prefers it. */
const grounds =
  "svg:root{color:#1c1e21;background:#fff}@media screen and (prefers-color-scheme:dark){svg:root{color:#e6e8ea;background:#15171a;" +
  "--native:#5bb4ea;--transferred:#f59a5b;--random:#9ba1a8;--plot-background:#15171a}}";

/**
 * Makes a drawing a file of its own, with ground and colours that a page would give it: light, or dark by the reader's setting, also
 * inside an `<img>`.
 */
export function toStandaloneSvg(svg: string): string {
  return svg.replace(/<svg [^>]*>/, (tag) => `${tag}<style>${grounds}</style>`);
}
