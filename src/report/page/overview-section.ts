import type { Estimate } from "../../evaluate/comparison.ts";
import { escapeHtml } from "../escape-html.ts";
import { formatInterval, formatNumber, formatPercent } from "../format-number.ts";
import { formatMapLayers, mapOfConcept, type Study } from "../study.ts";
import { renderHtmlTable } from "../table.ts";
import { verdictBadges } from "./verdict-badge.ts";

/** Renders the table of all concepts and the sentence that sums them up. */
export function renderOverviewSection(study: Study): string {
  const count = (code: string): number =>
    study.concepts.filter(({ comparison }) => comparison.verdict.code === code).length;
  const parts = (
    [
      ["transfers", "transferred"],
      ["partly", "in part"],
      ["fails", "did not"],
      ["reversed", "came out reversed"],
      ["cannot-judge", "could not be judged"],
    ] as const
  ).flatMap(([code, words]) => (count(code) > 0 ? [`${count(code)} ${words}`] : []));
  const estimate = ({ value, interval }: Estimate): string => `${formatNumber(value)} (${formatInterval(interval)})`;
  return `<h2 id="results">Results at a glance</h2>
<p>Of ${study.concepts.length} concept${study.concepts.length === 1 ? "" : "s"}, ${escapeHtml(parts.join(", ") || "none was tested")}.</p>
${renderHtmlTable(
  [
    { title: "concept" },
    { title: "verdict" },
    { title: "layers", align: "right" },
    { title: "z: transferred (native)", align: "right" },
    { title: "Δr", align: "right" },
    { title: "slope ratio", align: "right" },
    { title: "moved right: transferred (native, random)", align: "right" },
    { title: "cosine", align: "right" },
  ],
  study.concepts.map((concept) => {
    const { name, cosine, comparison } = concept;
    const { z, movedRight } = comparison;
    return [
      name,
      verdictBadges[comparison.verdict.code],
      formatMapLayers(mapOfConcept(study, concept)),
      `${formatNumber(z.transferred, 1)} (${formatNumber(z.native, 1)})`,
      estimate(comparison.deltaCorrelation),
      estimate(comparison.slope.ratio),
      `${formatPercent(movedRight.transferred.value)} (${formatPercent(movedRight.native.value)}, ${formatPercent(movedRight.random)})`,
      formatNumber(cosine),
    ];
  }),
)}
<p class="note">Layers: the block of the small model after which the vector was found, and the block of the large one after which it steers, both counted from 0.
Δr and slope ratio with their 95 % intervals over items.
<strong>z</strong>: how far out the effect stands among random directions of the same length. <strong>Δr</strong>: do the same items move?
<strong>Slope ratio</strong>: how strong is it beside the native vector? <a href="#words">All definitions</a></p>`;
}
