import {
  type Column,
  extrapolateCurve,
  formatMapLayers,
  mapOfConcept,
  type PredictionScore,
  renderTable,
  type Study,
  type StudyConcept,
  type StudyMap,
  type TextRow,
} from "../index.ts";

/** What the demo prints: the maps beside their nulls, each concept, texts side by side. */
export function formatDemo(study: Study, shownConcepts: readonly string[]): string {
  const parts = [formatMaps(study), formatOverview(study)];
  for (const concept of study.concepts) parts.push(formatStrengths(study, concept));
  for (const concept of study.concepts)
    if (shownConcepts.includes(concept.name) && concept.texts) parts.push(formatTexts(concept));
  return `${parts.join("\n\n")}\n`;
}

const number = (title: string): Column => ({ title, align: "right" });

function formatMaps({ source, target, maps, concepts }: Study): string {
  const scores: readonly (readonly [string, (scores: StudyMap["scores"]) => PredictionScore])[] = [
    ["the map", (of) => of],
    ["null: the mean, no source at all", ({ nulls }) => nulls.mean],
    ["null: shuffled pairs", ({ nulls }) => nulls.shuffled],
    ["null: random rotation, best scale", ({ nulls }) => nulls.randomOrthogonal],
  ];
  const each = (cells: (map: StudyMap) => readonly string[]): readonly string[] => maps.flatMap(cells);
  const table = renderTable(
    [
      { title: "held out" },
      ...maps.flatMap((map) => [number(`${formatMapLayers(map)}  R²`), number("cosine"), number("centred")]),
    ],
    [
      ...scores.map(([name, pick]) => [
        name,
        ...each((map) => {
          const { r2, cosine } = pick(map.scores);
          return [show(r2, 3), show(cosine.raw, 2), show(cosine.centred, 2)];
        }),
      ]),
      ["beside: a table by token id", ...each((map) => [show(map.scores.tokenIdentity.table, 3), "", ""])],
      ["beyond that table", ...each((map) => [show(map.scores.tokenIdentity.beyond, 3), "", ""])],
      ["every dimension alike", ...each((map) => [show(map.scores.explainedVariance, 3), "", ""])],
    ],
  );
  return [
    `THE MAP${maps.length === 1 ? "" : "S"}   ${source.name}, ${source.blocks} blocks  →  ${target.name}, ${target.blocks} blocks`,
    ...maps.map((map, at) => describeMap(map, namesOf(concepts, at))),
    "",
    table,
    "",
    "Much of a hidden state is the current token: beyond the table by token id stands what the map explains of the variance that it leaves.",
  ].join("\n");
}

function describeMap(map: StudyMap, carried: string): string {
  const { fit, scores } = map;
  const { low, high } = scores.r2Interval;
  const outlook = extrapolateCurve(scores.learningCurve ?? []);
  const more = outlook
    ? `; twice the rows may add ${outlook.nextDoubling < 0.01 ? "less than 0.01" : `about ${show(outlook.nextDoubling, 2)}`}`
    : "";
  return [
    `layers ${formatMapLayers(map)} for ${carried}: ${fit.method}, λ ${Number(fit.lambda.toPrecision(2))}, ${fit.rows.train} rows to fit, ${scores.rows} rows of ${scores.windows} other windows to score`,
    `  R² 95 % interval ${show(low, 3)} to ${show(high, 3)}${more}`,
  ].join("\n");
}

function namesOf(concepts: readonly StudyConcept[], map: number): string {
  return concepts
    .filter((concept) => concept.map === map)
    .map(({ name }) => name)
    .join(", ");
}

function layersOf(study: Study, concept: StudyConcept): string {
  return formatMapLayers(mapOfConcept(study, concept));
}

