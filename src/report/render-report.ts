import { formatCsv, renderDataTable } from "./data-table.ts";
import { escapeHtml } from "./escape-html.ts";
import { formatCount, formatShortCount } from "./format-number.ts";
import { reportStyle } from "./page/report-style.ts";
import { pageStyle } from "./page/style.ts";
import { verdictBadges } from "./page/verdict-badge.ts";
import type { Report, ReportFigure, ReportSection } from "./report.ts";

/**
 * Renders a report as one self-contained HTML page: style and drawings inside, no scripts, nothing fetched.
 *
 * Every figure has its numbers below it, folded away, and as a CSV file that is inside the page. All text of models and files is escaped,
 * and a content policy forbids scripts besides. The same report gives the same page.
 */
export function renderReport(report: Report): string {
  const { run, sections } = report;
  const source = run.models.find(({ role }) => role === "source")?.model.name;
  const target = run.models.find(({ role }) => role === "target")?.model.name;
  const joined = [source, target].filter((name) => name !== undefined).join(" → ");
  const links = [["made", "What with"] as const, ...sections.map(({ id, title }) => [id, title] as const)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="trimtab">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${escapeHtml(run.title)}</title>
<style>
${pageStyle}
${reportStyle}
</style>
</head>
<body>
<a class="skip" href="#answer">Skip to the answer</a>
<main>
<header>
<h1>${escapeHtml(run.title)}</h1>
<p class="lead">${[joined, run.createdAt, `seed ${run.seed}`].flatMap((part) => (part ? [escapeHtml(part)] : [])).join(" · ")}</p>
${run.question === undefined ? "" : `<p>${escapeHtml(run.question)}</p>`}
</header>
<section id="answer" class="answer" aria-labelledby="answer-title"><h2 id="answer-title">The answer</h2>
<ol>${report.answer.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join("\n")}</ol></section>
${renderWarnings(report.warnings)}
<nav aria-label="On this page"><ul>${links.map(([id, title]) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join("")}</ul></nav>
${renderMade(report)}
${sections.map(renderSection).join("\n")}
</main>
</body>
</html>
`;
}

function renderWarnings(warnings: readonly string[]): string {
  if (warnings.length === 0) return "";
  return `<div class="warnings" role="note"><strong>Before you believe this</strong>
<ul>${warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join("\n")}</ul></div>`;
}

function renderMade({ run }: Report): string {
  const { models, software, command, elapsedMs, seed } = run;
  const table = renderDataTable(
    {
      columns: [
        "role",
        "name",
        "architecture",
        "parameters",
        "blocks",
        "width",
        "vocabulary",
        "quantisation",
        "sha256",
      ].map((title) => ({ title })),
      rows: models.map(({ role, model }) => [
        role === "source" ? "small (source)" : "large (target)",
        model.name,
        model.architecture,
        formatShortCount(model.parameters),
        model.blocks,
        model.width,
        formatCount(model.vocabulary),
        model.quantisation,
        model.sha256.slice(0, 12),
      ]),
    },
    "The models",
  );
  return `<section aria-labelledby="made"><h2 id="made">What with</h2>
${models.length > 0 ? table : "<p>No model is named in these results.</p>"}
<dl>
<dt>Seed</dt><dd>${seed}</dd>
${software.length > 0 ? `<dt>Software</dt><dd>${escapeHtml(software.map(({ name, version }) => `${name} ${version}`).join(", "))}</dd>` : ""}
${elapsedMs === undefined ? "" : `<dt>Time</dt><dd>${(elapsedMs / 1000).toFixed(0)} s</dd>`}
${command === undefined ? "" : `<dt>Made by</dt><dd><code>${escapeHtml(command)}</code></dd>`}
</dl></section>`;
}

function renderSection({ id, title, lead, verdict, figures, texts, notes }: ReportSection): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(title)}</h2>
<p class="lead">${escapeHtml(lead)}</p>
${verdict === undefined ? "" : `<p class="verdict ${verdict.code}"><span class="badge">${verdictBadges[verdict.code]}</span><br>${escapeHtml(verdict.text)}</p>`}
<div class="plots">
${figures.map(renderFigureBlock).join("\n")}
</div>
${texts === undefined || texts.groups.length === 0 ? "" : renderTexts(id, texts)}
${notes.length === 0 ? "" : `<ul class="note">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join("\n")}</ul>`}
</section>`;
}

/** Drawings at least this wide, three panels, take the width of the page: their letters would be too small in a column of it. */
const leastPanels = 900;

function renderFigureBlock({ id, title, says, svg, table, basis }: ReportFigure): string {
  const csv = Buffer.from(formatCsv(table)).toString("base64");
  const link = `<a download="${id}.csv" href="data:text/csv;base64,${csv}">CSV</a>`;
  const numbers = renderDataTable(table, `${title}: numbers`);
  const caption = `<figcaption><b>${escapeHtml(title)}</b> <span>${escapeHtml(says)}</span></figcaption>`;
  if (svg === undefined)
    return `<figure id="${id}" class="wide">${caption}
${numbers}
<p class="note">${escapeHtml(basis)}. ${link}</p></figure>`;
  const isPanels = Number(/^<svg [^>]* width="(\d+)"/.exec(svg)?.[1] ?? 0) >= leastPanels;
  return `<figure id="${id}"${isPanels ? ' class="panels"' : ""}>${caption}
${svg}
<details><summary>The numbers <span class="note">(${table.rows.length} row${table.rows.length === 1 ? "" : "s"})</span></summary>
${numbers}
<p class="note">${link}</p></details>
<p class="note">${escapeHtml(basis)}.</p></figure>`;
}

function renderTexts(id: string, { note, groups }: NonNullable<ReportSection["texts"]>): string {
  const blocks = groups.map(
    ({ prompt, texts }) => `<div class="side-by-side">
${texts
  .map(
    ({ title, style, text }) =>
      `<div><h4>${escapeHtml(title)}</h4><div class="text ${style}-text"><i>${escapeHtml(prompt)}</i>${text === "" ? " <i>(the model ended the text at once)</i>" : escapeHtml(text)}</div></div>`,
  )
  .join("\n")}
</div>`,
  );
  return `<h3 id="${id}-texts">Texts to read</h3>
<p class="note">${escapeHtml(note)} Grey: the prompt.</p>
${blocks.join("\n")}`;
}
