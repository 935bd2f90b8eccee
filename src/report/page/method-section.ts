import { verdictThresholds } from "../../evaluate/verdict.ts";
import { escapeHtml } from "../escape-html.ts";
import { formatCount, formatNumber } from "../format-number.ts";
import { formatMapLayers, type Study, type StudyMap } from "../study.ts";

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
    "Explained variance, directions used",
    "Explained variance: the mean over the large model's dimensions of their own R², so that a dimension of small numbers counts as much as one of large. Directions used (effective rank): exp of the entropy of the shares of variance along the principal axes of the predictions; as many as dimensions if they vary alike in all.",
  ],
  [
    "Intervals",
    "95 %: percentile bootstrap over items, held-out windows or texts; Wilson's for shares of texts. They speak of other items like these, not of other models or other vectors.",
  ],
];

/** Renders the definitions, and how the study was made: models, seeds, counts, versions, thresholds of the verdicts. */
export function renderMethodSection(study: Study): string {
  const notes: readonly (readonly [string, string])[] = [
    ["seed", String(study.seed)],
    [
      "models, sha256 of the files",
      `${study.source.name} ${study.source.sha256}, ${study.target.name} ${study.target.sha256}`,
    ],
    ...(study.createdAt === undefined ? [] : [["made", study.createdAt] as const]),
    ...(study.elapsedMs === undefined ? [] : [["took", `${formatNumber(study.elapsedMs / 1000, 1)} s`] as const]),
    ...ofMaps(study, "corpus", describeCorpus),
    ...ofMaps(study, "rows", describeRows),
    ...ofMaps(study, "median row norms", describeNorms),
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

/** What holds for each map: said once where it is the same for all, as it is for maps of one reading. */
function ofMaps(
  { maps }: Study,
  what: string,
  describe: (map: StudyMap) => string,
): readonly (readonly [string, string])[] {
  const told = maps.map(describe);
  if (new Set(told).size === 1) return [[what, told[0] as string]];
  return maps.map((map, at) => [`${what}, ${formatMapLayers(map)}`, told[at] as string]);
}

function describeCorpus({ fit: { corpus, context } }: StudyMap): string {
  return `${corpus.name}: ${formatCount(corpus.documents)} documents, ${formatCount(corpus.windows)} windows of ${context} tokens, sha256 ${corpus.sha256}`;
}

function describeRows({ fit: { rows } }: StudyMap): string {
  const { first, special, sink, unselected } = rows.leftOut;
  const other = unselected > 0 ? `, ${formatCount(unselected)} not selected` : "";
  return `${formatCount(rows.train)} fitted, ${formatCount(rows.validation)} chose λ, ${formatCount(rows.heldOut)} scored; left out ${formatCount(first)} first positions, ${formatCount(special)} special tokens, ${formatCount(sink)} of extreme norm${other}`;
}

function describeNorms({ sources, target }: StudyMap): string {
  const ofSources = sources.map(({ medianNorm }) => formatNumber(medianNorm)).join(" and ");
  return `${ofSources} in the source, ${formatNumber(target.medianNorm)} in the target`;
}