function formatOverview(study: Study): string {
  const { concepts } = study;
  const rows = concepts.map((concept) => {
    const { comparison: c, cosine } = concept;
    return [
      `${concept.positive} / ${concept.negative}`,
      layersOf(study, concept),
      show(cosine, 2),
      show(c.deltaCorrelation.value, 2),
      show(c.slope.ratio.value, 2),
      `${percent(c.movedRight.native.value)} ${percent(c.movedRight.transferred.value)} ${percent(c.movedRight.random)}`,
      show(c.z.native, 1),
      show(c.z.transferred, 1),
      c.verdict.code.replace("-", " "),
    ];
  });
  const [first] = concepts;
  return [
    `STEERING   at ±${first?.comparison.reference ?? ""} of the median norm of a hidden state, ${first?.comparison.items ?? 0} held-out items a concept`,
    "cos: of the transferred vector with the native one. Δr: how alike the two change each item. slope: transferred over native.",
    "right: items moved the right way, native transferred random. z: against 20 random directions of the same length.",
    "",
    renderTable(
      [
        { title: "concept" },
        number("layers"),
        number("cos"),
        number("Δr"),
        number("slope"),
        number("right %"),
        number("z native"),
        number("z transf."),
        { title: "verdict" },
      ],
      rows,
    ),
  ].join("\n");
}

function formatStrengths(study: Study, concept: StudyConcept): string {
  const { name, positive, negative, comparison, texts } = concept;
  const { baseline } = comparison;
  const share = (vector: TextRow["vector"], strength: number) =>
    texts?.rows.find((row) => row.vector === vector && row.strength === strength)?.effect.share;
  const lines = comparison.strengths.map((s) => [
    signed(s.strength),
    show(s.native.propensity, 2),
    show(s.transferred.propensity, 2),
    show(s.random?.propensity, 2),
    show(s.correlation, 2),
    show(s.deltaCorrelation, 2),
    percent(share("native", s.strength)),
    percent(share("transferred", s.strength)),
    percent(share("random", s.strength)),
  ]);
  const none = show(baseline.propensity, 2);
  const plain = ["0", none, none, none, "", "", ...Array(3).fill(percent(share("none", 0)))];
  const at = comparison.strengths.filter(({ strength }) => strength < 0).length;
  lines.splice(at, 0, plain);
  return [
    `${name.toUpperCase()}   layers ${layersOf(study, concept)}; propensity: log p(${positive}) − log p(${negative}), nats, mean over ${comparison.items} items; texts: share with more of “${positive}” than of “${negative}”`,
    "",
    renderTable(
      [
        number("strength"),
        number("native"),
        number("transferred"),
        number("random"),
        number("r"),
        number("Δr"),
        number("texts % native"),
        number("transf."),
        number("random"),
      ],
      lines,
    ),
    comparison.verdict.text,
  ].join("\n");
}

function formatTexts({ name, positive, negative, texts, comparison }: StudyConcept): string {
  const { reference } = comparison;
  const sample = (vector: TextRow["vector"], strength: number): string =>
    texts?.rows
      .find((row) => row.vector === vector && row.strength === strength)
      ?.samples[0]?.text.replace(/\s+/g, " ")
      .trim() ?? "";
  const lines: readonly (readonly [string, string])[] = [
    [`−${reference}  ${negative}, native`, sample("native", -reference)],
    [`−${reference}  ${negative}, transferred`, sample("transferred", -reference)],
    ["0  unsteered", sample("none", 0)],
    [`+${reference}  ${positive}, transferred`, sample("transferred", reference)],
    [`+${reference}  ${positive}, native`, sample("native", reference)],
    [`+${reference}  random direction`, sample("random", reference)],
  ];
  return [
    `${name.toUpperCase()} IN WORDS   the first sample of each, not chosen`,
    ...lines.map(([label, text]) => `  ${label}\n    ${text}`),
  ].join("\n");
}

function show(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? "-" : value.toFixed(digits).replace("-", "−");
}

function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : `${Math.round(value * 100)}`;
}

function signed(value: number): string {
  return `${value > 0 ? "+" : "−"}${Math.abs(value)}`;
}
