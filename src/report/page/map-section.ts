import { formatSite } from "../../engine/site.ts";
import { extrapolateCurve } from "../../maps/score/learning-curve.ts";
import type { LearningPoint } from "../../maps/score/map-scores.ts";
import { escapeHtml } from "../escape-html.ts";
import { formatCount, formatNumber, formatPercent } from "../format-number.ts";
import { type LearningCurvePoint, renderLearningCurve } from "../plots/learning-curve.ts";
import { renderMapScorePlot, type ScoreBar } from "../plots/map-score-plot.ts";
import { formatMapLayers, type Study, type StudyMap } from "../study.ts";
import { renderMapTable } from "./map-table.ts";

/** The title of the part on the map, or maps. */
export function mapTitle({ maps }: Study): string {
  return maps.length === 1 ? "The map" : "The maps";
}

/** Renders the part on the maps: what they are, how well each predicts unseen text, and what knows nothing and scores what. */
export function renderMapSection(study: Study): string {
  const { maps, source, target } = study;
  const isOne = maps.length === 1;
  const beyond = maps.map(({ scores }) => formatPercent(scores.tokenIdentity.beyond)).join(" and ");
  return `<h2 id="map">${mapTitle(study)}</h2>
<p>While a model reads, it holds for every token a list of numbers, its <em>hidden state</em>: ${source.width} of them in the small model,
${target.width} in the large one, after each block others. Both models read the same text, and an affine map <code>y = A x + p</code> was fitted that predicts the large
model's hidden state from the small one's${isOne ? "" : ", one for each pair of layers that a concept uses"}. The scores below are taken on text that the fit never saw.</p>
${renderMapTable(study)}
${maps.map((map) => renderFigures(map, isOne)).join("\n")}
<ul>
<li><strong>Current token only</strong>: a table of the large model's mean state for each token, with no small model at all. A good part of any such
map is this table; beyond it, the map explains <strong>${beyond}</strong> of what is left.</li>
<li><strong>Mean state</strong>: always guesses the average state of the fitted rows. R² 0, or just below
where the unseen text has another average; note its cosine, which is why a cosine alone says little.</li>
<li><strong>Shuffled pairs</strong>: the same fit after the texts of the two models were paired at random. Anything above 0 would be chance.</li>
<li><strong>Random rotation</strong>: a random map of the right shape.</li>
</ul>
<p class="note">A high R² does not promise that a concept can be carried over: that is what the concepts below are tested for.
${maps.map((map) => escapeHtml(describeFit(map, isOne))).join("\n")}</p>`;
}

function renderFigures(map: StudyMap, isOne: boolean): string {
  const { scores } = map;
  const curve = scores.learningCurve;
  const layers = formatMapLayers(map);
  const title = (what: string): string => (isOne ? what : `${what} (layers ${layers})`);
  const figure = (what: string, says: string, svg: string): string =>
    `<figure><figcaption><b>${escapeHtml(title(what))}</b> <span>${escapeHtml(says)}</span></figcaption>\n${svg}</figure>`;
  return `<div class="plots">
${figure("R²: how much of the large model's hidden state is predicted", "1 is all of it, 0 what a constant guess reaches. Grey, on the same rows: what needs no source model.", renderMapScorePlot(toScoreBars(map)))}
${curve ? figure("Would more text help?", `The same fit on fewer rows. ${toOutlook(curve)}`.trim(), renderLearningCurve(withInterval(curve, scores))) : ""}
</div>`;
}

/** The last point is the map itself, whose interval is known. */
function withInterval(curve: readonly LearningPoint[], { r2Interval }: StudyMap["scores"]): LearningCurvePoint[] {
  return curve.map((point, at) => (at === curve.length - 1 ? { ...point, interval: r2Interval } : point));
}

/** What the curve's end says of more rows; empty if it has too few points. */
function toOutlook(curve: readonly LearningPoint[]): string {
  const outlook = extrapolateCurve(curve);
  if (!outlook) return "";
  const { lastDoubling, nextDoubling } = outlook;
  const promise = nextDoubling < 0.01 ? "less than 0.01" : `about ${formatNumber(nextDoubling)}`;
  return `The last doubling of the rows added ${formatNumber(lastDoubling, 3)}; another may add ${promise}.`;
}

function describeFit({ sources, target, fit }: StudyMap, isOne: boolean): string {
  const width = sources.reduce((sum, { model }) => sum + model.width, 0);
  const sites = `${sources.map(({ site }) => formatSite(site)).join(" + ")} → ${formatSite(target.site)}`;
  const penalty =
    fit.method === "ridge"
      ? ` (λ = ${Number(fit.lambda.toPrecision(3))} of the mean eigenvalue, ${fit.choice === "given" ? "given" : `by ${fit.choice}`})`
      : "";
  return `${isOne ? "" : `${sites}: `}Fitted by ${fit.method}${penalty} on ${formatCount(fit.rows.train)} rows, ${formatNumber(fit.rows.train / width, 0)} for each source dimension${isOne ? `; ${sites}` : ""}.`;
}

function toScoreBars({ scores }: StudyMap): ScoreBar[] {
  const { nulls, tokenIdentity } = scores;
  return [
    { label: "the map", r2: scores.r2, kind: "map", interval: scores.r2Interval },
    { label: "current token only", r2: tokenIdentity.table, kind: "null" },
    { label: "mean state", r2: nulls.mean.r2, kind: "null" },
    { label: "shuffled pairs", r2: nulls.shuffled.r2, kind: "null" },
    { label: "random rotation", r2: nulls.randomOrthogonal.r2, kind: "null" },
    ...(nulls.untrained ? [{ label: "untrained source", r2: nulls.untrained.r2, kind: "null" } as const] : []),
  ];
}
