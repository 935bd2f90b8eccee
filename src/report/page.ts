import { escapeHtml } from "./escape-html.ts";
import { findWarnings } from "./find-warnings.ts";
import { formatCount, formatShortCount } from "./format-number.ts";
import { renderConceptSection } from "./page/concept-section.ts";
import { mapTitle, renderMapSection } from "./page/map-section.ts";
import { renderMethodSection } from "./page/method-section.ts";
import { renderOverviewSection } from "./page/overview-section.ts";
import { pageStyle } from "./page/style.ts";
import type { Study } from "./study.ts";
import { renderHtmlTable } from "./table.ts";

/**
 * Renders a study as one self-contained HTML page: style and drawings inside, no scripts, nothing fetched.
 *
 * Made for someone new to the field: what was done in plain words, results at a glance with their uncertainty, warnings, the map beside its nulls,
 * one section a concept, definitions of every number, and how to make it again. All text of models and files is escaped, and a
 * content policy forbids scripts besides. The same study gives the same page.
 */
export function renderPage(study: Study): string {
  const warnings = findWarnings(study);
  const anchors = study.concepts.map((concept, k) => ({ concept, id: `concept-${k + 1}` }));
  const links: readonly (readonly [id: string, title: string])[] = [
    ["results", "Results"],
    ["models", "Models"],
    ["map", mapTitle(study)],
    ...anchors.map(({ concept, id }) => [id, concept.name] as const),
    ["words", "What the words mean"],
    ["method", "How it was made"],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="trimtab">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${escapeHtml(study.title)}</title>
<style>
${pageStyle}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(study.title)}</h1>
<p class="lead">${escapeHtml(study.source.name)} → ${escapeHtml(study.target.name)}${study.createdAt === undefined ? "" : ` · ${escapeHtml(study.createdAt)}`} · seed ${study.seed}</p>
<nav aria-label="On this page"><ul>${links.map(([id, title]) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join("")}</ul></nav>
${study.question === undefined ? "" : `<p>${escapeHtml(study.question)}</p>`}
<p>A <em>steering vector</em> is a direction inside a language model that stands for a concept: adding it while the model runs makes the
concept more likely, subtracting it less. Here such directions were found in a small model, carried into a larger one through ${study.maps.length === 1 ? "a map" : "maps"} between the two,
and tried there beside the directions that the larger model gives itself, and beside random ones.</p>
${renderWarnings(warnings)}
${renderOverviewSection(study)}
${renderModels(study)}
${renderMapSection(study)}
${anchors.map(({ concept, id }) => renderConceptSection(study, concept, id)).join("\n")}
${renderMethodSection(study)}
</main>
</body>
</html>
`;
}

function renderWarnings(warnings: readonly string[]): string {
  if (warnings.length === 0) return "";
  return `<div class="warnings" role="note"><strong>Before you believe this</strong>
<ul>${warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join("")}</ul></div>`;
}

function renderModels({ source, target }: Study): string {
  const rows = [["small (source)", source] as const, ["large (target)", target] as const].map(([role, model]) => [
    role,
    model.name,
    model.architecture,
    formatShortCount(model.parameters),
    String(model.blocks),
    String(model.width),
    formatCount(model.vocabulary),
    model.quantisation,
    `${(model.sizeBytes / 1e6).toPrecision(3)} MB`,
  ]);
  return `<h2 id="models">The two models</h2>
${renderHtmlTable(
  [
    { title: "role" },
    { title: "name" },
    { title: "architecture" },
    { title: "parameters", align: "right" },
    { title: "blocks", align: "right" },
    { title: "width", align: "right" },
    { title: "vocabulary", align: "right" },
    { title: "quantisation" },
    { title: "file", align: "right" },
  ],
  rows,
)}
<p class="note">${
    source.tokenizerFingerprint === target.tokenizerFingerprint
      ? `Both read the same tokens: their tokenizers have the same fingerprint, ${escapeHtml(source.tokenizerFingerprint.slice(0, 12))}.`
      : "Their tokenizers differ: the same text gives them different tokens."
  }</p>`;
}
