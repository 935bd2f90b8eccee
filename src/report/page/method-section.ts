import { verdictThresholds } from "../../evaluate/verdict.ts";
import { escapeHtml } from "../escape-html.ts";
import { formatCount, formatNumber } from "../format-number.ts";
import type { Study } from "../study.ts";

const definitions: readonly (readonly [term: string, meaning: string])[] = [
  [
    "Steering, strength α",
    "The model runs as always, but a fixed vector of length α is added to its hidden state after one block, at every token. With the unit “median row norms” α = 1 is as long as a typical hidden state there; −α pushes the other way.",
  ],
  [
    "Native, transferred, random",
    "Native: the vector found in the large model itself. Transferred: found in the small model and carried over by the map. Random: seeded random directions of the same length.",
  ],
  [
    "Propensity m",
    "log p(positive answer | prompt) − log p(negative answer | prompt), summed over the answer's tokens, in nats. Above 0 the model prefers the positive answer; +0.69 nats doubles the odds.",
  ],
  ["Change", "An item's propensity at α less its propensity unsteered."],
  [
    "Effect",
    "Mean over items of (m at +α* − m at −α*) / 2, with α* the reference strength: what does not depend on the sign, such as plain damage, cancels. If −α* was not run: the mean change at +α*.",
  ],
  [
    "z",
    "(the vector's effect − mean effect of the random directions) / standard deviation of the random directions. In the table of strengths the same with the mean change at that strength.",
  ],
  [
    "Δr",
    "Pearson's correlation over items between the changes under the transferred and under the native vector, at +α*: whether the same items move.",
  ],
  [
    "Paper's r",
    "Pearson's correlation over items between the propensities themselves. A weak bar: at small strengths any vector reaches a high r, since the items differ to begin with.",
  ],
  [
    "Slope ratio",
    "Least-squares slope of the mean change against α over the whole grid, transferred over native: 1 is equal strength.",
  ],
  ["Moved right", "Share of items whose change has the sign of α."],
  [
    "Share of texts",
    "Texts in which the words or patterns for the concept outnumber those against it. A string test: crude, but nobody's opinion.",
  ],
  [
    "Loss unsteered",
    "How surprised the unsteered model is by the steered text, nats per token. Compare with its own samples: far above, the text is damaged.",
  ],
  ["Distinct-2", "Different word pairs over all word pairs in the texts; near 0 the model repeats itself."],
  [
    "R², cosine",
    "R² = 1 − (squared error) / (spread of the true states about their mean), all dimensions together. Cosine: mean cosine between predicted and true states; centred: after taking off the mean state.",
  ],
  [
    "Intervals",
    "95 %: percentile bootstrap over items, held-out windows or texts; Wilson's for shares of texts. They speak of other items like these, not of other models or other vectors.",
  ],
];

/** Renders the definitions, and how the study was made: models, seeds, counts, versions, thresholds of the verdicts. */
export function renderMethodSection(study: Study): string {
  const { fit, sources, target } = study.map;
  const left = fit.rows.leftOut;
  const notes: readonly (readonly [string, string])[] = [
    ["seed", String(study.seed)],
    [
      "models, sha256 of the files",
      `${study.source.name} ${study.source.sha256}, ${study.target.name} ${study.target.sha256}`,
    ],
    ...(study.createdAt === undefined ? [] : [["made", study.createdAt] as const]),
    ...(study.elapsedMs === undefined ? [] : [["took", `${formatNumber(study.elapsedMs / 1000, 1)} s`] as const]),
    [
      "corpus",
      `${fit.corpus.name}: ${formatCount(fit.corpus.documents)} documents, ${formatCount(fit.corpus.windows)} windows of ${fit.context} tokens, sha256 ${fit.corpus.sha256}`,
    ],
    [
      "rows",
      `${formatCount(fit.rows.train)} fitted, ${formatCount(fit.rows.validation)} chose λ, ${formatCount(fit.rows.heldOut)} scored; left out ${formatCount(left.first)} first positions, ${formatCount(left.special)} special tokens, ${formatCount(left.sink)} of extreme norm${left.unselected > 0 ? `, ${formatCount(left.unselected)} not selected` : ""}`,
    ],
    [
      "median row norms",
      `${sources.map(({ medianNorm }) => formatNumber(medianNorm)).join(" and ")} in the source, ${formatNumber(target.medianNorm)} in the target`,
    ],
    [
      "comparison",
      study.concepts
        .map(
          ({ name, comparison }) =>
            `${name}: ${comparison.items} items, α* = ${formatNumber(comparison.reference)}, ${comparison.randomDirections} random directions, ${comparison.resamples} resamples, effect ${comparison.effectKind}`,
        )
        .join("; "),
    ],
    [
      "verdicts",
      `inside chance below z = ${verdictThresholds.insideNull}; transfers from z = ${verdictThresholds.clear} with Δr from ${verdictThresholds.deltaCorrelation} and slope ratio ${verdictThresholds.slopeLow} to ${verdictThresholds.slopeHigh}; conventions fixed beforehand`,
    ],
    ...study.software.map(({ name, version }) => [name, version] as const),
  ];
  return `<h2 id="words">What the words mean</h2>
<dl>${definitions.map(([term, meaning]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(meaning)}</dd>`).join("\n")}</dl>
<h2 id="method">How it was made</h2>
<dl>${notes.map(([what, value]) => `<dt>${escapeHtml(what)}</dt><dd>${escapeHtml(value)}</dd>`).join("\n")}</dl>`;
}
