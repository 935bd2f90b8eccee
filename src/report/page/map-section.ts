import { formatSite } from "../../engine/site.ts";
import { escapeHtml } from "../escape-html.ts";
import { formatCount, formatInterval, formatNumber, formatPercent } from "../format-number.ts";
import { renderMapScorePlot, type ScoreBar } from "../plots/map-score-plot.ts";
import type { Study, StudyMap } from "../study.ts";
import { renderHtmlTable } from "../table.ts";

/** Renders the part on the map: what it is, how well it predicts unseen text, and what knows nothing and scores what. */
export function renderMapSection({ map, source, target }: Study): string {
  const { scores, fit } = map;
  const { nulls, tokenIdentity } = scores;
  const site = `block ${map.sources.map(({ site }) => site.layer).join("+")} of ${source.blocks} → block ${map.target.site.layer} of ${target.blocks}`;
  return `<h2 id="map">The map</h2>
<p>While a model reads, it holds for every token a list of numbers, its <em>hidden state</em>: ${source.width} of them in the small model,
${target.width} in the large one. Both models read the same text, and an affine map <code>y = A x + p</code> was fitted that predicts the large
model's hidden state from the small one's (${escapeHtml(site)}, counted from 0). The score below is taken on text that the fit never saw.</p>
<div class="plots"><figure><figcaption><b>How much of the large model's hidden state is predicted (R²)</b>
<span>1 is all of it, 0 what a constant guess reaches. Grey, on the same rows: what needs no source model. Much of a hidden state is the current token, so a table by token id can score above the map; what the map explains beyond it stands below.</span></figcaption>
${renderMapScorePlot(toScoreBars(map))}</figure>
<div>${renderHtmlTable(
    [
      { title: "prediction" },
      { title: "R²", align: "right" },
      { title: "cosine", align: "right" },
      { title: "cosine, centred", align: "right" },
    ],
    [
      ["the map", formatNumber(scores.r2, 3), formatNumber(scores.cosine.raw), formatNumber(scores.cosine.centred)],
      ...(
        [
          ["mean state", nulls.mean],
          ["shuffled pairs", nulls.shuffled],
          ["random rotation", nulls.randomOrthogonal],
        ] as const
      ).map(([name, score]) => [
        name,
        formatNumber(score.r2, 3),
        formatNumber(score.cosine.raw),
        formatNumber(score.cosine.centred),
      ]),
      ["current token only", formatNumber(tokenIdentity.table, 3), "", ""],
    ],
  )}
<p class="note">R² of the map: ${formatNumber(scores.r2, 3)}, 95 % interval over held-out windows ${formatInterval(scores.r2Interval, 3)};
${formatCount(scores.rows)} rows. Over the large model's dimensions: a quarter below ${formatNumber(scores.r2PerDimension.lower)}, median
${formatNumber(scores.r2PerDimension.median)}, a quarter above ${formatNumber(scores.r2PerDimension.upper)}.</p></div></div>
<ul>
<li><strong>Mean state</strong>: always guesses the average state of the fitted rows. R² 0, or just below
where the unseen text has another average; note its cosine, which is why a cosine alone says little.</li>
<li><strong>Shuffled pairs</strong>: the same fit after the texts of the two models were paired at random. Anything above 0 would be chance.</li>
<li><strong>Random rotation</strong>: a random map of the right shape.</li>
<li><strong>Current token only</strong>: a table of the large model's mean state for each token, with no small model at all. A good part of any such
map is this table; beyond it, the map explains <strong>${formatPercent(tokenIdentity.beyond)}</strong> of what is left.</li>
</ul>
<p class="note">A high R² does not promise that a concept can be carried over: that is what the concepts below are tested for.
Fitted by ${escapeHtml(fit.method)}${fit.method === "ridge" ? ` (λ = ${fit.lambda} of the mean eigenvalue, chosen on validation windows)` : ""} on
${formatCount(fit.rows.train)} rows, ${formatNumber(fit.rows.train / source.width, 0)} for each source dimension;
${escapeHtml(map.sources.map(({ site }) => formatSite(site)).join(" + "))} → ${escapeHtml(formatSite(map.target.site))}.</p>`;
}

function toScoreBars({ scores }: StudyMap): ScoreBar[] {
  return [
    { label: "the map", r2: scores.r2, kind: "map", interval: scores.r2Interval },
    { label: "current token only", r2: scores.tokenIdentity.table, kind: "null" },
    { label: "mean state", r2: scores.nulls.mean.r2, kind: "null" },
    { label: "shuffled pairs", r2: scores.nulls.shuffled.r2, kind: "null" },
    { label: "random rotation", r2: scores.nulls.randomOrthogonal.r2, kind: "null" },
  ];
}
